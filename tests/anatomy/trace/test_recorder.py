"""What a recorder sees besides torch functions, and what it takes for a layer."""

import warnings

import pytest
import torch
from torch import nn

from ganvas.anatomy.diagram.blocks import blocks
from ganvas.anatomy.fields.receptive_field import field
from ganvas.anatomy.trace.macs import uncounted
from ganvas.anatomy.trace.recorder import Recorder
from ganvas.anatomy.trace.trace import trace


class Net(nn.Module):
    """A network of one function of itself and the inputs, with parts."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def swish(x: torch.Tensor) -> torch.Tensor:
    """An activation, to be scripted."""
    return x * x.sigmoid()


def scripted(what):
    """By TorchScript, whose deprecation is not what is tested."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return torch.jit.script(what)


@pytest.mark.parametrize("real", [False, True])
def test_a_scripted_part_of_a_network_is_counted(real):
    part = scripted(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    graph = trace(Net(lambda s, x: s.b(s.a(x)), a=part, b=nn.Conv2d(4, 2, 1)), (1, 3, 8, 8), real=real)
    assert [(node.op, node.module) for node in graph.nodes[1:]] == [("conv2d", "a.0"), ("relu", ""), ("conv2d", "b")]
    assert graph.macs == 6 * 6 * (3 * 9 * 4) + 6 * 6 * 4 * 2
    assert not graph.unused
    assert field(graph).size == (3, 3)


@pytest.mark.parametrize("real", [False, True])
def test_what_a_scripted_function_computes_is_seen(real):
    activation = scripted(swish)
    net = Net(lambda s, x: s.b(activation(s.a(x))), a=nn.Conv2d(3, 4, 3), b=nn.Conv2d(4, 5, 3))
    graph = trace(net, (1, 3, 8, 8), real=real)
    assert [node.op for node in graph.nodes[1:]] == ["conv2d", "sigmoid", "mul", "conv2d"]
    assert graph.macs == 6 * 6 * (3 * 9 * 4) + 4 * 4 * (4 * 9 * 5)
    assert not graph.unused


def test_a_layer_on_noise_is_counted_and_the_noise_is_no_weight():
    def forward(net, x):
        return net.c(x) + net.n(torch.randn(x.shape[0], 1, *x.shape[2:]))

    net = Net(forward, c=nn.Conv2d(3, 4, 3, padding=1), n=nn.Conv2d(1, 4, 1, bias=False))
    graph = trace(net, (1, 3, 8, 8))
    assert graph.macs == 8 * 8 * 3 * 9 * 4 + 8 * 8 * 4
    assert graph.macs_backward == graph.macs  # Neither convolution's input needs a gradient.
    assert [node.op for node in graph.nodes] == ["input", "conv2d", "constant", "conv2d", "add"]


def test_a_layer_on_coordinates_in_a_buffer_is_counted():
    class Bias(nn.Module):
        def __init__(self):
            super().__init__()
            self.mlp = nn.Linear(2, 16)
            self.register_buffer("places", torch.rand(49, 2))

        def forward(self, x):
            return x + self.mlp(self.places).sum()

    assert trace(Bias(), (1, 4)).macs == 49 * 2 * 16


def test_words_that_forward_makes_itself_are_a_learnt_constant_as_before():
    net = Net(lambda s, x: x + s.e(torch.arange(4)), e=nn.Embedding(4, 8))
    assert [node.op for node in trace(net, (1, 4, 8)).nodes] == ["input", "add"]


def test_noise_of_the_inputs_precision_does_not_become_the_input():
    net = Net(lambda s, x: s.l(torch.ones(2, 3).type_as(x)), l=nn.Linear(3, 4))
    graph = trace(net, (2, 3))
    assert [(node.op, node.inputs) for node in graph.nodes] == [("input", ()), ("constant", ()), ("linear", (1,))]


@pytest.mark.parametrize(
    "passed",
    [
        lambda y, x: y.type_as(x),
        lambda y, x: y.to(x),
        lambda y, x: torch.as_tensor(y),
        lambda y, x: y.to(x.device).contiguous(),
    ],
)
def test_what_changes_nothing_is_no_operation(passed):
    net = Net(lambda s, x: s.b(passed(s.a(x), x)), a=nn.Conv2d(3, 4, 3), b=nn.Conv2d(4, 4, 3))
    graph = trace(net, (1, 3, 8, 8))
    assert [node.op for node in graph.nodes] == ["input", "conv2d", "conv2d"]
    assert (field(graph).read, field(graph).guessed) == (25, ())


CELLS = [(nn.LSTMCell, nn.LSTM, 4), (nn.GRUCell, nn.GRU, 3), (nn.RNNCell, nn.RNN, 1)]


@pytest.mark.parametrize(("cell", "layer", "gates"), CELLS)
def test_a_cell_in_a_loop_costs_what_its_layer_costs(cell, layer, gates):
    steps, n, inputs, width = 5, 2, 6, 8

    def forward(net, x):
        state = None
        for step in x:
            state = net.c(step, state)
        return state[0] if isinstance(state, tuple) else state

    graph = trace(Net(forward, c=cell(inputs, width)), (steps, n, inputs))
    whole = trace(layer(inputs, width), (steps, n, inputs))
    assert graph.macs == steps * n * gates * width * (inputs + width)
    assert (graph.macs, graph.macs_backward) == (whole.macs, whole.macs_backward)
    assert len([block for block in blocks(graph) if block.kind == "linear"]) == steps
    assert field(graph).guessed == ()


def test_distances_and_fourier_transforms_are_named_as_not_counted():
    class Codes(nn.Module):
        def __init__(self):
            super().__init__()
            self.codes = nn.Parameter(torch.randn(7, 4))

        def forward(self, x):
            return torch.cdist(x, self.codes).argmin(-1), torch.fft.fft(x), x * self.codes[0]

    assert uncounted(trace(Codes(), (5, 4)).nodes) == {"cdist": 1, "fft_fft": 1}


def test_a_recorder_tells_who_asks_of_every_node_and_every_layer():
    nodes, layers = [], []
    recorder = Recorder(
        nn.Identity(),
        input_gradients=False,
        on_node=lambda node, tensor: nodes.append((node.op, tuple(tensor.shape))),
        on_layer=lambda index, call: layers.append((index, call.op)),
    )
    x = recorder.input(torch.ones(2, 3))
    with recorder:
        x.relu().sum(1)
    assert nodes == [("input", (2, 3)), ("relu", (2, 3)), ("sum", (2,))]
    assert layers == [(1, "relu"), (2, "sum")]
