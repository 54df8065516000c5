"""The softmax over colours: what it says of a colour, and what it draws."""

import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.likelihoods.colour_softmax import ColourSoftmax, softmax_of

pytestmark = pytest.mark.usefixtures("float64")


def test_even_logits_give_8_bits_per_number():
    found = ColourSoftmax(torch.zeros(2, 3, 256, 4, 5)).log_prob(torch.rand(2, 3, 4, 5) * 2 - 1)
    assert_close(found, torch.full((2, 4, 5), -3 * 8 * math.log(2)))


def test_the_probabilities_of_all_colours_of_each_channel_add_up_to_1():
    logits = torch.randn(1, 2, 256, 1, 1, generator=stream(0, "logits"))
    colours = torch.arange(256) / 127.5 - 1
    for channel in range(2):
        one = ColourSoftmax(logits[:, channel : channel + 1].expand(256, -1, -1, -1, -1))
        assert float(one.log_prob(colours.view(-1, 1, 1, 1)).exp().sum()) == pytest.approx(1)


def test_drawn_colours_are_those_that_have_a_probability_of_their_own_channel():
    numbers = torch.full((50, 2 * 256, 1, 1), -1e9)
    numbers[:, 7], numbers[:, 256 + 200] = 0, 0
    drawn = softmax_of(numbers, channels=2).sample(stream(1, "draws"))
    assert_close(drawn[:, 0], torch.full((50, 1, 1), 7 / 127.5 - 1))
    assert_close(drawn[:, 1], torch.full((50, 1, 1), 200 / 127.5 - 1))


def test_drawn_colours_occur_as_often_as_their_probabilities_say():
    n, logits = 20_000, torch.full((256,), -1e9)
    logits[[0, 3, 100, 255]] = torch.tensor([0.0, 1.0, -1.0, 0.5])
    drawn = ColourSoftmax(logits.view(1, 1, 256, 1, 1).expand(n, -1, -1, -1, -1)).sample(stream(2, "draws"))
    counts = ((drawn + 1) * 127.5).round().long().flatten().bincount(minlength=256).double()
    expected = n * logits.softmax(0)
    assert float(counts[expected == 0].sum()) == 0
    chosen = expected > 0
    # Chi squared of three degrees of freedom is above 16.3 once in a thousand.
    assert float(((counts - expected).square() / expected)[chosen].sum()) < 16.3
