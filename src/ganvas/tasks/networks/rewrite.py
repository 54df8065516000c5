"""A network without transposed convolutions, as a file for a runtime or an accelerator that has none."""

import io
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganvas.tasks.networks.network_options import Network, find, weighted

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

    from ganvas.tasks.networks.onnx_labels import About

TOLERANCE = 1e-5  # Of the largest value of the outputs.
CHECKS = 3  # Draws of the input that the file must agree on.
TINY_NUMBER = 1e-7  # Ten times what torch's optimiser of ONNX programs takes for 0.
LARGEST_ONNX = 1_900_000_000  # Bytes of weights; at 2 GB ONNX files fall apart into several.
ENDINGS = (".onnx", ".pt2")


@dataclass(frozen=True, kw_only=True)
class Rewrite(Network):
    """Export a network without transposed convolutions: each becomes a convolution and depth-to-space, exactly.

    The file is checked before it takes its name: no transposed convolution is left in it, and its outputs are the
    network's to 1e-5.

    Examples:
      ganvas rewrite runs/first -o first.onnx
      ganvas rewrite gan/dcgan -o dcgan.pt2
      ganvas rewrite nets.py:Decoder --input 1,512 -o decoder.onnx --any-batch
    """

    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """File to write: .onnx (needs the extra `export`), or .pt2 for torch.export."""
    any_batch: bool = False
    """Let the file take any number of pictures at once, not only as many as --input says."""
    seed: int = 0
    """Of the starting weights of a network that has none, and of the inputs of the check."""
    fused: tyro.conf.Suppress[bool] = True
    real: tyro.conf.Suppress[bool] = False


@dataclass(frozen=True, kw_only=True)
class RewriteResult:
    """What was written, and how it was found to be right."""

    model: str
    weights: str
    written: Path
    bytes: int
    replaced: int
    operators: dict[str, int]  # Of the file, by how often each occurs.
    inputs: list[list[int | str]]
    largest_difference: float
    largest_output: float
    checked_with: str


def rewrite(task: Rewrite) -> RewriteResult:
    """Traces, rewrites, writes beside the target, checks what was written, and gives it its name."""
    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import atomic_file
    from ganvas.nn.transposed.rewrite_transposed import in_eval, transposed_in
    from ganvas.tasks.networks.onnx_labels import about_network

    if task.out.is_dir():
        raise UserError(
            f"-o {task.out}: a folder is there. Give the name of a file in it, such as {task.out / 'net.onnx'}."
        )
    if task.out.suffix not in ENDINGS:
        raise UserError(f"-o {task.out}: the ending chooses the format; give a name that ends in .onnx or .pt2.")
    if task.out.suffix == ".onnx":
        _need_onnx()
    loaded, given = find(task)
    model, whose = _weighted(task, loaded)
    model = in_eval(model)
    inputs = [_values(given, task.seed + check) for check in range(CHECKS)]
    with _quiet():
        before, program = _programs(model, inputs[0], any_batch=task.any_batch)
        left = transposed_in(program)
        assert not left, f"transposed convolutions are left in the graph: {left}"
        with atomic_file(task.out) as partial:
            if task.out.suffix == ".onnx":
                about = about_network(loaded.name, whose, model)
                run, operators, tool = _write_onnx(program, partial, about, any_batch=task.any_batch)
            else:
                run, operators, tool = _write_program(program, partial)
            difference, largest = _compare(model, run, inputs, task)
            size = partial.stat().st_size
    return RewriteResult(
        model=loaded.name,
        weights=whose,
        written=task.out,
        bytes=size,
        replaced=len(transposed_in(before)),
        operators=dict(operators.most_common()),
        inputs=[["batch", *part.shape[1:]] if task.any_batch else list(part.shape) for part in inputs[0]],
        largest_difference=difference,
        largest_output=largest,
        checked_with=tool,
    )


def _weighted(task: Rewrite, loaded: Any) -> "tuple[nn.Module, str]":
    """The network with weights; of a run the one that draws at the resolution that training has reached."""
    from ganvas.core.run_folder import is_run_or_model

    folder = Path(task.model).expanduser()
    if task.part is None and is_run_or_model(folder):
        from ganvas.losses.capabilities import HasLatents
        from ganvas.train import trained
        from ganvas.train.sampling.decode_module import DecodeModule

        kept = trained.load(folder)
        if isinstance(kept.model, HasLatents):
            return DecodeModule(kept), f"trained for {kept.kimg:g} kimg"
    return weighted(task, loaded, seed=task.seed)


