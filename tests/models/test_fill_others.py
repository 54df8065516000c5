"""Partial convolutions, EdgeConnect and editing by sketch and colour: published sizes, and what each alone does."""

import dataclasses

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.filling import total_variation
from ganvas.models.fill import edges, partial, sketch_colour
from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.initialise import initialise


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def started(module, **changes):
    model = module.Model(dataclasses.replace(module.TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


def a_batch(size=16, guide=None):
    generator = stream(1, "pictures")
    images, mask = torch.rand(2, 3, size, size, generator=generator) * 2 - 1, torch.ones(2, 1, size, size)
    mask[..., size // 4 : size // 2, size // 4 :] = 0
    return Pictures(images=images, mask=mask, guide=guide, rng=stream(2, "noise"))


def test_edgeconnect_has_as_many_parameters_as_the_authors_networks():
    with torch.device("meta"):
        model = edges.Model(edges.Config())
    assert parameters(model.edges) == 10_761_089
    assert parameters(model.colours) == 10_774_595


def test_the_editor_has_as_many_parameters_as_the_released_network():
    with torch.device("meta"):
        model = sketch_colour.Model(
            sketch_colour.Config(own_gate=False, norm="lrn", presence=False, live_dilations=False)
        )
    assert parameters(model.generator) == 92_886_100
    assert model.config.used_dilations == (2, 4, 8, 16)
    assert sketch_colour.Config().used_dilations == (2, 2, 2, 2)  # The bottom is 4 x 4.


def test_black_and_nothing_differ_where_a_channel_says_that_a_colour_was_drawn():
    batch = a_batch(8)
    black, nothing = torch.zeros(2, 5, 8, 8), torch.zeros(2, 5, 8, 8)
    black[:, 1:4], black[:, 4] = 0, 1  # Of the colour range [-1, 1] the middle: what "nothing" holds too.
    for presence, same in ((True, False), (False, True)):
        model = started(sketch_colour, presence=presence)
        found = [model.fill(batch.images, batch.known, guide=guide) for guide in (black, nothing)]
        assert torch.equal(*found) is same


def test_a_drawing_outside_of_the_hole_changes_nothing():
    batch = a_batch(8)
    model = started(sketch_colour)
    drawn = torch.rand(2, 5, 8, 8, generator=stream(3, "drawn")) * batch.known
    assert torch.equal(
        model.fill(batch.images, batch.known, guide=drawn), model.fill(batch.images, batch.known, guide=None)
    )


def test_noise_has_the_deviation_that_is_set():
    batch = a_batch(8)
    noise = torch.randn(2, 1, 8, 8, generator=stream(4, "noise"))
    plain, weak = started(sketch_colour), started(sketch_colour, noise_deviation=0.25)
    made = weak.fill(batch.images, batch.known, noise=noise)
    assert torch.equal(made, plain.fill(batch.images, batch.known, noise=noise / 4))
    assert not torch.equal(made, plain.fill(batch.images, batch.known))


def test_as_released_the_transposed_gate_is_of_its_own_features():
    layer = sketch_colour.GatedConvTranspose2d(2, 3, own_gate=False)
    layer.reset(stream(0, "weights"))
    torch.nn.init.constant_(layer.gate_bias, 40.0)
    x = torch.randn(1, 2, 4, 4, generator=stream(1, "x"))
    features = F.leaky_relu(F.conv_transpose2d(x, layer.weight, stride=2, padding=2, output_padding=1), 0.2)
    assert_close(layer(x), features * torch.sigmoid(features))
    meant = sketch_colour.GatedConvTranspose2d(2, 3, own_gate=True)
    meant.load_state_dict(layer.state_dict())
    assert_close(meant(x), features)  # An open gate lets everything through.
    assert meant(x).shape == (1, 3, 8, 8)


def test_a_gate_that_is_open_leaves_a_convolution_and_its_activation():
    layer = GatedConv2d(2, 3, 3, padding=1)
    initialise(layer, stream(0, "weights"))
    with torch.no_grad():
        layer.convolution.bias[3:] = 40.0
        layer.convolution.weight[3:] = 0
    x = torch.randn(1, 2, 5, 5, generator=stream(1, "x"))
    assert_close(layer(x), F.elu(F.conv2d(x, layer.convolution.weight[:3], padding=1)))


def test_partial_convolutions_are_blind_to_what_is_under_the_hole_in_training_too():
    model, batch = started(partial), a_batch(8)
    other = dataclasses.replace(batch, images=torch.where(batch.known > 0, batch.images, 0.123))
    found = [model.network(one.images, one.known) for one in (batch, other)]
    assert torch.equal(*found)


def test_lines_that_are_drawn_are_added_to_the_edges_that_are_made():
    model, batch = started(edges), a_batch(16)
    drawn = torch.ones(2, 1, 16, 16)
    seen = []
    model.colours.register_forward_pre_hook(lambda module, given: seen.append(given[0][:, 3:]))
    model.fill(batch.images, batch.known, guide=drawn)
    assert seen[0][batch.known == 0].eq(1).all()


def test_the_variation_of_a_step_is_its_height_times_its_length():
    step = torch.zeros(1, 1, 6, 8)
    step[..., 3:] = 0.5
    assert_close(total_variation(step, torch.ones(1, 1, 6, 8)) * 48, torch.tensor([0.5 * 6]))
    region = torch.ones(1, 1, 6, 8)
    region[..., :3, :] = 0
    assert_close(total_variation(step, region) * 48, torch.tensor([0.5 * 3]))


@pytest.mark.parametrize("module", [partial, edges, sketch_colour])
def test_sides_that_the_halvings_do_not_divide_are_refused(module):
    with pytest.raises(Exception, match="multiple"):
        dataclasses.replace(module.TINY, height=module.TINY.height + 1)
