"""``ganvas measure`` of points: against a law, by what the law allows."""

import json
import math

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.points.mixtures import MIXTURES
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.train import Train, train

SETTINGS = ("width=8", "depth=1", "batch_size=8", "burst_first=1", "burst_moves=2", "measure_n=64")


@pytest.fixture
def table(tmp_path):
    points, marks = MIXTURES["ring8"].points(np.arange(3000), seed=7)
    np.savetxt(tmp_path / "half.csv", points[marks < 4], delimiter=",")
    return str(tmp_path / "half.csv")


def values(result):
    return {one.metric: one.value for one in result.results}


def test_half_of_a_ring_has_half_of_its_modes_and_the_js_of_its_closed_form(table):
    found = measure(Measure(a=table, b="mixtures:ring8", quiet=True))
    assert values(found)["modes"] == 4
    # q = 2p on half of the law, 0 on the other: 2p/(p+q) is 2/3 and 2, and 2q/(p+q) is 4/3.
    exact = 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2)) + 0.5 * math.log(4 / 3)
    assert values(found)["js"] == pytest.approx(exact, abs=0.02)
    assert values(found)["js.reverse_kl"] == pytest.approx(math.log(2), abs=0.1)
    floor = {one.metric: one.value for one in found.floor}
    assert floor["modes"] == 8
    assert (found.unit, found.b) == ("points", "mixtures:ring8")


def test_a_run_of_points_is_measured_against_its_own_law_and_remembers_it(tmp_path):
    run = tmp_path / "run"
    train(Train(model="gan/wgan", data="mixtures:segments,200", out=run, kimg=0.2, set=SETTINGS, quiet=True))
    found = measure(Measure(a=str(run), n=500, quiet=True))
    assert set(values(found)) >= {"js", "w1", "gap_mass", "gap_mass.bound", "gap_mass.lipschitz", "support_size"}
    last = json.loads((run / "measures.jsonl").read_text().splitlines()[-1])
    assert (last["source"], last["own"], last["n"]) == ("measure", True, 500)


def test_chosen_values_are_measured_alone(table):
    found = measure(Measure(a=table, b="mixtures:ring8", metrics=("modes,support_size",), quiet=True))
    assert list(values(found)) == ["modes", "modes.high_quality", "modes.reverse_kl", "support_size"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "its law is not known"),
        ({"b": "mixtures:pair"}, "2 numbers per point, and mixtures:pair has 1"),
        ({"b": "mixtures:ring8", "metrics": ("fid",)}, "'fid' is not measured of points"),
        ({"b": "mixtures:ring8", "n": 10_000}, "has 1,4.. points|has 1,5.. points"),
        ({"b": "mixtures:ring8", "label": "1"}, "--label"),
        ({"b": "mixtures:ring9"}, "Did you mean"),
    ],
)
def test_what_cannot_be_measured_of_points_is_said(table, options, says):
    with pytest.raises(UserError, match=says):
        measure(Measure(a=table, quiet=True, **options))


def test_points_without_a_law_are_no_reference(table):
    with pytest.raises(UserError, match="has no known law"):
        measure(Measure(a=table, b=table, quiet=True))
