"""Starting weights: deviations by the papers' formulas, LSUV's variance, Fixup's identity, the equalised gradient."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from ganvas.anatomy.loading.load import load
from ganvas.anatomy.signal.initialisations import equalize, parse, start
from ganvas.anatomy.signal.layer_moments import fans
from ganvas.anatomy.signal.residual_branches import branches
from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.equalized import EqualizedConv2d


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Leaky(nn.Module):
    """Activations as functions, as people write them."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(8, 64, 3, padding=1)
        self.norm = nn.BatchNorm2d(64)
        self.second = nn.Conv2d(64, 64, 4, stride=2, padding=1)
        self.last = nn.Conv2d(64, 32, 1)

    def forward(self, x):
        x = F.leaky_relu(self.norm(self.first(x)), 0.2)
        return self.last(torch.relu(self.second(x)))


def deviation(weight):
    return float(weight.detach().double().std())


def within(weight):
    """Four sampling errors of a deviation."""
    return 4 / math.sqrt(2 * weight.numel())


@pytest.mark.parametrize("init", ["he", "equalized"])
def test_he_takes_the_gain_of_the_activation_behind_a_norm_and_1_where_none_follows(init):
    model = Leaky()
    start(model, init, [torch.randn(2, 8, 8, 8)], generator())
    expected = {
        "first": math.sqrt(2 / (1 + 0.2**2) / (8 * 9)),  # He et al., eq. 15.
        "second": math.sqrt(2 / (64 * 16)),
        "last": math.sqrt(1 / 64),
    }
    for name, value in expected.items():
        weight = getattr(model, name).weight
        assert deviation(weight) == pytest.approx(value, rel=within(weight)), name


def test_xavier_is_torchs_where_there_are_no_strides_and_counts_the_readers_where_there_are():
    model = Leaky()
    start(model, "xavier", [torch.randn(2, 8, 8, 8)], generator())
    torchs = nn.init.xavier_normal_(torch.empty(64, 8, 3, 3), generator=generator(1))
    assert deviation(model.first.weight) == pytest.approx(deviation(torchs), rel=2 * within(torchs))
    # An input pixel of a 4x4 kernel at stride 2 is read by 4 places, not 16.
    second = model.second.weight
    assert deviation(second) == pytest.approx(math.sqrt(2 / (64 * 16 + 64 * 4)), rel=within(second))


def test_a_transposed_convolution_swaps_who_is_thinned_out_by_the_stride():
    graph = trace(nn.ConvTranspose2d(6, 10, 4, stride=2, padding=1, groups=2), (1, 6, 8, 8))
    assert fans(graph.nodes[1], (6, 5, 4, 4)) == (3 * 16 / 4, 5 * 16)


def test_a_given_deviation_is_that_of_the_weight_that_meets_the_data():
    model = nn.Sequential(EqualizedConv2d(16, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3))
    start(model, "normal:0.02", [torch.randn(2, 16, 8, 8)], generator())
    used = model[0].weight * model[0].scale
    assert deviation(used) == pytest.approx(0.02, rel=within(used))
    assert deviation(model[2].weight) == pytest.approx(0.02, rel=within(model[2].weight))


def test_biases_start_at_0_and_the_gains_of_norms_at_1():
    model = Leaky()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 3.0)
    start(model, "he", [torch.randn(2, 8, 8, 8)], generator())
    assert not any(layer.bias.any() for layer in (model.first, model.second, model.last, model.norm))
    assert torch.equal(model.norm.weight, torch.ones(64))


def test_equalised_layers_compute_what_he_layers_compute():
    x = torch.randn(4, 8, 8, 8, generator=generator(5))
    he, equalized = Leaky(), Leaky()
    start(he, "he", [x], generator(3))
    start(equalized, "equalized", [x], generator(3))
    stored = equalized.first.parametrizations.weight.original
    assert deviation(stored) == pytest.approx(1, rel=within(stored))
    assert torch.allclose(he(x), equalized(x), rtol=1e-4, atol=1e-5)  # One more rounding to float32.


