"""Tiles are exact: the same bits as the whole picture, with and without statistics of the picture; twins are not."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.seeds import stream
from ganvas.models.segment import fcn, unet
from ganvas.networks.translation.resnet_generator import generator
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.mirrored_border import mirrored_border
from ganvas.tasks.pictures import tiling
from ganvas.tasks.pictures.tiling import Reach, TilePlan, plan_tiles, reach_of, run_tiled
from ganvas.tasks.pictures.whole_picture import WholePictures
from ganvas.tasks.pictures.whole_statistics import statistics_given, take_statistics

CPU = torch.device("cpu")
PIXELS = np.random.default_rng(0).integers(0, 256, (53, 90, 3), dtype=np.uint8)


def started(network):
    initialise(network, stream(0, "weights"))
    return network.eval()


def resnet(norm, blocks=2):
    network = started(generator(blocks, features=3))
    if not norm:
        for name, part in list(network.named_modules()):
            if isinstance(part, nn.InstanceNorm2d):
                network.set_submodule(name, nn.Identity())
    return network


def raw(values):
    """Every value as four bytes, so that nothing is lost."""
    return values.contiguous().view(torch.uint8).view(*values.shape, 4).permute(0, 1, 4, 2, 3).flatten(1, 2)


def values(made):
    """The values of which :func:`raw` made bytes."""
    height, width, count = made.shape
    return np.ascontiguousarray(made.reshape(height, width, count // 4, 4)).view(np.float32)[..., 0]


def cut(plan, core, halo):
    return TilePlan(height=plan.height, width=plan.width, halo=halo, core=core)


def whole_plan(stride):
    height, width = (-(-side // stride) * stride for side in PIXELS.shape[:2])
    return TilePlan(height=height, width=width, halo=0, core=(height, width))


@pytest.fixture(scope="module")
def plain():
    """A residual generator without norms, and how far it looks. Read only."""
    network = resnet(norm=False)
    return network, reach_of(network, channels=3, stride=4, device=CPU)


def test_the_reach_of_a_residual_generator_is_that_of_its_convolutions(plain):
    _, reach = plain
    # Seen back from one output: 3 pixels of the last 7 x 7, halves of the two transposed, four 3 x 3 at a quarter of
    # the size and the way up again. The interval of the receptive field is 1 + 2 * 3 + ... ; halo is its half.
    assert reach.halo == 28
    assert reach.stride == 4
    assert 0 < reach.bytes_per_pixel < 4000


def test_a_picture_in_tiles_has_the_bits_of_the_whole_picture(plain):
    network, reach = plain
    whole = run_tiled(network, PIXELS, whole_plan(4), raw, device=CPU)
    tiled = run_tiled(network, PIXELS, cut(whole_plan(4), (16, 20), reach.halo), raw, device=CPU)
    assert whole.shape == (53, 90, 12)
    assert np.array_equal(whole, tiled)


def test_a_halo_that_is_one_stride_short_changes_values(plain):
    network, reach = plain
    whole = run_tiled(network, PIXELS, whole_plan(4), raw, device=CPU)
    short = run_tiled(network, PIXELS, cut(whole_plan(4), (16, 20), reach.halo - 4), raw, device=CPU)
    assert not np.array_equal(whole, short)


def test_two_passes_give_an_instance_norm_the_statistics_of_the_whole_picture():
    network = resnet(norm=True, blocks=0)  # Five norms: every one costs a pass through all tiles.
    halo = reach_of(resnet(norm=False, blocks=0), channels=3, stride=4, device=CPU).halo
    whole = values(run_tiled(network, PIXELS, whole_plan(4), raw, device=CPU))
    plan = cut(whole_plan(4), (16, 20), halo)
    own = values(run_tiled(network, PIXELS, plan, raw, device=CPU))
    with statistics_given(network) as norms:
        assert len(norms) == 5
        take_statistics(network, norms, PIXELS, plan, device=CPU)
        tiled = values(run_tiled(network, PIXELS, plan, raw, device=CPU))
    assert_close(torch.from_numpy(tiled), torch.from_numpy(whole), rtol=0, atol=1e-5)
    assert np.abs(own - whole).mean() > 0.01, "statistics of each tile are other ones"
    assert sum(isinstance(part, nn.InstanceNorm2d) for part in network.modules()) == 5, "the norms are back"


@pytest.mark.parametrize("changes", [{"convolutions": "valid"}, {"convolutions": "same"}])
def test_a_u_net_labels_tiles_as_it_labels_the_whole(changes):
    model = started(unet.Model(unet.Config(height=16, width=16, channels=3, features=3, levels=2, **changes)))
    reach = reach_of(model.segment, channels=3, stride=model.tile_stride, device=CPU)
    whole = values(run_tiled(model.segment, PIXELS, whole_plan(4), raw, device=CPU))
    tiled = values(run_tiled(model.segment, PIXELS, cut(whole_plan(4), (12, 20), reach.halo), raw, device=CPU))
    # Kernels for other sizes of its maps add in another order: seven digits.
    assert_close(torch.from_numpy(tiled), torch.from_numpy(whole), rtol=1e-5, atol=2e-5)
    assert np.array_equal(whole.argmax(2), tiled.argmax(2))


def test_a_fully_convolutional_network_labels_tiles_as_it_labels_the_whole():
    model = started(fcn.Model(fcn.TINY))
    nn.init.normal_(model.get_parameter("network.dense.2.weight"), generator=stream(1, "scores"))
    reach = reach_of(model.segment, channels=3, stride=model.tile_stride, device=CPU)
    whole = run_tiled(model.segment, PIXELS, whole_plan(4), raw, device=CPU)
    tiled = run_tiled(model.segment, PIXELS, cut(whole_plan(4), (12, 20), reach.halo), raw, device=CPU)
    assert np.array_equal(whole, tiled)


def test_what_looks_everywhere_runs_whole_or_is_refused_with_the_memory_that_it_takes(monkeypatch):
    monkeypatch.setattr(tiling, "FARTHEST", 64)  # Attention over the farthest that is tried takes a minute.
    network = started(nn.Sequential(nn.Conv2d(3, 8, 1), SelfAttention2d(8, start=1.0), nn.Conv2d(8, 3, 1)))
    reach = reach_of(network, channels=3, stride=1, device=CPU)
    assert reach.halo is None
    plan = plan_tiles((20, 20), reach, memory_bytes=1e12)
    assert len(plan) == 1
    with pytest.raises(UserError, match=r"whole picture at once.*--memory"):
        plan_tiles((4000, 3000), reach, memory_bytes=1e6)


def test_tiles_fit_into_the_memory_that_is_allowed_and_too_little_is_refused():
    reach = Reach(stride=8, halo=16, bytes_per_pixel=100.0)
    plan = plan_tiles((1000, 700), reach, memory_bytes=1e6)
    assert max((tile.bottom - tile.top) * (tile.right - tile.left) for tile in plan) * 100 <= 1e6
    assert plan.bytes <= 1e6
    covered = np.zeros((plan.height, plan.width), int)
    for tile in plan:
        covered[tile.core_top : tile.core_bottom, tile.core_left : tile.core_right] += 1
    assert (covered == 1).all()
    with pytest.raises(UserError, match="too little"):
        plan_tiles((1000, 700), reach, memory_bytes=1e4)


def test_whole_pictures_choose_tiles_by_memory_and_give_the_same_bytes():
    network = resnet(norm=True, blocks=0)

    def run(memory_gb):
        finished = []
        whole = WholePictures(
            network=network, function=network, finish=to_bytes, channels=3, stride=4, memory_gb=memory_gb, device=CPU
        )
        return whole(PIXELS, done=finished.append), len(finished)

    (at_once, one), (tiled, several) = run(1.0), run(0.0002)
    assert one == 1
    assert several == 6, "tiles of 60 pixels with a halo of 12 keep 36, and the picture has 53 x 90"
    assert at_once.shape == PIXELS.shape
    assert np.abs(at_once.astype(int) - tiled).max() <= 1, "a value on the border of two bytes"
    assert (at_once != tiled).mean() < 1e-3


@pytest.mark.parametrize("size", [(3, 2), (4, 4), (9, 1)])
def test_a_picture_smaller_than_two_strides_goes_on_mirrored_where_norms_are_of_the_picture(size):
    network = resnet(norm=True, blocks=0)
    whole = WholePictures(
        network=network, function=network, finish=to_bytes, channels=3, stride=4, memory_gb=1.0, device=CPU
    )
    pixels = PIXELS[: size[0], : size[1]]
    beyond = {"bottom": max(-(-size[0] // 4), 2) * 4 - size[0], "right": 8 - size[1]}
    with torch.no_grad():
        images = to_float(mirrored_border(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None], **beyond))
        wanted = to_bytes(network(images))[0].permute(1, 2, 0).numpy()
    assert np.array_equal(whole(pixels), wanted[: size[0], : size[1]])
