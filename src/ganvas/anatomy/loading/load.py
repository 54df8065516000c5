"""Finding the network that a person names: of the catalogue, a specimen, their own code, a run, or an exported file.

``gan/progan``, ``gan/progan:generator``   a model of the catalogue, or one of its networks
``resnet50``                               a classic network of ``ganvas.networks``
``package.module:factory``, ``nets.py:Net``   what the function or class returns, called without arguments
``runs/x``, ``runs/x:discriminator``       the network of a run, with the run's settings; its weights are not read
``net.pt2``, ``net.pt``                    a program saved by ``torch.export``, or a TorchScript file

Networks are built on the meta device where their code allows it, so size does not matter.
"""

import ast
import importlib
import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict

import torch
from torch import nn

from ganvas.anatomy.loading import default_inputs
from ganvas.anatomy.trace.trace import refuse_hidden_methods
from ganvas.core import catalogue
from ganvas.core.config import from_plain, override
from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.files.typed_json import parse, require
from ganvas.nn.layers.initialise import start_unset
from ganvas.nn.programs.program_files import load_exported, load_torchscript

SPECIMENS = catalogue.PACKAGE / "networks"
FRESH = "a fresh start"


class RunSettings(TypedDict):
    """What a run's JSON says of its network."""

    model: str
    config: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A network and what is known of it.

    Attributes:
        name: For titles.
        inputs: Shapes of its inputs with a batch of one, where they are known.
        choice: What was chosen among several, in words; "" when there was nothing to choose.
        build: Makes it anew with memory, its weights as its code gives them; None where there is one with weights.
        whose: Whose weights those are, in words: "a fresh start" where the code is Ganvas's own and draws them; of
            anybody else's code it cannot be known whether it draws or loads them, so its name stands there.
    """

    model: nn.Module
    name: str
    inputs: tuple[Any, ...] | None
    choice: str = ""
    build: Callable[[], nn.Module] | None = None
    whose: str = "of the file"

    @property
    def fresh(self) -> bool:
        """Whether the weights are drawn by Ganvas's own code, and so a start."""
        return self.whose == FRESH


def load(
    spec: str,
    *,
    part: str | None = None,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    fused: bool = False,
    values: bool = False,
) -> Loaded:
    """The network that ``spec`` names.

    Args:
        part: A network inside of it by its attribute, such as "discriminator"; the same as ``spec:part``.
        preset: Named settings of a model of the catalogue.
        changes: Of single settings, as text or values.
        fused: Leave up- and down-sampling fused with their convolutions, as they run in training. Without it they are
            two layers, as the papers write them; values and parameters are the same.
        values: Build with memory and starting values, always the same, in place of bare shapes.

    Raises:
        UserError: There is no such network, file, factory, part, preset or setting.
    """
    name, colon, rest = spec.rpartition(":") if ":" in spec else (spec, "", "")
    if _is_path(spec) or (colon and _is_path(name)):
        path, attribute = (Path(name), rest) if colon and not Path(spec).exists() else (Path(spec), "")
        loaded = _from_path(path, attribute, part, preset, changes, values)
    elif "/" in spec:
        loaded = _of_catalogue(name or spec, part or rest or None, preset, changes, values)
    else:
        _no_settings(spec, preset, changes)
        loaded = _from_code(name, rest, part, values) if colon else _specimen(spec, part, values)
    refuse_hidden_methods(loaded.model, loaded.name)
    if not fused:
        for module in loaded.model.modules():
            if isinstance(getattr(module, "fused", None), bool):
                module.fused = False  # type: ignore[assignment]
    return loaded


def _is_path(text: str) -> bool:
    """A file or folder that is there, or a name that can be nothing else."""
    path = Path(text)
    return path.suffix in (".py", ".pt", ".pt2", ".pth", ".onnx", ".safetensors") or path.is_dir()


def _from_path(
    path: Path, attribute: str, part: str | None, preset: str | None, changes: Mapping[str, Any] | None, values: bool
) -> Loaded:
    if not path.exists():
        raise UserError(f"There is no file or folder {path}.")
    if path.is_dir():
        if preset:
            raise UserError(f"{path} is a run, which has its settings; --preset is for models of the catalogue.")
        return _of_run(path, part or attribute or None, changes, values)
    _no_settings(str(path), preset, changes)
    if path.suffix == ".py":
        if not attribute:
            raise UserError(f"{path} holds code. Name the function or class that makes the network: {path}:NAME.")
        return _made(_import_file(path), attribute, f"{path.name}:{attribute}", part, values)
    return _of_file(path, part or attribute or None)


