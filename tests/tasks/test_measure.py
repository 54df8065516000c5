import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.core.run_folder import FORMAT
from ganvas.tasks.measure import Measure, MeasureResult, labelled, measure


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a folder of pictures, each its own noise."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def make(name, n, *, size=(16, 16), seed=0, deviation=40):
        random = np.random.default_rng(seed)
        (tmp_path / name).mkdir()
        for index in range(n):
            pixels = (128 + deviation * random.normal(size=(*size, 3))).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index:04d}.png")
        return str(tmp_path / name)

    return make


@pytest.fixture
def quick(monkeypatch):
    """The metrics' defaults at a size that a test has time for."""
    from ganvas.metrics import swd

    monkeypatch.setattr(swd.Accumulator, "Config", staticmethod(lambda: swd.TINY))


def result(metric="swd", value=12.0, error=0.5, **how):
    standard = {"error_method": "", "n": 16, "seed": 0, "better": "lower", "protocol": "p"}
    return Result(metric=metric, value=value, standard_error=error, **(standard | how))


def test_two_folders_are_measured_with_as_many_pictures_as_leave_a_second_draw_of_reals(folder, quick):
    found = measure(Measure(a=folder("a", 40, seed=1), b=folder("b", 51, seed=2), quiet=True))
    assert found.n == 25
    assert [one.metric for one in found.results] == [one.metric for one in found.floor]
    assert all(one.n == 25 for one in [*found.results, *found.floor])
    assert found.written is None
    json.dumps(dataclasses.asdict(found), allow_nan=False)


def test_a_folder_against_itself_is_at_no_distance(folder, quick):
    a = folder("a", 40)
    found = {one.metric: one.value for one in measure(Measure(a=a, b=a, quiet=True)).results}
    assert found["swd"] == 0
    assert found["ms_ssim"] == found["ms_ssim.real"]


def test_with_too_few_reals_for_a_floor_all_are_used_and_there_is_none(folder, quick):
    found = measure(Measure(a=folder("a", 20, seed=1), b=folder("b", 20, seed=2), quiet=True))
    assert (found.n, found.floor) == (20, [])
    assert {row.metric: row.beside for row in found.rows()}["swd"] == "–"


def test_too_few_pictures_say_the_least_number(folder):
    few, many = folder("a", 9), folder("b", 40, seed=2)
    for a, b in ((few, many), (many, few)):
        with pytest.raises(UserError, match=r"has 9 pictures; swd needs at least 16"):
            measure(Measure(a=a, b=b, quiet=True))
    with pytest.raises(UserError, match="--n 3 is too few; ms_ssim needs at least 4"):
        measure(Measure(a=many, b=many, n=3, metrics=("ms_ssim",), quiet=True))
    with pytest.raises(UserError, match=r"has 40 pictures.*and 50 are asked for"):
        measure(Measure(a=many, b=many, n=50, quiet=True))


def test_sizes_that_differ_say_how_to_bring_them_together(folder, quick):
    small, large = folder("a", 40, size=(16, 16)), folder("b", 40, size=(32, 32), seed=2)
    with pytest.raises(UserError, match=r"16x16 pixels with 3 channels, and .* of 32x32 pixels .* --size"):
        measure(Measure(a=small, b=large, quiet=True))
    assert measure(Measure(a=small, b=large, size="16", quiet=True)).n == 20


def test_an_option_of_runs_is_refused_where_there_is_none(folder):
    a, b = folder("a", 40), folder("b", 40, seed=2)
    with pytest.raises(UserError, match=r"--kimg 3 chooses a moment of a run, and .* is none"):
        measure(Measure(a=a, b=b, kimg=3, quiet=True))
    with pytest.raises(UserError, match="--batch 0 must be at least 1"):
        measure(Measure(a=a, b=b, batch=0, quiet=True))


