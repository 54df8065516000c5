"""Archives of ``torch.export.save`` (.pt2), rebuilt from what was checked so that torch reads nothing else.

torch itself unpickles what such an archive brings, opens shared libraries in it, and evaluates its text. Here weights
and constants are bytes of a length that fits their shape, example inputs are read as tensors alone and written anew,
the program's JSON is checked by :mod:`ganvas.nn.programs.program_json`, and any other record is refused.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import torch

from ganvas.core.errors import UserError
from ganvas.core.files.typed_json import LARGEST, InRange, Matching, parse, require
from ganvas.nn.programs.program_json import ADVICE, NAME, DeviceName, checked_program

PROGRAM, EXAMPLE, EXTRA = "models/model.json", "data/sample_inputs/model.pt", "extra/"
CONFIGS = {
    "data/weights/model_weights_config.json": "data/weights/",
    "data/constants/model_constants_config.json": "data/constants/",
}
NOTES = {"archive_format": b"pt2", "archive_version": b"0", "byteorder": b"little"}  # What they say, where they are.
ZIP_VERSION = b"6\n"  # Of torch's own zip format, which its reader asks for.
ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 9: 4, 10: 8, 11: 16, 12: 1, 13: 2, 28: 2, 34: 4, 35: 8}
_TENSOR = re.compile(r"data/(weights/weight|constants/tensor)_\d{1,9}")
_PASSED_OVER = re.compile(r"\.data/\w+|extra/.+")
_OLDER = re.compile(r"(\w+/)?(serialized_\w+\.(pt|json)|data/(weights|constants)/model\.pt)")
_Plain = torch.Tensor | int | float | bool | None


class FixedSize(TypedDict):
    as_int: Annotated[int, InRange(0, LARGEST)]


class TensorLayout(TypedDict):
    dtype: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 28, 34, 35]
    sizes: list[FixedSize]
    requires_grad: bool
    device: DeviceName
    strides: list[FixedSize]
    storage_offset: FixedSize
    layout: Literal[7]  # Strided, as ordinary tensors are.


class Payload(TypedDict):
    path_name: Annotated[str, Matching(r"(weight|tensor)_\d{1,9}", "the name of a tensor's record")]
    is_param: bool
    use_pickle: Literal[False]
    tensor_meta: TensorLayout


class PayloadConfig(TypedDict):
    config: dict[str, Payload]


@dataclass(frozen=True)
class CheckedArchive:
    """An archive that torch may load, and the texts that its maker put beside the program."""

    archive: io.BytesIO
    extra: Mapping[str, bytes]


def checked_archive(path: Path) -> CheckedArchive:
    """A ``.pt2`` rebuilt from its tensors and its program.

    Raises:
        UserError: it is damaged, or of another form, or holds anything that could run.
    """
    records = _records(path)
    if PROGRAM not in records:
        raise UserError(f"{path} is not a program saved by torch.export: it has no {PROGRAM}. Export it again.")
    clean = {**NOTES, ".data/version": ZIP_VERSION}
    for name, said in NOTES.items():
        if records.get(name, said).strip() != said:
            raise UserError(f"{path}: its {name} is not {said.decode()}. Export it again on this kind of machine.")
    for config, folder in CONFIGS.items():
        _require_tensors(path, records, config, folder)
    clean |= {name: data for name, data in records.items() if _TENSOR.fullmatch(name) or name in CONFIGS}
    clean[PROGRAM] = checked_program(records[PROGRAM], f"{path} ({PROGRAM})")
    clean[EXAMPLE] = _example(path, records.get(EXAMPLE, b""))
    texts = {name.removeprefix(EXTRA): data for name, data in records.items() if name.startswith(EXTRA)}
    return CheckedArchive(_archive(clean), texts)


def _records(path: Path) -> dict[str, bytes]:
    """Every record by its name below the archive's own folder, where each is of a known kind and there once."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
            _require_plain(path, listed)
            whole = {one.filename: archive.read(one) for one in listed}
    except UserError:
        raise
    except Exception as error:  # Damaged bytes fail at many places of Python's reader.
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise UserError(f"{path} is cut short or damaged ({reason}). Copy it again, or export it again.") from None
    return {name.partition("/")[2]: data for name, data in whole.items()}


def _require_plain(path: Path, listed: list[zipfile.ZipInfo]) -> None:
    names = [one.filename for one in listed]
    if any(_OLDER.fullmatch(name) for name in names):
        raise UserError(
            f"{path} is of the form that older versions of PyTorch wrote, whose weights are pickled and could run any "
            "program. Load it with the PyTorch that wrote it, and export it again with a newer one."
        )
    if len({name.partition("/")[0] for name in names}) != 1 or len(set(names)) != len(names):
        raise UserError(f"{path}: names in it are there twice, or not in one folder. Export it again.")
    for one in listed:
        name = one.filename.partition("/")[2]
        known = name in (PROGRAM, EXAMPLE, *CONFIGS, *NOTES, "version")
        if not (known or _TENSOR.fullmatch(name) or _PASSED_OVER.fullmatch(name)):
            raise UserError(f"{path} holds {name[:80]!a}, which is neither a tensor nor the program. {ADVICE}")
        if one.compress_type != zipfile.ZIP_STORED or one.flag_bits & 1:
            raise UserError(f"{path}: {name[:80]!a} is compressed or encrypted, which torch.export.save never does.")


def _require_tensors(path: Path, records: Mapping[str, bytes], config: str, folder: str) -> None:
    """Weights, or constants: each within the bytes that are there."""
    where = f"{path} ({config})"
    said = parse(records.get(config, b""), where, advice=ADVICE)
    for name, payload in require(PayloadConfig, said, where, strict=True, advice=ADVICE)["config"].items():
        layout, record = payload["tensor_meta"], folder + payload["path_name"]
        sizes, strides = ([one["as_int"] for one in layout[side]] for side in ("sizes", "strides"))
        reach = sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=False))
        numbers = layout["storage_offset"]["as_int"] + reach + 1 if prod(sizes) else 0
        there = len(records[record]) if record in records else -1
        if len(sizes) != len(strides) or numbers * ITEM_BYTES[layout["dtype"]] > there:
            raise UserError(f"{where}: the tensor {name[:80]!a} is not as long as it says. Export it again.")


def _example(path: Path, data: bytes) -> bytes:
    """The inputs that the program was exported with, written anew."""
    if not data:
        return b""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert all(one.compress_type == zipfile.ZIP_STORED for one in inner.infolist())
            arguments, named = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        assert isinstance(arguments, (tuple, list)) and isinstance(named, dict)  # noqa: PT018
        fine = _plain(arguments) and _plain(named)
    except Exception:  # Its words would advise to read the file in a way that runs what is in it.
        fine = False
    if not fine:
        raise UserError(f"{path} holds example inputs that are other objects than tensors. {ADVICE}")
    buffer = io.BytesIO()
    torch.save((arguments, named), buffer)
    return buffer.getvalue()


def _plain(value: Any) -> bool:
    """Tensors and numbers in tuples, lists and dictionaries with names as keys."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and not NAME.refuses(key) and _plain(one) for key, one in value.items())
    if isinstance(value, (tuple, list)):
        return type(value) in (tuple, list) and all(_plain(one) for one in value)
    return isinstance(value, _Plain)


def _archive(records: Mapping[str, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in records.items():
            archive.writestr(f"program/{name}", data)
    buffer.seek(0)
    return buffer