def test_the_gradient_of_an_equalised_weight_is_scaled_by_its_constant():
    x = torch.randn(4, 6, dtype=torch.float64)
    plain = nn.Linear(6, 3).double()
    scaled = nn.Linear(6, 3).double()
    scaled.load_state_dict(plain.state_dict())
    equalize(scaled, 0.37)
    for layer in (plain, scaled):
        layer(x).square().sum().backward()
    stored = scaled.parametrizations.weight.original
    assert torch.allclose(stored * 0.37, plain.weight, rtol=1e-14)
    assert torch.allclose(stored.grad, 0.37 * plain.weight.grad, rtol=1e-12)


def test_lsuv_gives_every_layer_unit_variance_and_orthogonal_rows():
    model = Leaky()
    model.norm = nn.Identity()
    x = torch.randn(16, 8, 8, 8, generator=generator(1)) * 5 + 1
    assert start(model, "lsuv", [x], generator()) == ()
    variances = []
    for layer in (model.first, model.second, model.last):
        layer.register_forward_hook(lambda _, __, output: variances.append(float(output.detach().var(unbiased=False))))
    model(x)
    assert variances == pytest.approx([1, 1, 1], abs=0.1)
    flat = model.last.weight.detach().flatten(1).double()
    products = flat @ flat.T
    assert torch.allclose(products, products[0, 0] * torch.eye(32).double(), atol=1e-5 * float(products[0, 0]))


def test_what_a_layer_normalises_itself_is_named_and_not_started_by_lsuv():
    model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(64, 64)), nn.ReLU(), nn.Linear(64, 8))
    assert start(model, "lsuv", [torch.randn(32, 64)], generator()) == ("0",)


def residual(depth, layers):
    def branch():
        parts = [part for _ in range(layers) for part in (nn.Conv2d(32, 32, 3, padding=1), nn.ReLU())]
        return nn.Sequential(*parts[:-1])

    return nn.Sequential(*(Residual(branch()) for _ in range(depth)), nn.Flatten(), nn.Linear(32 * 16, 10))


@pytest.mark.parametrize("layers", [2, 3])
def test_fixups_branches_are_0_so_that_a_block_is_the_identity(layers):
    model, x = residual(4, layers), torch.randn(2, 32, 4, 4)
    start(model, "fixup", [x], generator())
    assert torch.equal(model[:4](x), x)
    assert not model(x).any()  # The classifier starts at 0.
    weight = model[2].branch[0].weight
    he = math.sqrt(2 / (32 * 9))
    assert deviation(weight) == pytest.approx(he * 4 ** (-1 / (2 * layers - 2)), rel=within(weight))


@pytest.mark.slow
def test_the_branches_of_a_residual_network_are_found_and_the_shortcuts_are_none():
    loaded = load("cifar_resnet20")
    graph = trace(loaded.model, *loaded.inputs)
    found = branches(graph.nodes)
    assert [len(branch.layers) for branch in found] == [2] * 9
    assert not branches(trace(load("unet").model, (1, 1, 188, 188)).nodes)


@pytest.mark.slow
def test_projections_are_shortcuts_and_only_the_longer_side_is_a_branch():
    loaded = load("resnet50")
    found = branches(trace(loaded.model, *loaded.inputs).nodes)
    assert [len(branch.layers) for branch in found] == [3] * 16


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hee", "Did you mean 'he'"),
        ("normal", "normal:0.02"),
        ("normal:x", "no deviation"),
        ("normal:-1", "no deviation"),
        ("normal:nan", "no deviation"),
        ("he:2", "no start 'he:2'"),
    ],
)
def test_an_unknown_start_is_refused(text, said):
    with pytest.raises(UserError, match=said):
        parse(text)


def test_fixup_is_refused_where_nothing_is_residual():
    with pytest.raises(UserError, match="residual"):
        start(nn.Sequential(nn.Linear(4, 4)), "fixup", [torch.randn(2, 4)], generator())
