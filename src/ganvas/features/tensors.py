"""Reading the tensors of a file of weights, and nothing else: no code in the file runs.

Three kinds are read: safetensors; what ``torch.save`` wrote (through PyTorch's own reader of tensors only); and
TorchScript archives, whose tensors are taken out with an unpickler that knows tensors and names and refuses the rest.
"""

import io
import pickle
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.nn.programs.program_files import is_torchscript

_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "ema", "teacher")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file by its dotted name, on the CPU.

    Raises:
        UserError: the file is cut short, or is none of the three kinds, or holds other objects than tensors.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # On a foreign pickle, which then fails in words of ours.
            found = _read(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # Damaged bytes fail in every reader, and in each reader at many places.
        raise UserError(_why(path, error)) from None
    tensors = _flat(found)
    if not tensors:
        raise UserError(f"{path} holds no tensors. Name a file with the weights of a network.")
    return tensors


def without_prefix(tensors: Mapping[str, Tensor], marker: str) -> dict[str, Tensor]:
    """The tensors below the prefix that stands before ``marker`` (``module.``, ``model.visual.``, or none).

    >>> sorted(without_prefix({"module.fc.weight": torch.ones(1), "other": torch.ones(1)}, "fc.weight"))
    ['fc.weight']
    """
    prefix = next((name.removesuffix(marker) for name in tensors if name.endswith(marker)), "")
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def require(tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], network: str) -> dict[str, Tensor]:
    """The tensors of a network, each of its shape; everything else in the file is left.

    Raises:
        UserError: one is missing, or has another shape: these are the weights of another network.
    """
    for name, shape in shapes.items():
        if name not in tensors:
            raise UserError(f"These are not the weights of {network}: '{name}' is missing. Name another file.")
        if tuple(tensors[name].shape) != shape:
            raise UserError(
                f"These are not the weights of {network}: '{name}' has the shape {tuple(tensors[name].shape)} and "
                f"should have {shape}. Name another file."
            )
    return {name: tensors[name] for name in shapes}


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError) and "nsupported" in str(error):
        return (
            f"{path} holds other objects than tensors, and reading those would run code. Save its state_dict alone, "
            "best as .safetensors."
        )
    return f"{path} cannot be read as weights: it is cut short, or no file of weights. Fetch or copy it again."


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(9)
    if len(start) == 9 and start[8:9] == b"{":  # Eight bytes of length, then JSON.
        from safetensors.torch import load_file

        return load_file(path)
    if is_torchscript(path):
        return _read_torchscript(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _flat(found: Any, prefix: str = "") -> dict[str, Tensor]:
    """Tensors of nested mappings and TorchScript objects; a lone ``state_dict`` within adds nothing to the names."""
    if isinstance(found, Tensor):
        return {prefix.removesuffix("."): found.detach()}
    fields = vars(found) if isinstance(found, _Object) else found
    if not isinstance(fields, Mapping):
        return {}
    if not prefix and not any(isinstance(value, Tensor) for value in fields.values()):
        wrapped = next((fields[key] for key in _WRAPPERS if isinstance(fields.get(key), Mapping)), None)
        if wrapped is not None:
            return _flat(wrapped)
    flat: dict[str, Tensor] = {}
    for name, value in fields.items():
        flat |= _flat(value, f"{prefix}{name}.")
    return flat


class _Object:
    """Stands for any object of a TorchScript program: its fields, without its code."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, Mapping):
            self.__dict__.update({str(name): value for name, value in state.items()})


class _TensorsOnly(pickle.Unpickler):
    """Reads ``data.pkl`` of a TorchScript archive; classes of its program become :class:`_Object`."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return type(_Object.__name__, (_Object,), {})
        known: Callable[..., Any] | None = _KNOWN.get((module, name))
        if known is None and module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if known is None:
            raise pickle.UnpicklingError(f"Unsupported: {module}.{name}")
        return known

    def persistent_load(self, pid: Any) -> Tensor:
        kind, dtype, key = pid[0], pid[1], pid[2]
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError("Unsupported: an object outside the file")
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._root}/data/{key}"))
            self._storages[key] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return self._storages[key]


_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def _rebuild(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    return torch.as_strided(storage, size, stride, offset).clone()


def _list(items: Any) -> list[Any]:
    return list(items)


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "device"): lambda *_: None,
    **{
        ("torch.jit._pickle", name): _list
        for name in ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")
    },
    ("torch.jit._pickle", "restore_type_tag"): lambda value, _: value,
}


def _read_torchscript(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        root = next(name.partition("/")[0] for name in archive.namelist() if name.endswith("/constants.pkl"))
        return _TensorsOnly(archive, root).load()
