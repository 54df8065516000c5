"""Programs of others from their files: TorchScript, and what ``torch.export.save`` wrote (.pt2).

Such a program computes on tensors, and can do nothing else: what could is refused before torch reads the file.
"""

import logging
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganvas.core.errors import UserError
from ganvas.nn.programs.pt2_archive import checked_archive
from ganvas.nn.programs.script_source import require_harmless_source

_LOGGERS = ("torch.export", "torch.export.pt2_archive._package", "torch._export.serde.serialize")


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """A program of torch.export: a module to call, the inputs that it was exported with, and texts beside it."""

    module: torch.nn.Module
    example: tuple[Any, ...] | None
    extra: dict[str, bytes]


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive (a zip with ``constants.pkl``)."""
    return any(name.endswith("/constants.pkl") for name in record_names(path))


def is_exported(path: Path) -> bool:
    """Whether a file is an archive of ``torch.export.save``."""
    return any(name.rpartition("/")[2] == "archive_format" for name in record_names(path))


def record_names(path: Path) -> list[str]:
    """The names of what is in a zip archive; none where a file is no zip, or a damaged one."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except PermissionError:
        raise UserError(f"{path} cannot be read: there is no permission. Choose a file that can be read.") from None
    except Exception:  # Damaged bytes fail at many places of Python's reader.
        return []


def load_exported(path: Path) -> ExportedFile:
    """A program of torch.export, on the CPU or where it was exported.

    Raises:
        UserError: it is damaged, or of another version of PyTorch, or could run code.
    """
    checked = checked_archive(path)
    try:
        with warnings.catch_warnings(action="ignore"), _quiet():
            program = torch.export.load(checked.archive)
            module = program.module()
    except Exception as error:
        raise UserError(
            f"{path} is not a program that this PyTorch can load: it is damaged, or of another version "
            f"({_line(error)}). Export it again."
        ) from None
    example = program.example_inputs
    return ExportedFile(module=module, example=tuple(example[0]) if example else None, extra=dict(checked.extra))


def load_torchscript(
    path: Path, *, device: torch.device | str = "cpu", extra: dict[str, Any] | None = None
) -> torch.jit.ScriptModule:
    """A TorchScript file.

    Args:
        extra: Names of texts beside the program, which are filled in.

    Raises:
        UserError: it is damaged, or reads or writes files.
    """
    try:
        require_harmless_source(path)
        with warnings.catch_warnings(action="ignore"):  # Of torch.jit as a whole: the files are still about.
            return torch.jit.load(str(path), map_location=device, _extra_files=extra)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{path} is not a TorchScript file, or is damaged ({_line(error)}). A file of weights holds no network: "
            "give package.module:factory, or save the network with torch.export.save."
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """While inside, torch prints no traceback of its own before the error that it raises."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _line(error: Exception) -> str:
    """The first words of an error, which in torch's may be pages."""
    return " ".join(str(error)[:2000].split())[:160] or type(error).__name__
