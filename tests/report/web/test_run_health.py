"""The part of a run's page that tells what its monitor saw."""

import json

import numpy as np

from ganvas.report.web.run_health import health_charts
from ganvas.report.web.run_page import html
from ganvas.report.web.run_reader import read

KIMG = np.array([1.0, 2.0])


def test_signs_become_charts_by_what_they_tell():
    signs = {"kimg": KIMG, "reals_over_fakes": KIMG, "reals_over_held_out": KIMG, "variety": KIMG}
    charts = health_charts(signs, {"kimg": KIMG, "augment_p": KIMG}, [])
    assert [chart.title for chart, _ in charts] == [
        "What the discriminator tells apart",
        "What the generator draws",
        "Augmentation",
    ]
    assert [curve.name for curve in charts[0][0].curves] == ["training over drawn", "training over held-out"]


def test_the_noise_scale_is_drawn_with_its_errors_by_phase_and_term():
    signs = {"kimg": KIMG, "noise_unit": 4 * np.ones(2), "noise_scale_beyond/G": np.array([64.0, np.nan])}
    for name in ("D", "D/gradient_penalty"):
        signs |= {f"noise_scale/{name}": KIMG, f"noise_scale_error/{name}": 0.1 * KIMG}
    ((chart, caption),) = health_charts(signs, {}, [])
    assert [(curve.name, list(curve.error)) for curve in chart.curves] == [
        ("D", [0.1, 0.2]),
        ("D gradient penalty", [0.1, 0.2]),
    ]
    assert "groups of 4" in caption
    assert "The noise hid the gradient of G at 1 of 2 check-ups." in caption


def test_a_single_check_up_draws_nothing():
    assert health_charts({"kimg": KIMG[:1], "variety": KIMG[:1]}, {}, []) == []


def run_with(folder, *lines):
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"format": 2, "model": "gan/dcgan", "data": {}}))
    if lines:
        (folder / "health.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read(folder)


def test_findings_stand_on_the_page_with_what_is_advised(tmp_path):
    found = [{"text": "mode collapse since 42 kimg: variety 12 % of the data's", "advice": "Do this."}]
    page = run_with(tmp_path / "run", {"kimg": 42, "signs": {"variety": 0.12}, "findings": found})
    assert page.findings == [("Mode collapse since 42 kimg: variety 12 % of the data's", "Do this.")]
    assert "Mode collapse since 42 kimg: variety 12 % of the data&#x27;s. Do this." in html(page)


def test_a_healthy_run_says_so_and_one_without_check_ups_says_nothing(tmp_path):
    healthy = run_with(tmp_path / "healthy", *({"kimg": kimg, "signs": {"variety": 0.9}} for kimg in (1, 2)))
    assert "Nothing was found at the last check-up" in html(healthy)
    assert "check-up" not in html(run_with(tmp_path / "none"))


def test_what_somebody_wrote_into_the_file_is_left_out(tmp_path):
    page = run_with(tmp_path / "run", {"kimg": 1, "signs": 7, "findings": [3, {"text": None}]}, {"kimg": "x"})
    assert list(page.findings) == []
    assert html(page)