def _no_settings(spec: str, preset: str | None, changes: Mapping[str, Any] | None) -> None:
    if preset or changes:
        given = "--preset" if preset else "--set"
        raise UserError(f"{given} is for models of the catalogue; {spec} has no settings that Ganvas knows.")


def _of_catalogue(
    name: str, part: str | None, preset: str | None, changes: Mapping[str, Any] | None, values: bool
) -> Loaded:
    module = catalogue.load("models", name)
    config = _preset(name, preset) if preset else module.Config()
    return _of_config(module, override(config, changes or {}), name, part, values)


def _preset(name: str, preset: str) -> Any:
    known = catalogue.functions("recipes", name)
    if preset not in known:
        listed = f" Presets: {', '.join(known)}." if known else f" {name} has no presets."
        raise UserError(f"There is no preset '{preset}'.{did_you_mean(preset, known)}{listed}")
    return getattr(catalogue.load("recipes", name), preset.replace("-", "_"))().config


def _of_config(module: ModuleType, config: Any, name: str, part: str | None, values: bool) -> Loaded:
    """The model of a configuration; by itself it only holds networks, so the one that draws stands for it."""
    model = _build(module.Model, (config,), name, values)
    parts = [child for child, _ in model.named_children()]
    chosen = part or default_inputs.drawing(parts)
    if chosen is None:
        raise UserError(f"{name} has several networks: {', '.join(parts)}. Name one: {name}:{parts[0]}.")
    network = part_of(model, chosen, name)
    others = [other for other in parts if other != chosen]
    choice = f"{name} also has {', '.join(others)}: name {name}:{others[0]}." if others and not part else ""
    inputs = default_inputs.of_catalogue(config, chosen)
    return Loaded(
        model=network,
        name=f"{name}:{chosen}",
        inputs=inputs,
        choice=choice,
        build=lambda: part_of(module.Model(config), chosen, name),
        whose=FRESH,
    )


def _of_run(folder: Path, part: str | None, changes: Mapping[str, Any] | None, values: bool) -> Loaded:
    file = next((f for f in (folder / "run.json", folder / "model.json") if f.exists()), None)
    if file is None:
        raise UserError(f"{folder} is not a run: it holds no run.json. `ganvas train --out {folder}` makes one.")
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}. Choose a run that can be read.") from None
    saved = require(RunSettings, parse(text, str(file)), str(file))
    name = saved["model"]
    module = catalogue.load("models", name)
    config = override(from_plain(module.Config, saved["config"]), changes or {})
    loaded = _of_config(module, config, name, part, values)
    return replace(loaded, name=f"{folder.name} ({loaded.name})")


def _specimen(name: str, part: str | None, values: bool) -> Loaded:
    """A classic network by its factory's name; files are read, and only the right one is imported."""
    makers = specimens()
    if name not in makers:
        models = [entry.name for entry in catalogue.entries("models")]
        near = [full for full in models if full.rpartition("/")[2] == name]
        hint = f" Did you mean '{near[0]}'?" if near else did_you_mean(name, [*makers, *models])
        raise UserError(
            f"There is no network '{name}'.{hint} Give a model (`ganvas models`), a classic network "
            f"({', '.join(list(makers)[:4])}, ...), package.module:factory, a run, or an exported .pt2 file."
        )
    module = importlib.import_module(f"ganvas.networks.{makers[name]}")
    return replace(_made(module, name, name, part, values), whose=FRESH)


