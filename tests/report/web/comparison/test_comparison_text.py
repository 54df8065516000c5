import csv
import io
import json

import numpy as np
import pytest

from ganvas.core.results import Result
from ganvas.report.web.comparison import comparison_page, comparison_text
from ganvas.report.web.comparison.compared import Compared, Comparison, Gap, SamplingCost, Turned
from ganvas.report.web.comparison.comparison_curves import position
from ganvas.report.web.comparison.settings_apart import settings_of
from ganvas.report.web.run_numbers import Measurement
from ganvas.report.web.run_page import RunPage


def swd(value, protocol="swd:n64:ref=x"):
    return Result(
        metric="swd", value=value, standard_error=0.5, error_method="", n=64, seed=0, better="lower", protocol=protocol
    )


def model(name, value, *, config, protocol="swd:n64:ref=x", drawing=None, gaps=()):
    measures = [
        Measurement(kimg=kimg, when="", source="measure", results=[swd(value + 9 - kimg, protocol)], floor=[swd(2.0)])
        for kimg in (1.0, 9.0)
    ]
    run = RunPage(
        name=name,
        model="gan/dcgan",
        config=config,
        data={"height": 16, "width": 24, "channels": 3},
        cost={"seconds": 90.0, "nimg": 9000.0, "flop": 1.8e13},
        pace={"kimg": np.array([3.0, 9.0]), "seconds": np.array([30.0, 90.0])},
        measures=measures,
    )
    return Compared(run=run, name=name, kimg=9.0, parameters=1_234_567, drawing=drawing, gaps=gaps)


@pytest.fixture
def comparison():
    drawing = SamplingCost(macs=2.5e6, evaluations=1, milliseconds=3.0, batch=16, parameters=1000)
    gap = Gap(metric="bits_per_dimension", train=4.0, held_out=4.5, error=0.1, n=64, better="lower")
    models = [
        model("one", 12.0, config={"lr": 0.1, "base": [4, 4]}, drawing=drawing, gaps=[gap]),
        model("two", 5.0, config={"lr": 0.2, "base": [4, 4]}),
        model("three", 7.0, config={"lr": 0.1}, protocol="swd:n32:ref=x"),
    ]
    return Comparison(models=models)


def test_csv_has_a_row_a_model_with_values_errors_and_blanks_for_what_is_not_known(comparison):
    rows = list(csv.DictReader(io.StringIO(comparison_text.as_csv(comparison))))
    assert [row["name"] for row in rows] == ["one", "two", "three"]
    assert [row["swd"] for row in rows] == ["12.0", "5.0", ""]
    assert rows[0]["swd.standard_error"] == "0.5"
    assert [row["draw_macs"] for row in rows] == ["2500000.0", "", ""]
    assert rows[0]["bits_per_dimension.train_minus_held_out"] == "0.5"
    assert rows[0]["pixels"] == "384"


def test_the_text_names_what_is_not_compared_and_ranks_nobody(comparison):
    text = comparison_text.text(comparison)
    assert "12.00 ± 0.50" in text
    assert "Not compared: SWD of three, measured as swd:n32:ref=x." in text
    assert "rank" not in text
    assert "score" not in text


def test_plain_values_can_be_written_as_json(comparison):
    plain = json.loads(json.dumps(comparison_text.as_plain(comparison), allow_nan=False))
    assert plain["models"][1]["values"]["swd"] == {"value": 5.0, "standard_error": 0.5}
    assert plain["floors"]["swd"]["value"] == 2.0
    assert [one["name"] for one in plain["not_compared"]] == ["three"]


def test_a_gap_is_positive_where_the_model_does_better_on_what_it_learnt_from():
    lower = Gap(metric="swd", train=4.0, held_out=5.0, error=None, n=8, better="lower")
    higher = Gap(metric="ais", train=4.0, held_out=3.0, error=None, n=8, better="higher")
    assert (lower.value, higher.value) == (1.0, 1.0)


def test_only_settings_that_differ_are_apart_and_a_missing_one_differs(comparison):
    apart = {one.name: one.values for one in settings_of(comparison.models) if one.apart}
    assert apart == {"lr": ["0.1", "0.2", "0.1"], "base": ["4, 4", "4, 4", "–"]}


def test_a_moment_lies_where_the_reports_of_cost_say_and_nowhere_behind_the_last(comparison):
    seconds = position(comparison.models[0], "seconds", np.array([0.0, 6.0, 10.0]))
    np.testing.assert_allclose(seconds, [0.0, 60.0, np.nan])
    np.testing.assert_allclose(position(comparison.models[0], "flop", np.array([4.5])), [0.9e13])


def test_the_page_holds_every_model_and_asks_for_nothing_from_outside(comparison):
    turned = Turned(dial="temperature", values=[0.5, 1.0], precision=[0.9, 0.7], recall=[0.2, 0.6])
    models = [*comparison.models[:2], Compared(run=RunPage(name="<b>", model="vae/vae"), name="<b>", turned=[turned])]
    text = comparison_page.html(Comparison(models=models, real_precision=0.8, real_recall=0.8))
    assert "<b>one</b>" in text
    assert "&lt;b&gt;" in text
    assert "Precision over recall" in text or "Precision against recall" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert 'src="http' not in text
