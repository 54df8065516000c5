"""LPIPS through random trunks: the paper's formula on torchvision's list of layers, and the authors' package."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features.lpips_vgg16 import Lpips, build
from ganvas.features.vgg16 import CHANNELS, convolution_shapes
from ganvas.features.weights import Weights, WeightsMissing

NARROW = ((4, 4), (8, 8), (8, 8, 8), (8, 8, 8), (8, 8, 8))
SHA = "397923af"


def drawn(rng, channels):
    """He's weights for the trunk, and heads without negative ones."""
    trunk = {
        name: torch.randn(shape, generator=rng)
        * ((2 / torch.Size(shape[1:]).numel()) ** 0.5 if len(shape) > 1 else 0.1)
        for name, shape in convolution_shapes(channels).items()
    }
    heads = {
        f"lin{number}.model.1.weight": torch.rand(1, stage[-1], 1, 1, generator=rng)
        for number, stage in enumerate(channels)
    }
    return trunk, heads


def network_of(trunk, heads, channels=NARROW):
    return Lpips(Weights(tensors=heads, sha256="a78928a0"), Weights(tensors=trunk, sha256=SHA), channels=channels)


@pytest.fixture
def pairs(rng):
    return (torch.randint(0, 256, (3, 3, 19, 16), generator=rng, dtype=torch.uint8) for _ in range(2))


@torch.no_grad()
def test_it_is_the_papers_formula_on_torchvisions_list_of_layers(rng, pairs):
    trunk, heads = drawn(rng, NARROW)
    x, y = pairs
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    seen = [(side / 255 * 2 - 1 - shift[:, None, None]) / scale[:, None, None] for side in (x, y)]
    expected, number, inputs = torch.zeros(3), 0, 3
    for place, stage in enumerate(NARROW):
        for outputs in stage:
            layer = nn.Conv2d(inputs, outputs, 3, padding=1)
            layer.load_state_dict({part: trunk[f"features.{number}.{part}"] for part in ("weight", "bias")})
            seen = [layer(side).relu() for side in seen]
            number, inputs = number + 2, outputs
        unit = [side / (side.norm(dim=1, keepdim=True) + 1e-10) for side in seen]
        weighed = (unit[0] - unit[1]).square() * heads[f"lin{place}.model.1.weight"]
        expected += weighed.sum(1).mean((1, 2))
        if place < 4:
            seen, number = [nn.functional.max_pool2d(side, 2) for side in seen], number + 1
    network = network_of(trunk, heads)
    assert_close(network.distances(x, y).float(), expected, rtol=1e-5, atol=1e-6)
    assert network.identity == "lpips_vgg16@a78928a0:own-size:uint8:vgg16@397923af"


def test_it_is_the_authors_package_with_the_same_random_weights():
    # lpips 0.1.4, LPIPS(net="vgg", pnet_rand=True), float32, with these weights in the place of its own.
    rng = torch.Generator().manual_seed(7)
    network = network_of(*drawn(rng, CHANNELS), channels=CHANNELS)
    x, y = (torch.randint(0, 256, (2, 3, 20, 17), generator=rng, dtype=torch.uint8) for _ in range(2))
    assert network.distances(x, y).tolist() == pytest.approx([0.8506771, 0.8688038], rel=1e-5)


def test_a_picture_is_itself_and_order_does_not_matter(rng, pairs):
    network, (x, y) = network_of(*drawn(rng, NARROW)), pairs
    assert network.distances(x, x).tolist() == [0, 0, 0]
    assert_close(network.distances(x, y), network.distances(y, x))
    assert_close(network.distances(x, y)[1:2], network.distances(x[1:2], y[1:2]))


def test_it_has_1472_weights_of_its_own():
    assert sum(stage[-1] for stage in CHANNELS) == 1472


def test_small_pictures_other_files_and_a_missing_trunk_are_refused(rng, monkeypatch, tmp_path):
    trunk, heads = drawn(rng, NARROW)
    small = torch.zeros(2, 3, 15, 40, dtype=torch.uint8)
    with pytest.raises(UserError, match="at least 16 pixels"):
        network_of(trunk, heads).distances(small, small)
    with pytest.raises(UserError, match="not the weights of LPIPS"):
        network_of(trunk, trunk)
    monkeypatch.delenv("GANVAS_WEIGHTS_VGG16", raising=False)
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path))
    with pytest.raises(WeightsMissing, match="features fetch vgg16"):
        build(Weights(tensors=heads, sha256="a78928a0"), device=torch.device("cpu"), precision="float32")
