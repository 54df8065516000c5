"""PixelCNN++ against what it must be: every pixel seen by exactly the later ones, and an exact likelihood."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.likelihoods.logistic_mixture import whole_colours
from ganvas.models.autoregressive.pixelcnn_pp import TINY, CausalConv2d, CausalDoubling, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.stream_dropout import dropout

pytestmark = pytest.mark.usefixtures("float64")


def started(seed=0, **changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(seed, "weights"))
    return model


def pictures(n, config, *, seed=1):
    shape = (n, config.channels, *config.picture.size)
    return whole_colours(torch.rand(*shape, generator=stream(seed, "pictures")) * 2 - 1)


def mixture(model, x):
    return model.distribution(model.numbers(x, None))


def sees(model):
    """Whether pixel i's numbers move with pixel j's colours, (pixels, pixels): one copy of a picture per pixel i."""
    height, width = model.config.picture.size
    pixels = height * width
    x = pictures(1, model.config).expand(pixels, -1, -1, -1).clone().requires_grad_()
    numbers = model.network(x, lambda y: y)
    weights = torch.randn(numbers.shape[1], generator=stream(2, "weights"))
    own = torch.eye(pixels).view(pixels, 1, height, width)
    (numbers * weights.view(1, -1, 1, 1) * own).sum().backward()
    return x.grad.abs().sum(1).flatten(1) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("levels", "height", "width"), [(1, 8, 12), (2, 8, 12), (3, 8, 12), (3, 12, 8)], ids=lambda value: str(value)
)
def test_a_pixel_sees_every_earlier_one_and_neither_itself_nor_a_later_one(levels, height, width):
    # Three blocks look 14 columns to the right in the row just above, the shortest reach of all: see below.
    model = started(levels=levels, blocks=3, height=height, width=width, features=3)
    assert_close(sees(model), torch.ones(height * width, height * width).tril(-1).bool(), rtol=0, atol=0)


def test_the_row_just_above_is_seen_as_far_to_the_right_as_the_convolutions_at_full_size_reach():
    # Its first half row holds no row above row 1, so halving does not help there. One column for each of: the first
    # convolution, two per block on the way down, one for the first block on the way up, two for each later one.
    model = started(levels=2, blocks=1, height=4, width=12, features=3)
    seen = sees(model)[12].view(4, 12)[0]  # By the first pixel of the second row.
    assert seen.nonzero().flatten().tolist() == list(range(1 + 2 + 1 + 2 + 1))


@pytest.mark.parametrize("channels", [1, 4])
def test_pixels_of_grey_and_of_transparent_pictures_are_seen_in_the_same_order(channels):
    model = started(levels=1, blocks=2, height=4, width=5, features=3, channels=channels)
    assert_close(sees(model), torch.ones(20, 20).tril(-1).bool(), rtol=0, atol=0)


@pytest.mark.slow
def test_the_probabilities_of_all_pictures_add_up_to_1():
    model = started(levels=1, height=1, width=2, channels=1)
    with torch.no_grad():
        one = torch.arange(256) / 127.5 - 1
        every = torch.cartesian_prod(one, one).view(-1, 1, 1, 2)
        total = sum(model.log_prob(part, stream(0, "none")).exp().sum() for part in every.split(8192))
    assert total.item() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_likelihood_is_the_product_of_every_pixels_in_turn(channels):
    model = started(height=4, width=4, channels=channels)
    x = pictures(3, model.config)
    with torch.no_grad():
        total = torch.zeros(3)
        for y in range(4):
            for column in range(4):
                seen = x.clone()
                seen[..., y, column] = 0.123  # Neither the pixel itself nor a later one may matter.
                seen[..., y, column + 1 :] = -0.7
                seen[..., y + 1 :, :] = 0.9
                pixel = mixture(model, seen).pixel(y, column)
                total += pixel.log_prob(x[..., y : y + 1, column : column + 1])[:, 0, 0]
        assert_close(model.log_prob(x, stream(0, "none")), total, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize(
    ("levels", "height", "width", "channels"), [(1, 3, 4, 3), (2, 6, 4, 1), (3, 8, 12, 3)], ids=lambda value: str(value)
)
def test_what_is_remembered_while_drawing_is_what_the_whole_pass_says(levels, height, width, channels):
    model = started(levels=levels, blocks=2, height=height, width=width, channels=channels)
    x = pictures(2, model.config)
    drawing, found = model.drawing(2, None), []
    with torch.no_grad():
        for y in range(height):
            drawing.start_row(x, y)
            found += [drawing.numbers(x, y, column) for column in range(width)]
        whole = model.network(x, lambda y: y)
    assert_close(torch.cat(found, 3).view_as(whole), whole, rtol=1e-10, atol=1e-10)


def test_drawing_from_memory_is_drawing_from_whole_pictures_to_the_bit():
    model = started(height=8, width=4)
    fast, rng = model.sample(3, stream(7, "draws")), stream(7, "draws")
    slow = torch.zeros_like(fast)
    with torch.no_grad():
        for y in range(8):
            for x in range(4):
                slow[..., y, x] = mixture(model, slow).pixel(y, x).sample(rng)[..., 0, 0]
    assert torch.equal(fast, slow)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_when_data_has_set_the_weights_every_layers_outputs_have_mean_0_and_the_deviation_of_its_start(levels):
    model = started(levels=levels)
    batch = Pictures(images=pictures(16, model.config), rng=stream(0, "noise"))
    model.calibrate(batch)
    outputs = {}

    def note(layer, _, y):
        outputs[layer] = y

    for part in model.modules():
        if isinstance(part, CausalConv2d | CausalDoubling):
            part.register_forward_hook(note)
    with torch.no_grad():
        model.numbers(batch.images, None)
    assert {layer.start for layer in outputs} == {1.0, 0.1}
    for layer, y in outputs.items():
        assert_close(y.mean((0, 2, 3)), torch.zeros(y.shape[1]), rtol=0, atol=1e-10)
        deviation = y.var((0, 2, 3), correction=0).sqrt()
        assert_close(deviation, torch.full_like(deviation, layer.start), rtol=1e-4, atol=0)


def test_a_convolutions_weights_have_the_length_that_is_learnt():
    layer = CausalConv2d(2, 3, (2, 3), sees="around")
    initialise(layer, stream(0, "weights"))
    with torch.no_grad():
        layer.length.copy_(torch.tensor([1.0, 2.0, 5.0]))
        unit = torch.zeros(12, 2, 5, 5)
        for tap in range(12):  # One impulse per tap; the pixel that looks is the middle one of the last row.
            unit[tap, tap // 6, 3 + tap % 6 // 3, 1 + tap % 3] = 1
        taps = layer(unit)[:, :, 4, 2]
    assert_close(taps.square().sum(0).sqrt(), torch.tensor([1.0, 2.0, 5.0]))


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    x, uniform = torch.ones(20_000), torch.rand(20_000, generator=stream(0, "mask"))
    dropped = dropout(x, uniform, 0.3)
    assert set(dropped.unique().tolist()) == {0.0, 1 / 0.7}
    # Three deviations of a share of 20,000 coins.
    assert abs((dropped == 0).double().mean() - 0.3) < 3 * math.sqrt(0.3 * 0.7 / 20_000)


def test_dropout_is_drawn_from_the_steps_stream_while_learning_and_never_for_a_likelihood():
    model = started(dropout=0.5)
    model.calibrate(Pictures(images=pictures(8, model.config)))
    (phase,) = model.phases()
    x = pictures(4, model.config)

    def loss(seed):
        return phase.loss(Pictures(images=x, rng=stream(seed, "noise")))["bits_per_dimension"]

    assert torch.equal(loss(1), loss(1))
    assert not torch.equal(loss(1), loss(2))
    exact = -model.log_prob(x, stream(1, "noise")) / (x[0].numel() * math.log(2))
    assert not torch.allclose(loss(1), exact)
    still = started(dropout=0.0)
    still.load_state_dict(model.state_dict())
    assert_close(still.phases()[0].loss(Pictures(images=x))["bits_per_dimension"], exact)


def test_the_average_of_the_weights_has_the_decay_of_the_settings():
    (phase,) = started(average_decay=0.75).phases()
    assert phase.average == 0.75


def test_the_papers_network_has_the_number_of_parameters_counted_from_its_code():
    def layer(inputs, outputs, taps):
        return inputs * outputs * taps + 2 * outputs  # Directions, lengths and biases.

    f = 160
    first = layer(4, f, 6) + layer(4, f, 3) + layer(4, f, 2)
    above = layer(2 * f, f, 6) + layer(2 * f, 2 * f, 6)  # A block: two convolutions of 2 x 3 of concatenated ELUs.
    left = layer(2 * f, f, 4) + layer(2 * f, 2 * f, 4)
    down = 15 * (above + left + layer(2 * f, f, 1))
    up = 17 * (above + layer(2 * f, f, 1) + left + layer(4 * f, f, 1))
    between = 4 * (layer(f, f, 6) + layer(f, f, 4))
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in Model(type(TINY)()).parameters())
    assert count == first + down + up + between + layer(f, 100, 1) == 53_659_080
