"""Signals through networks: against closed forms, exact sums over what units read, and the law of products."""

import math

import pytest
import scipy.integrate
import scipy.stats
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.signal.initialisations import draw, plan
from ganvas.anatomy.signal.layer_moments import (
    activated,
    back_through,
    by_place,
    hanin_nica,
    squared_slope,
    through,
    unit_gain,
)
from ganvas.anatomy.signal.signal import log_mean, signal
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.equalized import EqualizedConv2d
from ganvas.nn.norms.pixel_norm import pixel_norm


def plain(depth, width):
    layers = [(nn.Linear(width, width), nn.ReLU()) for _ in range(depth)]
    return nn.Sequential(*(part for pair in layers for part in pair))


def node(op, **attributes):
    return Node(
        index=1, op=op, kind="activation", module="", module_type="", inputs=(0,), shape=(), attributes=attributes
    )


def number(value):
    return torch.tensor(value, dtype=torch.float64)


# --- closed forms ---


def test_the_drift_of_relu_networks_is_half_its_variance():
    assert hanin_nica([64] * 30) == pytest.approx((-1.171875, 2.34375), rel=1e-12)  # 5 * 30 / 64
    assert hanin_nica([10, 20]) == pytest.approx((-0.375, 0.75), rel=1e-12)


@pytest.mark.parametrize(
    ("made", "function"),
    [
        (node("relu"), lambda x: max(x, 0)),
        (node("leaky_relu", negative_slope=0.2), lambda x: x if x > 0 else 0.2 * x),
        (node("tanh"), math.tanh),
        (node("sigmoid"), lambda x: 1 / (1 + math.exp(-x))),
        (node("gelu"), lambda x: x * scipy.stats.norm.cdf(x)),
        (
            node("gelu", approximate="tanh"),
            lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        ),
        (node("silu"), lambda x: x / (1 + math.exp(-x))),
    ],
)
@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (0.7, 1.3), (-1.1, 0.4)])
def test_moments_behind_activations_are_the_integrals_over_a_normal_input(made, function, mean, deviation):
    def integral(power):
        density = scipy.stats.norm(mean, deviation).pdf
        parts = [(mean - 9 * deviation, 0.0), (0.0, mean + 9 * deviation)]
        return sum(scipy.integrate.quad(lambda x: function(x) ** power * density(x), *part)[0] for part in parts)

    found = activated(made, (number(mean), number(mean**2 + deviation**2)))
    assert [float(part) for part in found] == pytest.approx([integral(1), integral(2)], abs=1e-6)


def test_slopes_behind_activations():
    standard = number(0.0), number(1.0)
    assert float(squared_slope(node("relu"), standard)) == 0.5
    assert float(squared_slope(node("leaky_relu", negative_slope=0.2), standard)) == pytest.approx(0.52)
    moved = number(0.5), number(0.25 + 4.0)  # Mean 1/2, deviation 2: P(x > 0).
    assert float(squared_slope(node("relu"), moved)) == pytest.approx(scipy.stats.norm.cdf(0.25), abs=1e-12)
    expected = scipy.integrate.quad(lambda x: (1 - math.tanh(x) ** 2) ** 2 * scipy.stats.norm.pdf(x), -9, 9)[0]
    assert float(squared_slope(node("tanh"), standard)) == pytest.approx(expected, abs=1e-6)


def test_the_gain_that_keeps_moments_is_hes_for_rectifiers():
    assert unit_gain(node("relu")) == pytest.approx(math.sqrt(2), rel=1e-12)
    assert unit_gain(node("leaky_relu", negative_slope=0.2)) == pytest.approx(math.sqrt(2 / 1.04), rel=1e-12)
    assert unit_gain(None) == 1


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"kernel_size": 3, "padding": 1}, (5, 6)),
        ({"kernel_size": 4, "padding": 1, "stride": 2}, (8, 7)),
        ({"kernel_size": 3, "padding": 2, "dilation": 2}, (6, 9)),
        ({"kernel_size": (1, 5), "padding": (0, 2)}, (4, 7)),
        ({"kernel_size": 4, "padding": "same"}, (6, 5)),
    ],
)
def test_what_a_convolution_reads_is_counted_at_borders_too(options, size):
    layer = nn.Conv2d(6, 4, groups=2, bias=False, **options)
    x = torch.randn(3, 6, *size, dtype=torch.float64)
    traced = trace(layer, (3, 6, *size)).nodes[1]
    found = through(traced, layer.weight.shape, by_place(x)[1])
    # With weights of 1 and squared inputs a layer sums what it reads: the mean over its units is E[y^2] / s.
    layer.double().weight.data.fill_(1)
    with torch.no_grad():
        summed = layer(x**2).mean((0, 1))
    assert torch.allclose(found, summed, rtol=1e-12)