def _values(given: tuple[Any, ...], seed: int) -> "tuple[Tensor, ...]":
    """Inputs of the said shapes: normal numbers, or zeros where whole numbers are asked for (such as classes)."""
    import torch

    from ganvas.core.seeds import stream

    def one(part: Any, index: int) -> "Tensor":
        shape, dtype = (part.shape, part.dtype) if isinstance(part, torch.Tensor) else (part, torch.float32)
        if not dtype.is_floating_point:
            return torch.zeros(shape, dtype=dtype)
        return torch.randn(shape, generator=stream(seed, "input", index)).to(dtype)

    return tuple(one(part, index) for index, part in enumerate(given))


def _programs(
    model: "nn.Module", inputs: "tuple[Tensor, ...]", *, any_batch: bool
) -> "tuple[ExportedProgram, ExportedProgram]":
    """The traced network, and the same without transposed convolutions."""
    import torch

    from ganvas.nn.transposed.rewrite_transposed import rewrite_program, trace

    shapes = None
    if any_batch:  # An example of two: of one, torch.export concludes that it is always one.
        shapes = tuple({0: torch.export.Dim("batch")} for _ in inputs)
        inputs = tuple(torch.cat([part[:1], part[:1]]) for part in inputs)
    before = trace(model, inputs, dynamic_shapes=shapes)
    return before, rewrite_program(before, inputs, dynamic_shapes=shapes)


Runner = Callable[["tuple[Tensor, ...]"], list[Any]]


def _write_program(program: "ExportedProgram", path: Path) -> tuple[Runner, Counter[str], str]:
    import torch

    from ganvas.core.errors import UserError

    held = io.BytesIO()  # torch's own writer of files ends the process where a disk is full.
    torch.export.save(program, held)
    path.write_bytes(held.getbuffer())
    held.close()
    try:
        back = torch.export.load(path)
    except RuntimeError as error:
        raise UserError(
            f"torch.export cannot read this network's file again{_beside_tensors(program)}. Return tensors alone from "
            "its forward. Nothing was written."
        ) from error
    module = back.module()
    operators = Counter(str(node.target) for node in back.graph.nodes if node.op == "call_function")

    def run(inputs: "tuple[Tensor, ...]") -> list[Any]:
        with torch.no_grad():
            return _flat(module(*inputs))

    return run, operators, f"torch {torch.__version__}"


def _beside_tensors(program: "ExportedProgram") -> str:
    """What a forward returns that is text, in words; "" if nothing is."""
    values = [getattr(spec.arg, "value", None) for spec in program.graph_signature.output_specs]
    texts = [repr(value) for value in values if isinstance(value, str)]
    return f": its output holds {', '.join(texts)} beside tensors" if texts else ""


def _holds_tiny_numbers(program: "ExportedProgram") -> bool:
    """Whether an operation is given a number that is nearly 0, as an epsilon under a root is."""
    from torch.utils._pytree import tree_leaves

    given = (leaf for node in program.graph.nodes for leaf in tree_leaves((node.args, node.kwargs)))
    return any(isinstance(leaf, float) and 0 < abs(leaf) <= TINY_NUMBER for leaf in given)


def _write_onnx(
    program: "ExportedProgram", path: Path, about: "About", *, any_batch: bool
) -> tuple[Runner, Counter[str], str]:
    import onnx
    import onnxruntime
    import torch
    from onnx_ir.passes.common import RemoveUnusedNodesPass
    from onnxscript.optimizer import fold_constants

    from ganvas.core.errors import UserError
    from ganvas.tasks.networks.onnx_labels import label

    size = sum(tensor.numel() * tensor.element_size() for tensor in program.state_dict.values())
    if size > LARGEST_ONNX:
        raise UserError(f"{size / 1e9:.1f} GB of weights do not fit into one ONNX file; write a .pt2 file instead.")
    try:
        reads, gives = about.names(program)
        tiny = _holds_tiny_numbers(program)
        exported = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=reads, output_names=gives, optimize=not tiny
        )
    except torch.onnx.errors.OnnxExporterError as error:
        if texts := _beside_tensors(program):
            raise UserError(
                f"torch.onnx cannot write this network{texts}. Return tensors alone from its forward."
            ) from error
        reason = str(getattr(error, "__cause__", None) or error).strip().splitlines()[0]
        raise UserError(f"torch.onnx cannot write this network: {reason} A .pt2 file can hold it.") from error
    assert exported is not None
    if tiny:  # No more than this: torch's own optimiser takes 1e-8 for 0, and would drop an epsilon.
        fold_constants(exported.model)
        RemoveUnusedNodesPass()(exported.model)
    exported.save(path)
    labelled = label(onnx.load(path), about, any_batch=any_batch)
    onnx.save(labelled, path)
    operators = Counter(node.op_type for node in _nodes(labelled))
    assert "ConvTranspose" not in operators
    with _onnxruntime_refusing(path):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [part.name for part in session.get_inputs()]

    def run(inputs: "tuple[Tensor, ...]") -> list[Any]:
        feed = {name: part.numpy() for name, part in zip(names, inputs, strict=True)}
        with _onnxruntime_refusing(path):
            return [torch.from_numpy(part) for part in session.run(None, feed)]

    return run, operators, f"onnxruntime {onnxruntime.__version__}"


