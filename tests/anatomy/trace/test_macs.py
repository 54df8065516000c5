"""Multiply-accumulates against what a layer of ones adds up to, and against torch's own counter where that is right.

With all inputs and weights 1 and no bias, every multiplication adds 1 to the output: the sum of the outputs is the
number of multiply-accumulates, whatever formula one believes in. Padding counts, so zeros are padded as ones.
"""

import random
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ganvas.anatomy.trace.trace import trace


def drawn_layer(seed):
    """A convolution, transposed convolution or linear layer with random settings, and an input of it."""
    rng = random.Random(seed)
    axes, groups = rng.choice([1, 2, 3]), rng.choice([1, 1, 2, 4])
    inputs, outputs = groups * rng.randint(1, 3), groups * rng.randint(1, 3)
    sizes = [rng.randint(6, 9) for _ in range(axes)]
    if seed % 5 == 4:
        return nn.Linear(inputs, outputs), torch.ones(rng.randint(1, 3), *sizes[:-1], inputs)
    stride = [rng.randint(1, 3) for _ in range(axes)]
    options = {
        "kernel_size": [rng.randint(1, 3) for _ in range(axes)],
        "stride": stride,
        "padding": [rng.randint(0, 2) for _ in range(axes)],
        "dilation": [rng.randint(1, 2) for _ in range(axes)],
        "groups": groups,
    }
    if seed % 2:
        options["output_padding"] = [rng.randint(0, s - 1) for s in stride]
        options["output_padding"] = [min(o, s - 1) for o, s in zip(options["output_padding"], stride, strict=True)]
    kind = getattr(nn, f"ConvTranspose{axes}d" if seed % 2 else f"Conv{axes}d")
    return kind(inputs, outputs, **{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}), torch.ones(
        rng.randint(1, 3), inputs, *sizes
    )


@torch.no_grad()
def products(layer, ones):
    """How many products of an input and a weight the layer forms: its sum over ones."""
    weight = torch.ones_like(layer.weight)
    if isinstance(layer, nn.Linear):
        return int(F.linear(ones, weight).sum())
    settings = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    axes = weight.dim() - 2
    if layer.transposed:  # What padding crops away is computed or not as the library likes: all is counted.
        return int(getattr(F, f"conv_transpose{axes}d")(ones, weight, **settings).sum())
    pads = [p for size in reversed(layer.padding) for p in (size, size)]
    return int(getattr(F, f"conv{axes}d")(F.pad(ones, pads, value=1.0), weight, **settings).sum())


@pytest.mark.parametrize("seed", range(50))
def test_a_layer_costs_as_many_products_as_it_forms(seed):
    layer, ones = drawn_layer(seed)
    assert trace(layer, tuple(ones.shape)).macs == products(layer, ones)


@pytest.mark.parametrize("seed", range(50))
def test_backward_costs_one_forward_for_each_gradient_whatever_the_groups(seed):
    layer, ones = drawn_layer(seed)
    forward = products(layer, ones)
    assert trace(layer, tuple(ones.shape)).macs_backward == forward
    assert trace(layer, tuple(ones.shape), input_gradients=True).macs_backward == 2 * forward
    layer.weight.requires_grad_(False)
    assert trace(layer, tuple(ones.shape), input_gradients=True).macs_backward == forward


@pytest.mark.parametrize("seed", [s for s in range(50) if getattr(drawn_layer(s)[0], "groups", 1) == 1])
def test_without_groups_torchs_counter_agrees_forward_and_backward(seed):
    layer, ones = drawn_layer(seed)
    with FlopCounterMode(display=False) as counter:
        layer(ones.requires_grad_()).sum().backward()
    graph = trace(layer, tuple(ones.shape), input_gradients=True)
    assert counter.get_total_flops() == 2 * (graph.macs + graph.macs_backward)


def test_a_transposed_convolution_costs_what_the_convolution_costs_whose_adjoint_it_is():
    for stride, groups, size in [(1, 1, 8), (2, 1, 8), (2, 4, 16), (3, 2, 9)]:
        down = nn.Conv2d(8, 12, 3, stride=stride, padding=1, groups=groups)
        up = nn.ConvTranspose2d(12, 8, 3, stride=stride, padding=1, groups=groups)
        small = trace(down, (2, 8, size, size)).nodes[-1].shape
        assert trace(up, small).macs == trace(down, (2, 8, size, size)).macs


def test_attention_costs_its_two_products_for_every_head():
    class Attention(nn.Module):
        def forward(self, q, k, v):
            return F.scaled_dot_product_attention(q, k, v)

    n, heads, targets, sources, width = 2, 3, 5, 7, 4
    graph = trace(Attention(), (n, heads, targets, width), (n, heads, sources, width), (n, heads, sources, width))
    assert graph.macs == n * heads * (targets * sources * width + targets * sources * width)


def test_multi_head_attention_is_its_projections_and_its_attention():
    n, length, width = 2, 5, 8
    graph = trace(nn.MultiheadAttention(width, 2, batch_first=True), *[(n, length, width)] * 3)
    projections, attention = 4 * n * length * width * width, 2 * n * length * length * width
    assert graph.macs == projections + attention
    # Weights of three projections (the input needs no gradient), two gradients everywhere else.
    assert graph.macs_backward == projections * 3 // 4 + 2 * (projections // 4 + attention)


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_a_recurrent_layer_multiplies_each_matrix_once_a_step(kind, gates):
    steps, n, inputs, width = 5, 2, 4, 8
    graph = trace(kind(inputs, width, num_layers=2), (steps, n, inputs))
    first, rest = gates * inputs * width, gates * width * width * 3
    assert graph.macs == steps * n * (first + rest)
    assert graph.macs_backward == steps * n * (first + 2 * rest)


@pytest.mark.parametrize(
    ("equation", "shapes", "size"),
    [
        ("nchw,oc->nohw", [(2, 3, 4, 5), (7, 3)], 2 * 3 * 4 * 5 * 7),
        ("...ij,...jk->...ik", [(2, 3, 4, 5), (2, 3, 5, 6)], 2 * 3 * 4 * 5 * 6),
    ],
)
def test_an_einsum_of_two_costs_its_index_space(equation, shapes, size):
    class Product(nn.Module):
        def forward(self, *operands):
            return torch.einsum(equation, *operands)

    assert trace(Product(), *shapes).macs == size


@pytest.mark.parametrize("product", [torch.matmul, torch.bmm, lambda a, b: a @ b])
def test_a_matrix_product_costs_rows_times_columns_times_depth(product):
    class Product(nn.Module):
        def forward(self, a, b):
            return product(a, b)

    assert trace(Product(), (2, 3, 4), (2, 4, 5)).macs == 2 * 3 * 4 * 5


def test_a_spectrally_normalised_convolution_costs_what_it_costs_without():
    for wrap in (nn.utils.parametrizations.spectral_norm, nn.utils.spectral_norm):
        graph = trace(wrap(nn.Conv2d(8, 16, 4)), (1, 8, 8, 8))
        assert graph.macs == 16 * 5 * 5 * 8 * 4 * 4
        assert graph.parameters == 2064
        assert not graph.unused


def test_the_middle_of_a_network_costs_two_forwards_backward_and_its_first_layer_one():
    widths = [3, 8, 16, 4]
    net = nn.Sequential(*(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths)))
    first, *rest = (a * b * 9 * 64 for a, b in pairwise(widths))
    assert trace(net, (1, 3, 8, 8)).macs_backward == first + 2 * sum(rest)
    net[0].requires_grad_(False)
    assert trace(net, (1, 3, 8, 8)).macs_backward == rest[0] + 2 * rest[1]
