import numpy as np
import pytest
import torch
from torch import nn

from ganvas.core.schedule import Stage
from ganvas.data.packing import prepare
from ganvas.models.translate.cyclegan import A_TO_B, B_TO_A, TINY, Model
from ganvas.train.examinations.translated_examination import TranslatedExamination
from ganvas.train.plan import Plan
from ganvas.train.state import new_state

STAGE = Stage(batch_size=4, lr=1e-3)


class Times(nn.Module):
    """Colours in [-1, 1] times a number: -1 makes the negative."""

    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))

    def forward(self, x):
        return x * self.factor


class Blurred(Times):
    """Without what differs from pixel to pixel."""

    def forward(self, x):
        return nn.functional.avg_pool2d(super().forward(x), 3, 1, 1, count_include_pad=False)


class Noisy(Times):
    """With noise from torch's global stream, as dropout has it."""

    def forward(self, x):
        return super().forward(x) + torch.randn_like(x)


@pytest.fixture(scope="module")
def negatives(tmp_path_factory):
    """300 dark pictures, and the negatives of the same ones in the same order."""
    folder = tmp_path_factory.mktemp("negatives")
    dark = np.random.default_rng(0).integers(0, 120, (300, 16, 16, 3), dtype=np.uint8)
    packs = []
    for name, pictures in (("dark", dark), ("light", 255 - dark)):
        np.savez(folder / f"{name}.npz", images=pictures)
        packs.append(prepare(str(folder / f"{name}.npz"), quiet=True))
    return packs


def measured(packs, there, back, *, n=150):
    model = Model(TINY)
    model.generators[A_TO_B], model.generators[B_TO_A] = there, back
    a, b = packs
    examination = TranslatedExamination(Plan(measure_n=n), {A_TO_B: (a, b), B_TO_A: (b, a)})
    assert examination.refusal == ""
    results, floor = examination.measure(new_state(model), STAGE)
    assert [one.metric for one in results[:2]] == list(examination.metrics)
    return {one.metric: one.value for one in results}, {one.metric: one.value for one in floor}


@pytest.mark.slow
def test_the_negatives_of_negatives_are_at_no_distance_from_the_pictures_themselves(negatives):
    values, _ = measured(negatives, there=Times(-1), back=Times(-1))
    assert (values["swd.a-to-b"], values["swd.b-to-a"]) == (0, 0)


def test_each_direction_is_measured_by_itself(negatives):
    values, floor = measured(negatives, there=Times(-1), back=Blurred(-1))
    assert values["swd.a-to-b"] == 0.0
    assert values["swd.b-to-a"] > 2 * floor["swd.b-to-a"] > 0
    # Dark and light ones differ in mean alone, and no more than chance in anything else.
    assert 0 < values["swd.a-to-b.linear_colours"] < 2 * floor["swd.a-to-b"]


def test_a_translator_with_noise_is_measured_alike_whatever_was_drawn_before(negatives):
    first, _ = measured(negatives, there=Noisy(-1), back=Noisy(-1), n=128)
    torch.randn(7)
    assert measured(negatives, there=Noisy(-1), back=Noisy(-1), n=128)[0] == first
