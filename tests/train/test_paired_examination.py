"""The floors that stand beside a model that learnt from pairs."""

import math

import numpy as np
import pytest

from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.data.packing import prepare
from ganvas.models.translate.pix2pix import TINY, TO_TARGET, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.examinations.paired_examination import PairedExamination
from ganvas.train.feeds.paired_feed import Pairs
from ganvas.train.plan import Plan
from ganvas.train.state import new_state


@pytest.fixture
def negatives(tmp_path):
    """Pairs of pictures of four levels, of which all colours occur, and their negatives."""
    found = []
    for seed in (0, 1):
        shown = 64 * np.random.default_rng(seed).integers(0, 4, (6, 8, 12, 3), dtype=np.uint8)
        packs = []
        for name, pictures in (("shown", shown), ("truth", 255 - shown)):
            np.savez(tmp_path / f"{name}{seed}.npz", images=pictures)
            packs.append(prepare(str(tmp_path / f"{name}{seed}.npz"), quiet=True))
        found.append(Pairs(pictures=packs[0], rows=np.arange(6), target=packs[1], target_rows=np.arange(6)))
    return found


def test_beside_a_model_stand_the_mean_target_what_colours_tell_and_the_pictures_as_they_are(negatives):
    known, held_out = negatives
    examination = PairedExamination(Plan(measure_n=6), known, held_out, direction=TO_TARGET)
    model = Model(TINY)
    initialise(model, stream(0, "weights"))
    state = new_state(model)
    results, _ = examination.measure(state, Stage(batch_size=4, lr=1e-3))
    values = {one.metric: one.value for one in results}
    shown = held_out.read_pictures(np.arange(6)).astype(float)
    mean = np.round(255 - known.read_pictures(np.arange(6)).mean(0))

    def decibels(made):
        return np.mean([10 * math.log10(255**2 / np.square(x).mean()) for x in made - (255 - shown)])

    assert values["psnr.identity"] == pytest.approx(decibels(shown))
    assert values["psnr.mean_target"] == pytest.approx(decibels(mean))
    no_error = 10 * math.log10(255**2 * 8 * 12 * 3)  # One value of a picture is off by one level, as the metric has it.
    assert values["psnr.colour_table"] == pytest.approx(no_error), "a colour tells its negative"
    again, _ = examination.measure(state, Stage(batch_size=4, lr=1e-3))
    assert [one.value for one in again] == [one.value for one in results]