def specimens() -> dict[str, str]:
    """The classic networks: the name of each and the module below ``ganvas.networks`` that makes it."""
    found = {}
    for file in sorted(SPECIMENS.rglob("[!_]*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not node.args.args:
                found[node.name] = ".".join(file.relative_to(SPECIMENS).with_suffix("").parts)
    return found


def _from_code(name: str, factory: str, part: str | None, values: bool) -> Loaded:
    try:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(name)
    except (ImportError, ValueError) as error:
        raise UserError(
            f"There is no module '{name}' to import. It must be installed, or lie in the folder that Python looks in "
            "(set PYTHONPATH=.); a file is given as path/to/file.py:NAME."
        ) from error
    try:
        with torch.random.fork_rng(devices=[]):
            module = importlib.import_module(name)
    except Exception as error:
        raise UserError(f"Importing {name} failed: {type(error).__name__}: {error}") from error
    return _made(module, factory, f"{name}:{factory}", part, values)


def _import_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))  # What lies beside it is found, as when it is run.
    try:
        with torch.random.fork_rng(devices=[]):
            spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _made(module: ModuleType, attribute: str, spec: str, part: str | None, values: bool) -> Loaded:
    """The network that a function or class of a module makes, or that stands there."""
    maker = getattr(module, attribute, None)
    if maker is None:
        known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise UserError(f"{module.__name__} has no '{attribute}'.{did_you_mean(attribute, known)}")
    model = maker if isinstance(maker, nn.Module) else _build(maker, (), spec, values)
    inputs = default_inputs.of_module(module, attribute) if part is None else None
    network = model if part is None else part_of(model, part, spec)
    build = None if isinstance(maker, nn.Module) else lambda: maker() if part is None else part_of(maker(), part, spec)
    whose = f"as {spec} {'holds' if build is None else 'gives'} them"
    return Loaded(
        model=network, name=spec if part is None else f"{spec}:{part}", inputs=inputs, build=build, whose=whose
    )


def _build(maker: Any, arguments: tuple[Any, ...], spec: str, values: bool) -> nn.Module:
    """Calls what makes a network."""
    if not callable(maker):
        raise UserError(f"{spec} is a {type(maker).__name__}, not a network or a function that makes one.")
    try:
        model = _with_values(maker, arguments) if values else _bare(maker, arguments)
    except UserError:
        raise
    except Exception as error:
        advice = (
            "" if _fits(maker, arguments) else " It is called without arguments; write a function that fills them in."
        )
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"{spec} cannot be made: {type(error).__name__}: {reason}.{advice}") from error
    if not isinstance(model, nn.Module):
        raise UserError(f"{spec} makes a {type(model).__name__}, not a torch.nn.Module.")
    return model


def _fits(maker: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Whether it can be called with so many arguments; True where Python cannot tell."""
    try:
        inspect.signature(maker).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # Written in C, without a signature.
        return True
    return True


def _bare(maker: Any, arguments: tuple[Any, ...]) -> Any:
    """Without memory, unless the code of the network needs values to be built."""
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"), warnings.catch_warnings():
            # Of load_state_dict: true of these shapes alone. Where weights matter, the network is made anew with them.
            warnings.filterwarnings(
                "ignore", message=r".*: copying from a non-meta parameter in the checkpoint to a meta"
            )
            return maker(*arguments)
    except UserError:
        raise
    except (NotImplementedError, RuntimeError):
        return _with_values(maker, arguments)


def _with_values(maker: Any, arguments: tuple[Any, ...]) -> Any:
    """With starting values from a fixed seed; nobody else's random numbers are touched."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        model = maker(*arguments)
    if isinstance(model, nn.Module):
        start_unset(model, torch.Generator().manual_seed(0))
    return model


def part_of(model: nn.Module, part: str, spec: str) -> nn.Module:
    """A network inside of a model, by its qualified name."""
    try:
        return model.get_submodule(part)
    except AttributeError as error:
        known = [name for name, _ in model.named_modules() if name]
        listed = ", ".join(name for name, _ in model.named_children())
        raise UserError(f"{spec} has no part '{part}'.{did_you_mean(part, known)} Parts: {listed}.") from error


def _of_file(path: Path, part: str | None) -> Loaded:
    if part is not None:
        raise UserError(f"{path} is an exported program, which has no parts to choose; leave out '{part}'.")
    if path.suffix not in (".pt2", ".pt", ".pth"):
        raise UserError(f"{path}: of files, .pt2 (torch.export) and .pt (TorchScript) can be read, not {path.suffix}.")
    if path.suffix == ".pt2":
        exported = load_exported(path)
        return Loaded(model=exported.module, name=path.stem, inputs=exported.example)
    return Loaded(model=load_torchscript(path), name=path.stem, inputs=None)
