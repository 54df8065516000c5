"""PixelCNN and Gated PixelCNN: what each pixel sees, and what it is blind to; drawing from memory is drawing anew."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.games.pixel_game import PixelDrawing
from ganvas.losses.likelihoods.logistic_mixture import whole_colours
from ganvas.models.autoregressive import gated_pixelcnn, pixelcnn
from ganvas.nn.layers.initialise import initialise

pytestmark = pytest.mark.usefixtures("float64")
BOTH = pytest.mark.parametrize("module", [pixelcnn, gated_pixelcnn], ids=["pixelcnn", "gated_pixelcnn"])


def started(module, **changes):
    model = module.Model(dataclasses.replace(module.TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


def pictures(n, config, *, seed=1):
    shape = (n, config.channels, *config.picture.size)
    return whole_colours(torch.rand(*shape, generator=stream(seed, "pictures")) * 2 - 1)


def labels_of(model, n):
    return torch.arange(n) % model.config.num_classes if model.config.num_classes else None


def seen_from(model, y, x):
    """The pixels that the numbers of pixel (y, x) move with, as booleans (h, w)."""
    images = pictures(8, model.config).requires_grad_()
    numbers = model.numbers(images, None)[..., y, x]
    (numbers * torch.randn(numbers.shape[1], generator=stream(2, "weights"))).sum().backward()
    return images.grad.abs().sum((0, 1)) > 0


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_stack_of_masked_kernels_is_blind_to_the_right_of_the_line_that_its_columns_per_row_draw(blocks):
    # One row up the first kernel, of 7 x 7, reaches 3 columns to the right; each block of 3 x 3 adds one column where
    # it goes up by one row more. So of row j above, columns beyond j + 2 are never seen, however many blocks there are.
    height, width, y, x = 6, 16, 5, 3
    model = started(pixelcnn, height=height, width=width, blocks=blocks, features=8, mixtures=2)
    expected = torch.zeros(height, width, dtype=torch.bool)
    for row in range(height):
        up = y - row
        for column in range(width):
            right = column - x
            if up == 0:
                expected[row, column] = -(3 + blocks) <= right < 0
            else:
                further = min(max(up - 1, 0), blocks)  # Blocks that can go up by a row of their own.
                first = 3 if up <= 3 + blocks else 0
                expected[row, column] = up <= 3 + blocks and -(3 + blocks) <= right <= first + further
    assert torch.equal(seen_from(model, y, x), expected)


def test_two_stacks_see_every_earlier_pixel_and_no_other():
    model = started(gated_pixelcnn, height=5, width=8, blocks=5, features=6)
    for y in range(5):
        for x in range(8):
            expected = torch.arange(40).view(5, 8) < 8 * y + x
            assert torch.equal(seen_from(model, y, x), expected), (y, x)


@BOTH
def test_with_a_softmax_a_channel_knows_those_before_it_of_its_own_pixel_and_no_other(module):
    model = started(module, mixtures=0, features=12, top_features=24)
    images = pictures(4, model.config)
    for channel in range(3):
        x = images.clone().requires_grad_()
        model.distribution(model.numbers(x, None)).logits[:, channel, :, 4, 4].square().sum().backward()
        own = x.grad[:, :, 4, 4].abs().sum(0) > 0
        assert own.tolist() == [before < channel for before in range(3)]


@BOTH
@pytest.mark.parametrize("changes", [{"mixtures": 2}, {"mixtures": 0}, {"mixtures": 2, "channels": 1}], ids=str)
def test_drawing_from_memory_is_drawing_from_whole_pictures_to_the_bit(module, changes):
    model = started(module, height=5, width=6, blocks=2, **changes)
    fast, rng = model.sample(3, stream(7, "draws")), stream(7, "draws")

    class Anew(PixelDrawing):
        """The whole network at every pixel."""

        def start_row(self, images, y):
            pass

        def numbers(self, images, y, x):
            return model.numbers(images, None)[..., y : y + 1, x : x + 1]

    model.drawing = lambda n, labels: Anew()
    assert torch.equal(fast, model.sample(3, rng))


@pytest.mark.parametrize("classes", [0, 3])
def test_what_is_remembered_while_drawing_is_what_the_whole_pass_says(classes):
    model = started(gated_pixelcnn, height=4, width=5, num_classes=classes)
    x, labels = pictures(3, model.config), labels_of(model, 3)
    drawing, found = model.drawing(3, labels), []
    with torch.no_grad():
        for y in range(4):
            drawing.start_row(x, y)
            found += [drawing.numbers(x, y, column) for column in range(5)]
        whole = model.numbers(x, labels)
    assert_close(torch.cat(found, 3).view_as(whole), whole, rtol=1e-12, atol=1e-12)


def test_a_likelihood_without_a_class_is_the_mean_over_all_of_them():
    model = started(gated_pixelcnn, num_classes=3)
    x = pictures(2, model.config)
    with torch.no_grad():
        each = torch.stack([model.log_prob_of(x, torch.full((2,), label)) for label in range(3)])
        assert each.std(0).min() > 0
        assert_close(model.log_prob(x, stream(0, "none")), each.logsumexp(0) - math.log(3))


def test_too_few_features_for_the_order_of_channels_are_refused():
    with pytest.raises(UserError, match="features=2 must be at least 3"):
        dataclasses.replace(pixelcnn.TINY, features=2)


@BOTH
@pytest.mark.parametrize("mixtures", [0, 5])
def test_an_untrained_network_is_sure_of_no_colour(module, mixtures):
    model = started(module, mixtures=mixtures, blocks=5, features=24, top_features=48)
    images = pictures(8, model.config)
    if mixtures:  # All components begin near the logistic of mean 0 and scale 1, in units of half of all levels.
        density = torch.sigmoid(images) * torch.sigmoid(-images)
        expected = -torch.log2(density / 127.5).mean()  # Of a level: 2 / 255 of it. The two at the ends have more.
    else:
        expected = torch.tensor(8.0)
    with torch.no_grad():
        found = -model.log_prob(images, stream(0, "none")) / (images[0].numel() * math.log(2))
    assert found.mean() == pytest.approx(float(expected), abs=0.25)