def test_only_the_metric_that_needs_most_is_named(folder):
    a, b = folder("a", 40), folder("b", 9, seed=2)
    with pytest.raises(UserError, match=r"has 9 pictures; swd needs at least 16 on each side"):
        measure(Measure(a=a, b=b, metrics=("fid,kid,swd",), features="untrained", quiet=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Of torch.jit as a whole: the files are still about.
def test_a_network_that_sees_no_difference_is_noted(folder, tmp_path):
    import torch

    class Blind(torch.nn.Module):
        def forward(self, x):
            return x.float().mean((2, 3)) * 0 + 1

    torch.jit.script(Blind()).save(str(tmp_path / "blind.pt"))
    a, b = folder("a", 40), folder("b", 40, seed=2)
    found = measure(Measure(a=a, b=b, metrics=("fid,kid",), features=str(tmp_path / "blind.pt"), quiet=True))
    said = [note for note in found.notes if "all pictures have the same features in blind" in note]
    assert [note.partition(":")[0] for note in said] == [a, b]
    assert all("fid, kid mean nothing" in note for note in said)
    seeing = measure(Measure(a=a, b=b, metrics=("fid,kid",), features="untrained", quiet=True))
    assert not any("same features" in note for note in seeing.notes)


def test_what_to_measure_against_must_be_known(folder):
    with pytest.raises(UserError, match="ganvas measure FAKES REALS"):
        measure(Measure(a=folder("a", 20), quiet=True))


def test_an_unknown_metric_is_refused_before_any_work(tmp_path):
    with pytest.raises(UserError, match="Did you mean 'swd'"):
        measure(Measure(a=str(tmp_path / "not there"), metrics=("sdw",), quiet=True))


class Trained:
    """A model that draws noise."""

    draws_points, unit = False, "pictures"

    height = width = 16
    channels = 3
    nimg, kimg, fingerprint = 12_000, 12.0, "sha256:feed"

    def __init__(self, reals):
        from ganvas.data.packing import prepare

        self.model = torch.nn.Linear(1, 1)
        self.data = {"spec": reals, "fingerprint": prepare(reals, quiet=True).fingerprint}

    def reals(self, *, quiet):
        from ganvas.data.packing import prepare

        return prepare(self.data["spec"], quiet=quiet)

    def sample_bytes(self, n, *, seed, batch, label=None, start=0):
        random = torch.Generator().manual_seed(seed)
        yield from torch.randint(0, 256, (n, 3, 16, 16), generator=random, dtype=torch.uint8)[start:].split(batch)


@pytest.fixture
def run(folder, tmp_path, monkeypatch):
    from ganvas.train import trained

    reals = folder("reals", 48, seed=2)
    monkeypatch.setattr(trained, "load", lambda path, **how: Trained(reals))
    monkeypatch.setattr(trained, "unit_of_run", lambda path, **how: Trained.unit)
    path = tmp_path / "run"
    (path / "model" / "12").mkdir(parents=True)
    (path / "run.json").write_text(json.dumps({"format": FORMAT}))
    (path / "model" / "12" / "model.json").write_text("{}")
    return path


def test_a_run_is_measured_against_what_it_was_trained_on_and_remembers_it(run, quick):
    first = measure(Measure(a=str(run), quiet=True))
    measure(Measure(a=str(run / "model" / "12"), n=16, seed=4, quiet=True))
    lines = [json.loads(line) for line in (run / "measures.jsonl").read_text().splitlines()]
    assert (first.n, first.kimg, first.model, first.b) == (24, 12.0, "sha256:feed", str(run.parent / "reals"))
    assert first.written == str(run / "measures.jsonl")
    assert [(line["n"], line["seed"], line["source"], line["nimg"]) for line in lines] == [
        (24, 0, "measure", 12_000),
        (16, 4, "measure", 12_000),
    ]
    assert [Result(**one) for one in lines[0]["results"]] == first.results
    assert [Result(**one) for one in lines[0]["floor"]] == first.floor
    assert all(one["protocol"].endswith(f":ref={first.reals}") for one in lines[0]["results"])


def test_the_report_of_a_run_reads_what_was_measured(run, quick):
    from ganvas.report.web import run_reader

    found = measure(Measure(a=str(run), quiet=True))
    (read,) = run_reader.read(run).measures
    assert (read.kimg, read.source, list(read.results), list(read.floor)) == (
        12.0,
        "measure",
        found.results,
        found.floor,
    )


def test_the_generating_batch_changes_no_value(run, quick):
    one, other = (measure(Measure(a=str(run), batch=batch, quiet=True)) for batch in (5, 48))
    assert one.results == other.results


def test_a_run_against_another_source_takes_the_run_s_size(run, folder, quick):
    assert measure(Measure(a=str(run), b=folder("large", 40, size=(32, 32)), quiet=True)).n == 20


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a place where not even a superuser may write")
def test_a_run_that_only_others_may_write_to_is_measured_and_its_value_not_lost(run, quick, monkeypatch, capsys):
    monkeypatch.setattr("ganvas.core.run_folder.MEASURES", "/proc/version/measures.jsonl")
    found = measure(Measure(a=str(run), quiet=True))
    assert found.written is None
    assert found.results
    assert "not noted in the run" in capsys.readouterr().err


def lines_of(run):
    return [json.loads(line) for line in (run / "measures.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_a_line_says_whether_the_run_was_measured_against_its_own_pictures(run, folder, quick):
    other = folder("other", 48, seed=7)
    found = [measure(Measure(a=str(run), quiet=True)), measure(Measure(a=str(run), b=other, quiet=True))]
    same = measure(Measure(a=str(run), b=str(run.parent / "reals"), quiet=True))  # The same pictures, named.
    assert [one.own for one in [*found, same]] == [True, False, True]
    assert [(line["own"], line["b"]) for line in lines_of(run)] == [
        (True, str(run.parent / "reals")),
        (False, other),
        (True, str(run.parent / "reals")),
    ]


def test_a_run_against_a_run_adds_no_line_and_draws_other_latents(run, quick):
    found = measure(Measure(a=str(run), b=str(run), n=16, quiet=True))
    assert (found.written, found.own, found.b_kimg, found.b_model) == (None, False, 12.0, "sha256:feed")
    assert not (run / "measures.jsonl").exists()
    assert found.reals != found.fakes
    assert found.floor
    assert {one.metric: one.value for one in found.results}["swd"] > 0


def test_where_the_pictures_of_the_training_are_gone_the_command_to_give_is_said(run, quick, monkeypatch):
    def gone(self, *, quiet):
        raise UserError("There is no file or folder pictures.")

    monkeypatch.setattr(Trained, "reals", gone)
    with pytest.raises(UserError, match=r"was trained on .*reals, and .* ganvas measure .*run REALS"):
        measure(Measure(a=str(run), quiet=True))


def test_a_model_whose_weights_are_not_numbers_is_refused(run, quick, monkeypatch):
    broken = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(broken.weight, float("nan"))
    monkeypatch.setattr(Trained, "model", property(lambda self: broken, lambda self, value: None), raising=False)
    with pytest.raises(UserError, match=r"weights weight of .* at 12 kimg hold nan .* --kimg"):
        measure(Measure(a=str(run), quiet=True))


def test_pictures_that_cannot_be_told_from_reals_are_noted_and_others_are_not(folder, quick):
    a, b = folder("a", 40, seed=1), folder("b", 80, seed=2)  # Of one distribution.
    near = measure(Measure(a=a, b=b, metrics=("swd",), quiet=True))
    assert any("swd: at n=40 within the errors of what reals score" in note for note in near.notes)
    far = measure(Measure(a=folder("c", 40, deviation=0), b=b, metrics=("swd",), quiet=True))
    assert not far.notes


def test_a_class_is_for_runs(folder):
    with pytest.raises(UserError, match=r"--label 7 chooses what a run's model draws"):
        measure(Measure(a=folder("a", 20), b=folder("b", 20), label="7", quiet=True))


def test_of_a_class_the_model_s_and_the_training_s_pictures_are_taken(run, quick, monkeypatch):
    from ganvas.metrics.measuring.draws import draw

    asked, packed, sample = [], Trained(str(run.parent / "reals")).reals(quiet=True), Trained.sample_bytes

    def sample_class(self, n, *, seed, batch, label=None, start=0):
        asked.append(label)
        return sample(self, n, seed=seed, batch=batch)

    monkeypatch.setattr(packed, "labels", np.arange(48) % 2)
    monkeypatch.setattr(Trained, "reals", lambda self, *, quiet: packed)
    monkeypatch.setattr(Trained, "labels", lambda self, n, *, seed, label: torch.full((n,), 1), raising=False)
    monkeypatch.setattr(Trained, "sample_bytes", sample_class)
    found = measure(Measure(a=str(run), label="odd", n=24, quiet=True))
    assert (asked, found.label) == (["odd"], "odd")
    odd = torch.cat(list(draw(packed, 24, seed=0, among=torch.arange(1, 48, 2))))
    assert found.reals == hashlib.sha256(odd.numpy().tobytes()).hexdigest()[:16]
    assert len({picture.numpy().tobytes() for picture in odd}) == 24


def test_a_value_names_the_network_that_it_was_seen_through():
    protocol = "fid:n40:reals50:untrained@seed0:none:uint8:unbiased-covariance:of-16x16x3"
    assert labelled(result("fid", protocol=protocol)) == "fid (untrained)"
    assert labelled(result("swd.16", protocol="swd:n40:16x16x3:patches16")) == "swd.16"


def test_an_unknown_metric_in_capitals_is_told_its_name():
    with pytest.raises(UserError, match="Did you mean 'fid'"):
        measure(Measure(a="x", metrics=("FID",), quiet=True))


def test_the_table_shows_each_value_beside_what_reals_score():
    found = MeasureResult(
        a="a",
        b="b",
        n=16,
        seed=0,
        seconds=1.0,
        results=[
            result(),
            result("ms_ssim", 0.3, 0.01, better="neither"),
            result("ms_ssim.real", 0.2, 0.01, better="neither"),
        ],
        floor=[result(value=3.0, error=0.1)],
        reals="",
        fakes="",
    )
    assert [(row.metric, row.value, row.beside, row.better) for row in found.rows()] == [
        ("swd", "12.00 ± 0.50", "3.00 ± 0.10", "lower"),
        ("ms_ssim", "0.300 ± 0.010", "0.200 ± 0.010", "as reals"),
    ]


def test_the_module_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, ganvas.tasks.measure; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
