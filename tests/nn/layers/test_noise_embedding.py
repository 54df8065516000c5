"""The embedding of noise levels: its waves in closed form, and classes that are told or not."""

import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.noise_embedding import NoiseEmbedding, waves

pytestmark = pytest.mark.usefixtures("float64")


def test_waves_go_from_one_radian_a_level_to_a_ten_thousandth():
    level = 3.7
    found = waves(torch.tensor([level]), 6)
    rates = [1.0, 0.01, 0.0001]
    assert_close(
        found[0], torch.tensor([*map(math.cos, (r * level for r in rates)), *(math.sin(r * level) for r in rates)])
    )


def test_a_class_that_is_not_told_adds_nothing_and_two_that_are_told_differ():
    embedding = NoiseEmbedding(8, 5, num_classes=3)
    initialise(embedding, stream(0, "weights"))
    levels = torch.zeros(3)
    hidden, first, second = embedding(levels, torch.tensor([-1, 0, 1]), torch.float64).detach()
    embedding.classes = None
    assert_close(hidden, embedding(levels, None, torch.float64)[0].detach())
    assert not torch.allclose(first, second)
