"""A network of the user's own as a feature network: any TorchScript or ``torch.export`` file.

What the file is given and what it gives is said in a small JSON description, either inside the archive as the extra
file ``ganvas.json``, or beside it as ``<file>.json``::

    {"name": "retina", "input": "[-1,1]", "size": 128, "resize": "bicubic-antialias", "classes": 19}

All of it may be left out: then the network gets the pictures' bytes (uint8, n x 3 x h x w) at their own size. It gives

- rows (n, d), or maps of one place (n, d, 1, 1): the tap ``features``;
- scores of classes per place (n, k, h, w), or whole-numbered labels (n, h, w) with ``classes`` in the description: the
  tap ``segments``, the area of each class in per cent;
- or a mapping from names of taps to any of these.

The program computes and can do nothing else: files that could run code are refused before anything in them is read
(:mod:`ganvas.nn.programs.program_files`).
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.config import from_plain
from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.files.typed_json import parse, require
from ganvas.data.cache import content_hash
from ganvas.features.network import Network, Precision, identity_of
from ganvas.features.resize import BICUBIC, IMAGENET, TF1_BILINEAR, bicubic, standardised, tf1_bilinear
from ganvas.features.segments import area_shares
from ganvas.nn.programs.program_files import is_exported, is_torchscript, load_exported, load_torchscript

DESCRIPTION = "ganvas.json"
REPAIR = 'It should be as {"input": "[-1,1]", "size": 128}.'
PROBED = 64  # Side of the picture that a network is tried with where its size is not said.
INPUTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "bytes": lambda x: x.round().clamp(0, 255).to(torch.uint8),
    "[0,255]": lambda x: x.float(),
    "[0,1]": lambda x: x.float() / 255,
    "[-1,1]": lambda x: x.float() / 127.5 - 1,
    "imagenet": lambda x: standardised(x.float(), IMAGENET),
}
RESIZES: Mapping[str, Callable[[Tensor, int], Tensor]] = {BICUBIC: bicubic, TF1_BILINEAR: tf1_bilinear}


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a file says of itself."""

    name: str | None = None  # In protocol strings; the file's name without its ending where it is left out.
    input: str = "bytes"
    size: int | None = None  # Pictures are resized to size x size; left out, they come as they are.
    resize: str = BICUBIC
    classes: int | None = None  # Of a labeller that gives labels rather than scores.

    def __post_init__(self) -> None:
        for field, value, choices in (("input", self.input, INPUTS), ("resize", self.resize, RESIZES)):
            if value not in choices:
                raise UserError(f'"{field}": "{value}" of a description is not a choice: {", ".join(choices)}.')
        if (self.size or 1) < 1 or (self.classes or 1) < 1:
            raise UserError(f'"size": {self.size} and "classes": {self.classes} of a description are at least 1.')


class Exported(Network):
    """A program from a file."""

    def __init__(
        self,
        program: Callable[[Tensor], Any],
        description: Description,
        *,
        stem: str,
        sha256: str,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device, self._program, self._says = torch.device(device), program, description
        resize = f"{description.resize}-{description.size}" if description.size else "own-size"
        name = f"{description.name or stem}({description.input})"
        self.identity = identity_of(name, sha256=sha256, resize=resize, precision="float32")
        side = description.size or PROBED
        with torch.no_grad():
            tried = self._rows(torch.zeros(2, 3, side, side, dtype=torch.uint8, device=self.device), ())
        self.taps = {tap: rows.shape[1] for tap, rows in tried.items()}

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        says = self._says
        x = RESIZES[says.resize](pictures, says.size) if says.size else pictures
        try:
            given = self._program(INPUTS[says.input](x))
        except Exception as error:  # Whatever a program can raise; its last line says most.
            last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            raise UserError(
                f"{self.identity} does not take {len(x)} pictures of {x.shape[2]}x{x.shape[3]} as {says.input} "
                f"({last[0][:200]}). Say its input and size in {DESCRIPTION}, and export it for any number of pictures."
            ) from None
        named = given if isinstance(given, Mapping) else {"": given}
        rows = dict(self._reduced(value, str(tap), len(pictures)) for tap, value in named.items())
        return rows

    def _reduced(self, value: Any, tap: str, n: int) -> tuple[str, Tensor]:
        """One output as rows, and the tap's name."""
        if isinstance(value, Tensor) and value.shape[:1] == (n,):
            if value.is_floating_point() and value[0].numel() and (value.ndim == 2 or value.shape[2:] == (1, 1)):
                return tap or "features", value.flatten(1)
            if value.ndim == 4 and value.is_floating_point():
                if value.isnan().any():
                    raise UserError(f"{self.identity} gave scores that are not numbers (nan): nothing is labelled.")
                return tap or "segments", area_shares(value.argmax(1), value.shape[1])
            if value.ndim == 3 and not value.is_floating_point():
                if self._says.classes is None:
                    raise UserError(f'{self.identity} gives labels: say how many as "classes" in {DESCRIPTION}.')
                return tap or "segments", area_shares(value, self._says.classes)
        what = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise UserError(
            f"{self.identity} gave {what} for {n} pictures. It should give rows (n, d), scores (n, k, h, w), labels "
            "(n, h, w), or a mapping of these by name."
        )


def load(path: Path, *, device: torch.device, precision: Precision = "float32") -> Exported:
    """A TorchScript or ``torch.export`` file, tried once with an empty picture.

    Raises:
        UserError: the file is neither, or is damaged, or does not give rows.
    """
    if precision != "float32":
        raise UserError(f"{path} computes as it was exported: precision={precision} cannot be chosen for it.")
    if is_torchscript(path):
        program, said = _load_torchscript(path, device)
    elif path.suffix == ".pt2" or is_exported(path):
        program, said = _load_exported(path, device)
    else:
        raise UserError(
            f"{path} is no feature network: it is neither a classifier of `ganvas features train`, nor a TorchScript "
            "file, nor one of torch.export (.pt2). Weights of a known network are given as `--weights`."
        )
    description = _description(path, said)
    return Exported(program, description, stem=path.stem, sha256=content_hash(path), device=device)


def _load_torchscript(path: Path, device: torch.device) -> tuple[Callable[[Tensor], Any], str | bytes]:
    extra: dict[str, Any] = {DESCRIPTION: ""}
    program = load_torchscript(path, device=device, extra=extra)
    program.eval()
    return program, extra[DESCRIPTION]


def _load_exported(path: Path, device: torch.device) -> tuple[Callable[[Tensor], Any], str | bytes]:
    exported = load_exported(path)
    return exported.module.to(device), exported.extra.get(DESCRIPTION, "")


def _description(path: Path, inside: str | bytes) -> Description:
    beside = path.with_name(path.name + ".json")
    where, text = (f"{DESCRIPTION} of {path}", inside) if inside else (str(beside), b"")
    if not inside and beside.is_file():
        text = beside.read_bytes()
    plain = parse(text or "{}", where, advice=REPAIR)
    fields = [field.name for field in dataclasses.fields(Description)]
    if unknown := [name for name in require(dict[str, Any], plain, where, advice=REPAIR) if name not in fields]:
        near = did_you_mean(unknown[0], fields)
        raise UserError(f"{where} has a field '{unknown[0]}'.{near} Fields: {', '.join(fields)}.")
    try:
        return from_plain(Description, plain)
    except UserError as error:
        raise UserError(f"{where} is not a description of a network ({error}).") from None
