"""Running exported programs under a recorder, which must be told the names that their modules had."""

from collections.abc import Callable
from typing import Any

from torch import fx, nn

from ganvas.anatomy.trace.recorder import Recorder


def runner(model: nn.Module, recorder: Recorder) -> Callable[..., Any]:
    """How to call the network so that the recorder sees all of it."""
    if isinstance(model, fx.GraphModule) and any("nn_module_stack" in node.meta for node in model.graph.nodes):
        return _Named(model, recorder).run
    return model


class _Named(fx.Interpreter):
    """Runs a program of ``torch.export`` node by node, each under the name of the module that it came from."""

    def __init__(self, model: fx.GraphModule, recorder: Recorder) -> None:
        super().__init__(model)
        self.recorder = recorder

    def run_node(self, n: fx.Node) -> Any:
        if n.op == "call_module" and "guard" in str(n.target):  # Of the example's sizes; other sizes may do.
            return None
        origin = list(n.meta.get("nn_module_stack", {}).values())
        if not origin:
            return super().run_node(n)
        path, kind = origin[-1]
        with self.recorder.named(_plain_path(path), str(kind).rpartition(".")[2].rstrip("'>")):
            return super().run_node(n)


def _plain_path(path: str) -> str:
    """``L['self'].blocks.0`` as ``blocks.0``; a second call is marked with @1."""
    return path.replace("L['self']", "").lstrip(".").partition("@")[0]