def test_what_reads_a_place_is_the_adjoint_of_what_it_reads():
    for layer in (
        nn.Conv2d(4, 6, 4, stride=2, padding=1, bias=False),
        nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1, output_padding=1, bias=False),
        nn.ConvTranspose2d(4, 6, 3, stride=3, padding=1, dilation=2, bias=False),
    ):
        layer = layer.double()
        traced = trace(layer, (2, 4, 7, 6)).nodes[1]
        x = torch.randn(2, 4, 7, 6, dtype=torch.float64, requires_grad=True)
        layer.weight.data.fill_(1)
        y = layer(x)
        gradient = torch.randn_like(y)
        (summed,) = torch.autograd.grad(y, x, gradient**2)
        found = back_through(traced, layer.weight.shape, by_place(gradient)[1], (7, 6))
        assert torch.allclose(found, summed.mean((0, 1)), rtol=1e-12)
        forward = through(traced, layer.weight.shape, by_place(x)[1])
        assert torch.allclose(forward, layer(x**2).mean((0, 1)), rtol=1e-12)


# --- measured beside theory ---


def logs(of):
    return torch.tensor(of.logs, dtype=torch.float64)


@pytest.mark.slow
@torch.no_grad()
def test_relu_networks_drift_as_hanin_and_nica_say():
    seeds, depth, width = 100, 30, 64
    net, logarithms = plain(depth, width), []
    x = torch.randn(1, width, generator=torch.Generator().manual_seed(1))
    made = plan(net, "he", [x])
    for seed in range(seeds):
        draw(net, made, [x], torch.Generator().manual_seed(seed))
        logarithms.append(math.log(float(net(x).square().mean() / x.square().mean())))
    drift = torch.tensor(logarithms, dtype=torch.float64)
    mean, variance = hanin_nica([width] * depth)
    assert float(drift.mean()) == pytest.approx(mean, abs=3 * math.sqrt(variance / seeds))
    assert float(drift.var()) == pytest.approx(variance, abs=3 * variance * math.sqrt(2 / seeds))


@pytest.mark.slow
@pytest.mark.parametrize(("init", "ratio"), [("he", 1.0), ("xavier", 0.5)])
def test_a_layer_keeps_the_moment_with_he_and_halves_it_with_xavier(init, ratio):
    seeds, width, depth = 6, 256, 8
    found = signal(plain(depth, width), (1, width), init=init, seeds=seeds, batch=8)
    ends = [layer.second for layer in found.layers]
    per_layer = (logs(ends[-1]) - logs(ends[0])) / (depth - 1)
    # One layer's log has variance 5/n at most and mean -5/(2n) (Hanin & Nica): the tolerance is three errors and that.
    tolerance = 3 * math.sqrt(5 / width / (depth - 1) / seeds) + 5 / (2 * width)
    assert float(per_layer.mean()) == pytest.approx(math.log(ratio), abs=tolerance)
    gradients = [layer.gradient for layer in found.layers]
    backward = (logs(gradients[0]) - logs(gradients[-1])) / (depth - 1)
    assert float(backward.mean()) == pytest.approx(math.log(ratio), abs=tolerance)
    tolerance = 3 * math.sqrt(5 * depth / width / seeds) + 5 * depth / (2 * width)  # The same over the whole depth.
    for layer in found.layers:
        assert layer.whole
        assert layer.gradient_whole
        assert float((logs(layer.chain) - logs(layer.second)).mean()) == pytest.approx(0, abs=tolerance)
        assert float((logs(layer.gradient_chain) - logs(layer.gradient)).mean()) == pytest.approx(0, abs=tolerance)


