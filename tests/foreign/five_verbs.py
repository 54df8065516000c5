"""What the five verbs that lay a network open make of one network of ``architectures``."""

import importlib.util
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from architectures import NETWORKS
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ganvas.core.errors import UserError
from ganvas.tasks.networks.diagram import Diagram, diagram
from ganvas.tasks.networks.network_options import parse_input
from ganvas.tasks.networks.receptive_field import ReceptiveField, receptive_field
from ganvas.tasks.networks.rewrite import Rewrite, rewrite
from ganvas.tasks.networks.signal import SignalTask, signal
from ganvas.tasks.networks.table import Table, table

ARCHITECTURES = Path(__file__).with_name("architectures.py")
VERBS = ("table", "diagram", "receptive-field", "signal", "rewrite")


def outcomes(name: str, folder: Path) -> dict[str, str]:
    """Of each verb "done", "done with --real" where it advised that, "refused: why" or "crash: where".

    Besides, how the table's figures compare: parameters with the sum of ``numel``, multiply-accumulates with half of
    what torch's FlopCounterMode counts. "equal", or both numbers.
    """
    given = {"model": f"{ARCHITECTURES}:{name}", "input": NETWORKS[name].inputs}
    tables: list[Any] = []
    verbs: dict[str, Callable[[bool], Any]] = {
        "table": lambda real: tables.append(table(Table(**given, real=real))),
        "diagram": lambda real: diagram(Diagram(**given, out=folder / "diagram.svg", real=real)),
        "receptive-field": lambda real: receptive_field(ReceptiveField(**given, samples=1, real=real)),
        "signal": lambda real: signal(SignalTask(**given, seeds=1, batch=2, quiet=True, real=real)),
        "rewrite": lambda real: rewrite(Rewrite(**given, out=folder / "network.pt2")),
    }
    found = {verb: _outcome(call) for verb, call in verbs.items()}
    if tables:
        found |= _figures(name, tables[0])
    return found


def _outcome(call: Callable[[bool], Any], *, real: bool = False) -> str:
    try:
        call(real)
    except UserError as error:
        if "Give --real" in str(error) and not real:
            return _outcome(call, real=True)
        return f"refused: {error}".replace(f"{ARCHITECTURES.parent}/", "")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"crash: {type(error).__name__}: {error} [{Path(place.filename).name}:{place.lineno}]"
    return "done with --real" if real else "done"


def _figures(name: str, found: Any) -> dict[str, str]:
    torch.manual_seed(0)
    model = NETWORKS[name].make().eval()
    parameters = sum(weight.numel() for weight in model.parameters())
    compared = {"parameters": _compared(found.parameters, parameters)}
    inputs = [_values(parse_input(text)) for text in NETWORKS[name].inputs]
    try:
        with torch.no_grad(), _plain_kernels(), FlopCounterMode(display=False) as counter:
            model(*inputs)
    except Exception:  # Theirs fails with these shapes alone; Ganvas's own refusal says so.
        return compared
    return compared | {"macs": _compared(found.macs, counter.get_total_flops() // 2)}


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Products that torch's counter sees: its fused attention and oneDNN's LSTM have no rule there and count as 0."""
    with sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False):
        yield


def _compared(ours: int, theirs: int) -> str:
    return "equal" if ours == theirs else f"{ours}, not {theirs}"


def _values(given: Any) -> torch.Tensor:
    if isinstance(given, torch.Tensor):
        return torch.zeros(given.shape, dtype=given.dtype)
    return torch.randn(given, generator=torch.Generator().manual_seed(0))


def rank(outcome: str) -> int:
    """0 for what was done, 1 for a refusal, 2 for a crash."""
    return ("done", "refused", "crash").index(outcome.split()[0].rstrip(":"))


def counts(found: dict[str, dict[str, str]]) -> dict[str, int]:
    """How many networks there are, and how many refusals, crashes and figures that differ from theirs."""
    verbs = [rank(network[verb]) for network in found.values() for verb in VERBS]
    figures = [network[figure] for network in found.values() for figure in ("parameters", "macs") if figure in network]
    return {
        "networks": len(found),
        "refused": verbs.count(1),
        "crashed": verbs.count(2),
        "figures": len(figures),
        "figures_that_differ": sum(figure != "equal" for figure in figures),
    }


def missing(name: str) -> bool:
    """Whether the package of a network is not installed."""
    return importlib.util.find_spec(NETWORKS[name].module.partition(".")[0]) is None
