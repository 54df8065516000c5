"""U-Net and fully convolutional networks: sizes, crops from geometry, and sums against concatenations."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.games.segmentation_game import optimizer_of
from ganvas.models.segment import fcn as fcn_model
from ganvas.models.segment import unet as unet_model
from ganvas.networks.fully_convolutional import FCN, crop_offsets
from ganvas.networks.unet import UNet, lost_pixels, padded_size, unet
from ganvas.nn.layers.initialise import initialise


def started(network, seed=0):
    initialise(network, stream(seed, "weights"))
    return network.eval()


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_crops_follow_from_where_units_lie_as_the_authors_have_them():
    # fcn.berkeleyvision.org: score crops of voc-fcn32s, -16s and -8s.
    offsets = [crop_offsets([2, 2, 3, 3, 3], finest, padding=100, dense_kernel=7) for finest in (32, 16, 8)]
    assert offsets == [[19], [27, 5], [31, 5, 9]]


def test_parameters_are_as_many_as_in_the_authors_nets():
    with torch.device("meta"):
        nets = {finest: fcn_model.Model(fcn_model.Config(finest=finest)) for finest in (32, 16, 8)}
        assert count(unet()) == 31_030_658  # 1 channel in, 2 classes: figure 1.
    assert count(nets[32]) == 134_346_581
    assert count(nets[16]) == 134_346_581 + 10_773
    assert count(nets[8]) == 134_346_581 + 10_773 + 5_397


def test_a_u_net_without_padding_has_the_sizes_of_figure_1():
    with torch.device("meta"):
        network = unet()
        for before, after in ((572, 388), (188, 4), (204, 20)):
            assert network(torch.empty(1, 1, before, before)).shape[2:] == (after, after)
    assert lost_pixels(4) == 184
    assert [padded_size(size, 4) for size in (4, 5, 388)] == [4, 20, 388]


def symmetric(network):
    """Kernels that a mirror does not change, of positive numbers, so that no ReLU hides anything."""
    for parameter in network.parameters():
        with torch.no_grad():
            parameter.copy_((parameter.abs() + parameter.abs().flip(-1)) if parameter.ndim == 4 else parameter.abs())
    return network


@pytest.mark.parametrize(("padding", "size"), [(13, 14), (1, 24)])
@pytest.mark.parametrize("finest", [8, 4, 2])
def test_scores_of_a_mirrored_picture_are_the_mirrored_scores_where_kernels_are_symmetric(padding, size, finest):
    # With 13 zeros a side of 14 becomes 38 after the first convolution, and 40 / 8 with Caffe's rounding.
    network = FCN(
        finest=finest,
        channels=1,
        classes=2,
        blocks=[(3,)] * 3,
        widths=(2, 2, 2),
        dense=2,
        dense_kernel=3,
        padding=padding,
        learn_enlarging=False,
    )
    symmetric(started(network))
    size = size + 2 if padding == 13 else size
    x = torch.rand(1, 1, size, size, generator=stream(1, "x"))
    with torch.no_grad():
        assert_close(network(x.flip(-1)), network(x).flip(-1), rtol=1e-4, atol=1e-6)


def test_a_1x1_convolution_over_concatenated_scores_with_identities_is_their_sum():
    how = {"finest": 2, "channels": 1, "classes": 3, "blocks": [(3,)] * 2, "widths": (2, 2), "dense": 4}
    how |= {"dense_kernel": 3, "padding": 1, "learn_enlarging": False}
    added, beside = FCN(**how), FCN(**how, skip="concatenate")
    started(added)
    beside.load_state_dict(added.state_dict(), strict=False)
    with torch.no_grad():
        beside.joins[0].weight.copy_(torch.cat([torch.eye(3), torch.eye(3)], 1)[..., None, None])
        beside.joins[0].bias.zero_()
        x = torch.rand(2, 1, 8, 8, generator=stream(1, "x"))
        assert_close(beside(x), added(x), rtol=1e-6, atol=1e-6)


def test_a_u_net_that_adds_differs_from_one_that_concatenates_in_the_joining_convolutions_alone():
    how = {"padding": 1, "features": 4, "levels": 2}
    beside, added = UNet(3, 2, **how), UNet(3, 2, **how, skip="add")
    sizes = {name: tuple(value.shape) for name, value in beside.named_parameters()}
    other = {name: tuple(value.shape) for name, value in added.named_parameters()}
    assert {name for name in sizes if sizes[name] != other[name]} == {"join.0.0.weight", "join.1.0.weight"}


def test_a_u_net_without_padding_labels_a_picture_as_if_it_went_on_mirrored():
    model = unet_model.Model(unet_model.TINY)
    started(model)
    x = torch.rand(1, 3, 21, 30, generator=stream(1, "x"))
    wide = np.pad(x.numpy(), ((0, 0), (0, 0), (20, 20), (20, 20)), mode="reflect")
    with torch.no_grad():
        found = model.segment(x)
        around = model.segment(torch.from_numpy(wide))[..., 20:-20, 20:-20]
    assert_close(found, around, rtol=1e-5, atol=1e-6)


def test_scores_of_a_fully_convolutional_network_start_at_zero():
    model = fcn_model.Model(fcn_model.TINY)
    started(model)
    assert not model.segment(torch.rand(1, 3, 8, 8)).any()


def test_dropout_of_a_u_net_stands_at_the_end_of_the_way_down():
    network, dropped = started(UNet(1, 2, padding=1, features=2, levels=3)), []
    network(torch.rand(1, 1, 16, 16), lambda x: dropped.append(tuple(x.shape[1:])) or x)
    assert dropped == [(8, 4, 4), (16, 2, 2)]


def test_enlarging_bilinearly_equals_interpolation_inside():
    from ganvas.nn.transposed.bilinear_enlarging import BilinearEnlarging

    x = torch.rand(1, 2, 6, 6, generator=stream(2, "x"), dtype=torch.float64)
    for factor in (2, 4, 8):
        layer = BilinearEnlarging(2, factor, learnt=True).double()
        layer.reset(torch.Generator())
        fixed = BilinearEnlarging(2, factor, learnt=False).double()
        with torch.no_grad():
            y, same = layer(x), fixed(x)
        begin = factor // 2
        y = y[..., begin : begin + 6 * factor, begin : begin + 6 * factor]
        assert_close(y, same[..., begin : begin + 6 * factor, begin : begin + 6 * factor])
        whole = F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
        inside = slice(factor, -factor)
        assert_close(y[..., inside, inside], whole[..., inside, inside], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_both_optimisers_heed_the_weight_decay_that_is_set(optimizer):
    config = dataclasses.replace(unet_model.TINY, optimizer=optimizer, weight_decay=0.25)
    assert optimizer_of(config).build([torch.nn.Parameter(torch.ones(1))]).param_groups[0]["weight_decay"] == 0.25
