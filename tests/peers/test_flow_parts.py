"""zuko and normflows: parts of flows that they have too, at the same numbers."""

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.models.flow.glow import TINY, move_of
from ganvas.models.flow.maf import Config, Model
from ganvas.nn.invertible.invertible_conv import LuConv, PlainConv
from ganvas.nn.invertible.rational_quadratic import RationalQuadratic
from ganvas.nn.invertible.squeeze import Squeeze
from ganvas.nn.layers.initialise import initialise

zuko = pytest.importorskip("zuko", reason="needs zuko: make peers")
normflows = pytest.importorskip("normflows", reason="needs normflows: make peers")


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=stream(seed, "numbers"), dtype=torch.float64)


class Says(torch.nn.Module):
    """A network that always says the same."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer


def test_a_spline_through_zukos_knots_is_zukos():
    bins, bound = 6, 3.0
    raw = (numbers(200, 2, bins), numbers(200, 2, bins, seed=1), numbers(200, 2, bins - 1, seed=2))
    theirs = zuko.transforms.MonotonicRQSTransform(*raw, bound=bound)
    ours = RationalQuadratic(theirs.horizontal, theirs.vertical, theirs.derivatives)
    x = 2 * numbers(200, 2, seed=3)
    y, log_slope = theirs.call_and_ladj(x)
    found, found_slope = ours.forward(x)
    assert_close(found, y)
    assert_close(found_slope, log_slope)
    assert_close(ours.inverse(y), theirs.inv(y))


def test_a_squeeze_is_normflows():
    x = numbers(2, 3, 4, 6)
    assert torch.equal(Squeeze()(x)[0], normflows.flows.Squeeze().inverse(x)[0])


@pytest.mark.parametrize("lu", [False, True])
def test_a_1x1_convolution_with_their_matrix_is_normflows(lu):
    theirs = normflows.flows.Invertible1x1Conv(4, use_lu=lu).double()
    ours = (LuConv if lu else PlainConv)(4).double()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.1 * numbers(*parameter.shape))
        if lu:
            ours.permutation.copy_(theirs.P)
            ours.sign.copy_(theirs.sign_S)
            ours.lower.copy_(theirs.L)
            ours.upper.copy_(theirs.U)
            ours.log_s.copy_(theirs.log_S)
        else:
            ours.weight.copy_(theirs.W)
    x = numbers(3, 4, 2, 5)
    y, log_det = theirs.inverse(x)
    found, found_log_det = ours(x)
    assert_close(found, y)
    assert_close(found_log_det, log_det.expand(3))
    assert_close(ours.inverse(y), theirs.forward(y)[0])


def test_glows_coupling_is_normflows_with_the_shift_of_the_other_sign():
    h, z = numbers(3, 4, 2, 2), numbers(3, 2, 2, 2, seed=1)
    theirs = normflows.flows.AffineCoupling(Says(h), scale_map="sigmoid")
    (_, y), log_det = theirs.inverse([z, z])
    turned = h.clone()
    turned[:, 0::2] *= -1
    found, log_slopes = move_of(turned, TINY).forward(z)
    assert_close(found, y)
    assert_close(log_slopes.sum((1, 2, 3)), log_det)


def test_a_masked_autoregressive_flow_with_its_weights_in_zukos_has_the_same_density_and_way_back():
    config = Config(dims=4, layers=3, norm="none", width=12)
    ours = Model(config).double().eval()
    initialise(ours, stream(0, "weights"))
    x = numbers(50, 4, seed=1)
    y, total = x, torch.zeros(50, dtype=torch.float64)
    for number, step in enumerate(list(ours.flow.steps)[1:]):
        theirs = zuko_layer(step.network, backwards=number % 2 == 1)
        y, log_det = theirs.call_and_ladj(y)
        total = total + log_det
    assert_close(ours.encode(x), y)
    assert_close(ours.log_density(x), total + torch.distributions.Normal(0.0, 1.0).log_prob(y).sum(1))
    first = zuko_layer(ours.flow.steps[1].network, backwards=False)
    assert_close(ours.flow.steps[1].inverse(x), first.inv(x))


def zuko_layer(network, *, backwards):
    """Theirs scales a point and then shifts it, where ours shifts it first: so its affine map is turned round."""
    dims = network.places.shape[1]
    order = torch.arange(dims)
    layer = zuko.flows.autoregressive.MaskedAutoregressiveTransform(
        dims,
        order=order.flip(0) if backwards else order,
        univariate=lambda *said: zuko.transforms.MonotonicAffineTransform(*said).inv,
        shapes=((), ()),
        hidden_features=[len(part.weight) for part in network.layers],
    ).double()
    linear = [part for part in layer.hyper if isinstance(part, torch.nn.Linear)]
    with torch.no_grad():
        for theirs, own in zip(linear, [*network.layers, network.last], strict=True):
            theirs.weight.copy_(own.weight)
            theirs.bias.copy_(own.bias)
    return layer()