@pytest.mark.slow
def test_thirty_xavier_convolutions_lose_thirty_halvings():
    layers = [part for _ in range(30) for part in (nn.Conv2d(64, 64, 3, padding=1, padding_mode="circular"), nn.ReLU())]
    found = signal(nn.Sequential(*layers), (1, 64, 6, 6), init="xavier", seeds=2, batch=2)
    fallen = math.log2(found.operations[-1].second.value / found.operations[0].second.value)
    assert fallen == pytest.approx(-30, abs=4)  # Two draws of a drift of about one halving, deviation as much.
    # Before its ReLU the last layer has lost 29; the theory takes 36,864 weights per layer as they were drawn.
    assert math.log2(found.layers[-1].chain.value) == pytest.approx(-29, abs=0.2)


@pytest.mark.slow
def test_borders_of_zeros_are_in_the_theory():
    layers = [part for _ in range(6) for part in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())]
    found = signal(nn.Sequential(*layers), (1, 64, 5, 5), init="he", seeds=6, batch=4)
    last = found.layers[-1]
    # Without borders it would be 2; 5 x 5 pixels lose a good part of it in six layers.
    assert last.chain.value < 1
    assert last.chain.value == pytest.approx(last.second.value, rel=4 * last.second.spread / math.sqrt(6))
    first = found.layers[0]
    error = first.gradient.spread / math.sqrt(6)
    assert first.gradient_chain.value == pytest.approx(first.gradient.value, rel=4 * error)


def test_ganvas_own_operators_and_functions_are_understood():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = EqualizedConv2d(16, 64, 3)
            self.second = EqualizedConv2d(64, 64, 3)

        def forward(self, x):
            x = pixel_norm(F.leaky_relu(self.first(x), 0.2))
            return self.second(F.interpolate(F.dropout(x, 0.5, self.training), scale_factor=2))

    net = Net()
    for layer in (net.first, net.second):
        layer.reset(torch.Generator().manual_seed(0))
    found = signal(net, (1, 16, 8, 8), seeds=4, batch=4)
    first, second = found.layers
    assert first.whole
    assert second.whole  # A pixel norm makes it 1, whatever came before; a dropout is off.
    # Gain sqrt(2): 2 at the middle, less at the borders of 16 x 16: 1 - 2 / (3 * 16) of the taps per axis.
    assert second.step.value == pytest.approx(2 * (1 - 2 / 48) ** 2, rel=0.02)  # Sampling of 36,864 weights.
    assert second.chain.value == pytest.approx(second.second.value, rel=0.1)


@pytest.mark.slow
def test_sums_and_norms_carry_the_chain():
    def block():
        return Residual(nn.Sequential(nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1, padding_mode="circular")))

    sums = nn.Sequential(*(block() for _ in range(5)))
    found = signal(sums, (1, 64, 6, 6), init="normal:0.0589", seeds=6, batch=4)  # sqrt(2 / (64 * 9)): He's.
    last = found.operations[-1]
    assert last.whole
    assert last.chain.value == pytest.approx(2**5, rel=0.02)  # Each sum doubles it; weights' sampling is left.
    assert last.second.value == pytest.approx(last.chain.value, rel=4 * last.second.spread / math.sqrt(6) + 0.02)
    first = found.operations[0]
    assert first.gradient.value == pytest.approx(2**5, rel=0.25)
    normed = nn.Sequential(nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 3))
    after = signal(normed, (1, 8, 12, 12), init="he", seeds=2).operations
    assert after[2].chain.value == pytest.approx(1, abs=1e-4)  # eps in the root.
    assert after[2].second.value == pytest.approx(1, abs=1e-4)
    assert after[3].chain.value == pytest.approx(0.5, abs=1e-4)


class Lifted(nn.Module):
    def __init__(self, sign):
        super().__init__()
        self.sign = sign

    def forward(self, x):
        return torch.relu(x) + 1 if self.sign > 0 else torch.relu(x) - 1


@pytest.mark.parametrize("sign", [1, -1])
def test_a_sum_of_two_that_are_not_centred_has_more_than_both(sign):
    found = signal(Lifted(sign), (1, 4096), seeds=2, batch=16).operations[-1]
    expected = 1 / 2 + 1 + sign * 2 / math.sqrt(2 * math.pi)  # E[relu(z)] = 1 / sqrt(2 pi).
    assert found.chain.value == pytest.approx(expected, abs=0.02)  # Of the 65,536 inputs' own moments.
    assert found.second.value == pytest.approx(expected, abs=0.02)