@contextmanager
def _onnxruntime_refusing(path: Path) -> Iterator[None]:
    """Makes a refusal of onnxruntime's errors, which have no base of their own and name the unfinished file."""
    from ganvas.core.errors import UserError

    try:
        yield
    except Exception as error:
        kind, reason = type(error).__name__, " ".join(str(error).split()).rpartition(" : ")[2]
        reason = reason.removeprefix(f"Load model from {path} failed:")
        precision = (
            " It computes in float32 and float16 nearly everywhere, in float64 only here and there."
            if kind == "NotImplemented"
            else ""
        )
        raise UserError(
            f"onnxruntime cannot run this network, so the file cannot be checked: {reason.rstrip('.')}.{precision} "
            "A .pt2 file can hold it."
        ) from error


def _nodes(model: Any) -> Iterator[Any]:
    """Every node of an ONNX file, those inside of functions and branches too."""
    for graph in (model.graph, *model.functions):
        waiting = list(graph.node)
        while waiting:
            node = waiting.pop()
            yield node
            for attribute in node.attribute:
                for inner in (attribute.g, *attribute.graphs):
                    waiting.extend(inner.node)


def _compare(model: "nn.Module", run: Runner, inputs: "list[tuple[Tensor, ...]]", task: Rewrite) -> tuple[float, float]:
    """The largest difference between the file's outputs and the network's, and the largest output."""
    import torch

    from ganvas.core.errors import UserError

    difference = largest = 0.0
    for given in inputs:
        with torch.no_grad():
            expected = _repeatably(lambda given=given: _flat(model(*given)))
            found = _repeatably(lambda given=given: run(given))
        if any(part.is_complex() for part in expected) and task.out.suffix == ".onnx":
            raise UserError(f"{task.model} gives complex numbers, which ONNX has not. A .pt2 file can hold it.")
        for a, b in zip(expected, found, strict=True):
            if a.isnan().any():
                raise UserError(
                    f"The outputs of {task.model} itself are nan for normal inputs, so the file cannot be checked. "
                    "`ganvas signal` says where it begins. Nothing was written."
                )
            off, size = _apart(a, b)
            difference, largest = max(difference, off), max(largest, size)
    if not difference <= TOLERANCE * largest:
        _refuse_chance(model, inputs[0], task)
        raise UserError(
            f"The rewritten {task.model} differs from it by {difference:.3g} where its outputs reach {largest:.3g}; "
            f"{TOLERANCE:g} of that is allowed. Nothing was written."
        )
    return difference, largest


def _repeatably(call: Callable[[], list[Any]]) -> list[Any]:
    """What a call gives with torch's generator at one place, so that what it draws is the same each time."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return call()


def _refuse_chance(model: "nn.Module", given: "tuple[Tensor, ...]", task: Rewrite) -> None:
    """Raises a UserError if two passes of the network itself over one input differ."""
    import torch

    from ganvas.core.errors import UserError

    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pairs = list(zip(_flat(model(*given)), _flat(model(*given)), strict=True))
    apart = max((_apart(a, b)[0] for a, b in pairs), default=0.0)
    if apart > 0:
        raise UserError(
            f"{task.model} draws random numbers: two passes over one input differ by {apart:.3g}, so a "
            f"{task.out.suffix} file of it cannot be checked. Let its forward take what it draws as an input, or "
            "return the mean of it; a .pt2 file draws as torch does and can be checked. Nothing was written."
        )


def _apart(a: "Tensor", b: "Tensor") -> tuple[float, float]:
    """The largest difference of two outputs, and the largest value; infinities that are the same do not differ."""
    import torch

    if a.shape != b.shape:
        return math.inf, 0.0
    wide = torch.complex128 if a.is_complex() else torch.float64
    a, b = a.to(wide), b.to(wide)
    off = torch.where(a == b, 0, a - b).abs().nan_to_num(nan=math.inf, posinf=math.inf)
    size = torch.where(a.isfinite(), a, 0).abs()
    return (off.max().item(), size.max().item()) if a.numel() else (0.0, 0.0)


def _flat(outputs: Any) -> list[Any]:
    from torch.utils._pytree import tree_leaves

    return [part for part in tree_leaves(outputs) if hasattr(part, "dtype")]


def _need_onnx() -> None:
    from importlib.util import find_spec

    from ganvas.core.errors import UserError

    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if missing:
        raise UserError(
            f"Writing .onnx needs {', '.join(missing)}: pip install 'ganvas[export]'. A .pt2 file needs nothing more."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what exporters say to their own developers."""
    import logging

    logs = [logging.getLogger(name) for name in ("torch.onnx", "torch.export")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)
