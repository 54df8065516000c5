import copy
import warnings

import pytest
import torch
from torch import nn

from ganvas.core.errors import UserError
from ganvas.models.gan import progan
from ganvas.networks.adversarial.progressive_networks import LatentBlock
from ganvas.networks.translation import resnet_generator
from ganvas.nn.blocks.fire import Fire
from ganvas.nn.blocks.inverted_residual import InvertedResidual
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.mixed_link import MixedLink
from ganvas.nn.blocks.residual import BasicBlock, Bottleneck
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear
from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d
from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d, Linear
from ganvas.nn.norms.spectral_norm import SpectralNorm
from ganvas.nn.transposed.subpixel_layer import SubpixelConvTranspose


def network():
    return nn.Sequential(EqualizedConv2d(2, 3, 3), nn.Sequential(EqualizedLinear(3, 4), nn.ReLU()))


def start(module, seed):
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def test_one_generator_gives_one_network():
    one, same, other = start(network(), 1), start(network(), 1), start(network(), 2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one[0].weight, other[0].weight)


def test_operators_are_visited_in_the_order_of_registration():
    generator = torch.Generator().manual_seed(3)
    first, second = torch.randn(3, 2, 3, 3, generator=generator), torch.randn(4, 3, generator=generator)
    module = start(network(), 3)
    assert torch.equal(module[0].weight, first)
    assert torch.equal(module[1][0].weight, second)


def test_torchs_global_stream_is_not_touched():
    before = torch.random.get_rng_state()
    start(network(), 0)
    assert torch.equal(before, torch.random.get_rng_state())


OPERATORS = {
    "conv": (lambda: Conv2d(2, 3, 3), (1, 2, 4, 4)),
    "conv_transpose": (lambda: ConvTranspose2d(2, 3, 3), (1, 2, 4, 4)),
    "linear": (lambda: Linear(2, 3), (1, 2)),
    "grouped": (lambda: GroupedConv2d(2, 4, 3, groups=2), (1, 2, 4, 4)),
    "gated": (lambda: GatedConv2d(2, 3, 3), (1, 2, 4, 4)),
    "equalized": (lambda: EqualizedConv2d(2, 3, 3), (1, 2, 4, 4)),
    "equalized_linear": (lambda: EqualizedLinear(2, 3), (1, 2)),
    "up": (lambda: EqualizedUpConv2d(2, 3), (1, 2, 4, 4)),
    "down": (lambda: EqualizedDownConv2d(2, 3, fused=False), (1, 2, 4, 4)),
    "down_fused": (lambda: EqualizedDownConv2d(2, 3), (1, 2, 4, 4)),
    "subpixel": (lambda: SubpixelConvTranspose(2, 3, 4, stride=2), (1, 2, 4, 4)),
    "discrimination": (lambda: MinibatchDiscrimination(2, kernels=3), (4, 2)),
    "spectral": (lambda: SpectralNorm(Conv2d(2, 3, 3, bias=False)), (1, 2, 4, 4)),
    "attention": (lambda: SelfAttention2d(8), (1, 8, 4, 4)),
    "fire": (lambda: Fire(2, 1, 2, 2), (1, 2, 4, 4)),
    "inverted": (lambda: InvertedResidual(2, 3, expansion=2), (1, 2, 4, 4)),
    "basic": (lambda: BasicBlock(2, 3), (1, 2, 4, 4)),
    "bottleneck": (lambda: Bottleneck(2, 3), (1, 2, 4, 4)),
    "mixed": (lambda: MixedLink(2, 1, 2), (1, 2, 4, 4)),
    "doubling": (lambda: resnet_generator.Doubling(2, 3), (1, 2, 4, 4)),
    "latent": (lambda: LatentBlock(progan.TINY.networks, 3), (1, 8)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_a_forgotten_start_is_an_error_that_says_what_to_call(name):
    make, shape = OPERATORS[name]
    module, x = make(), torch.ones(shape)
    with pytest.raises(UserError, match=r"no values yet.*ganvas\.nn\.layers\.initialise\.initialise\(module"):
        module(x)
    with torch.device("meta"):
        assert make()(x.to("meta")).is_meta  # Shapes alone need no values.
    assert start(module, 0)(x).isfinite().all()


@pytest.mark.parametrize("name", OPERATORS)
def test_a_copy_or_a_state_dict_brings_values_and_the_parameters_are_ordinary_ones(name):
    make, shape = OPERATORS[name]
    module, loaded, assigned = start(make(), 0).eval(), make().eval(), make().eval()
    assert all(type(parameter) is nn.Parameter for parameter in module.parameters())
    loaded.load_state_dict(module.state_dict())
    assigned.load_state_dict(module.state_dict(), assign=True)
    x = torch.ones(shape)
    for other in (loaded, assigned, copy.deepcopy(loaded), copy.deepcopy(module)):
        assert torch.equal(other(x), module(x))
    assert all(type(parameter) is nn.Parameter for parameter in loaded.parameters())
    with pytest.raises(UserError, match="no values yet"):
        copy.deepcopy(make())(x)


@pytest.mark.slow
def test_a_loaded_layer_is_exported_before_it_has_run():
    module = Conv2d(2, 3, 3)
    module.load_state_dict(start(Conv2d(2, 3, 3), 0).state_dict())
    x = torch.ones(1, 2, 5, 5)
    with warnings.catch_warnings(action="ignore"):  # torch's own, to itself.
        assert torch.equal(torch.export.export(module, (x,)).module()(x), module(x))


def test_values_that_became_nan_in_training_are_no_forgotten_start():
    module = start(Linear(2, 3), 0)
    with torch.no_grad():
        module.weight.fill_(torch.nan)
    assert module(torch.ones(1, 2)).isnan().all()


def test_a_float64_network_starts_where_a_float32_one_does():
    assert torch.equal(start(network().double(), 5)[0].weight, start(network(), 5)[0].weight.double())


def test_layers_of_torch_start_from_the_generator_and_leave_the_global_stream_alone():
    def started(seed):
        torch.manual_seed(seed + 7)
        net = nn.Sequential(EqualizedLinear(2, 2), nn.Linear(2, 3))
        before = torch.get_rng_state()
        start(net, seed)
        assert torch.equal(before, torch.get_rng_state())
        return net[1].weight.detach()

    assert torch.equal(started(0), started(0))
    assert not torch.equal(started(0), started(1))
    assert started(0).abs().max() <= 2**-0.5  # torch's U(-1/sqrt(in), 1/sqrt(in)).


def test_a_module_that_cannot_be_restarted_is_refused_by_name():
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

    with pytest.raises(UserError, match=r"'1' \(Odd\) owns parameters and has neither reset"):
        start(nn.Sequential(EqualizedLinear(2, 2), Odd()), 0)