def test_behind_what_is_not_understood_the_chain_takes_up_the_measurement():
    net = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 32, 3))
    found = signal(net, (1, 3, 16, 16), init="he", seeds=3)
    first, second = found.layers
    assert first.whole
    assert not second.whole
    assert second.chain.logs == pytest.approx(second.step.logs, abs=1e-12)
    relu = found.operations[2]
    assert relu.gradient_whole  # Backwards a pool that tiles hands each gradient to one place of four.
    assert relu.gradient_step.value == pytest.approx(relu.gradient.value, rel=1e-6)


# --- what is counted ---


def test_dead_units_and_saturated_values_are_counted():
    layer = nn.Linear(1, 4)
    layer.weight.data = torch.tensor([[0.0], [0.0], [1.0], [-1.0]])
    layer.bias.data = torch.tensor([-1.0, 2.0, 0.0, 0.0])
    dead = signal(nn.Sequential(layer, nn.ReLU()), (1, 1), seeds=1, batch=64).operations[-1]
    assert dead.dead == 0.25  # The first alone; the last two share the inputs of either sign.
    layer.weight.data = torch.zeros(4, 1)
    layer.bias.data = torch.tensor([5.0, -5.0, 1.0, 0.0])
    assert signal(nn.Sequential(layer, nn.Tanh()), (1, 1), seeds=1).operations[-1].saturated == 0.5
    assert signal(nn.Sequential(layer, nn.Sigmoid()), (1, 1), seeds=1).operations[-1].saturated == 0.5
    conv = nn.Conv2d(1, 2, 1)
    conv.weight.data.zero_()
    conv.bias.data = torch.tensor([-1.0, 1.0])
    found = signal(nn.Sequential(conv, nn.ReLU(inplace=True)), (1, 1, 4, 4), seeds=1)
    assert (found.operations[-1].dead, found.operations[-1].dead_channels) == (0.5, 0.5)
    assert found.layers[0].activation == 2
    assert found.layers[0].second.value == 1.0  # Read before the ReLU wrote over it.


def test_histograms_are_of_the_layers_values():
    found = signal(nn.Sequential(nn.Linear(512, 512)), (1, 512), init="he", seeds=2, batch=64).layers[0]
    inside = scipy.stats.norm.cdf(1) - scipy.stats.norm.cdf(-1)
    middle = found.histogram[15:25].sum()  # From -1 to 1.
    assert middle == pytest.approx(inside, abs=4 * math.sqrt(inside / (2 * 64 * 512)) + 0.005)
    assert found.histogram.sum() == pytest.approx(1, abs=1e-3)


def test_the_network_and_the_random_stream_stay_as_they_were():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5)).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.random.get_rng_state()
    once, again = (signal(net, (1, 3, 8, 8), init="he", seeds=2, seed=7) for _ in range(2))
    assert [o.second.logs for o in once.operations] == [o.second.logs for o in again.operations]
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not net.training
    assert not net[0]._forward_hooks
    assert net[0].weight.grad is None


def test_logarithms_of_nothing():
    assert log_mean([0.0, 0.0]).value == 0
    assert math.isnan(log_mean([0.0, 1.0]).value)
    assert math.isnan(log_mean([2.0]).spread)
    assert log_mean([1.0, 4.0]).value == pytest.approx(2)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"init": "nothing"}, "no start 'nothing'"),
        ({"seeds": 0}, "seeds=0"),
        ({"batch": 0}, "batch=0"),
        ({"pictures": torch.zeros(2, 3, 8, 8)}, "2 pictures"),
    ],
)
def test_what_cannot_be_measured_is_refused(how, said):
    net = nn.Sequential(nn.Conv2d(3, 4, 3))
    with pytest.raises(UserError, match=said):
        signal(net, (1, 3, 8, 8), **{"seeds": 1, **how})


def test_a_network_that_fails_names_the_layer():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3))
    with pytest.raises(UserError, match=r"^Sequential fails in 1 \(\w+\): RuntimeError: "):
        signal(net, (1, 3, 8, 8), seeds=1)
    with pytest.raises(UserError, match="Widths"):
        hanin_nica([])
