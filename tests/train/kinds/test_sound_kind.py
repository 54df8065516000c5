"""A run on sounds, from the command to what is heard of it."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.sound.riff import Recording, SampleForm, read_riff, riff_bytes
from ganvas.features import classifier
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.metrics.sound.sound_results import METRICS
from ganvas.tasks.catalogues import features
from ganvas.tasks.data import Describe, Pack, describe, pack
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.report import Report, report
from ganvas.tasks.sample import Sample, sample
from ganvas.tasks.train import Train, train
from ganvas.train.kinds.kinds import kind_of
from ganvas.train.kinds.sound_kind import SoundKind
from ganvas.train.trained import load

SETTINGS = ("width=2", "latent_size=8", "critic_moves=2", "batch_size=8", "length=256", "rate=4000")


def begin(out, data, *changes, model="sound/wavegan", settings=SETTINGS, kimg=0.04, **options):
    how = {"kimg": kimg, "set": (*settings, *changes), "quiet": True, "estimate": False} | options
    return train(Train(model=model, data=data, out=out, **how))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run on notes."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert begin(out, "notes:64", "sample_kimg=0.02", "measure_kimg=0.02").finished
    return out


@pytest.fixture
def beeps(tmp_path):
    """Wave files of 600 samples at 8,000 Hz, of two classes."""
    for number in range(6):
        samples = np.rint(9000 * np.sin(np.arange(600) * (0.1 + 0.05 * number)))
        recording = Recording(samples=samples.astype("<i2")[:, None], rate=8000, form=SampleForm.INT16)
        path = tmp_path / "beeps" / ("low" if number < 3 else "high") / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(riff_bytes(recording))
    return tmp_path / "beeps"


def test_a_model_of_sounds_takes_sounds():
    assert isinstance(kind_of((Sounds,), "notes"), SoundKind)


def test_rate_and_length_are_read_off_the_recordings_where_a_person_names_none(beeps, tmp_path):
    begin(tmp_path / "run", str(beeps), settings=("width=2", "batch_size=4"), kimg=0.004)
    described = json.loads((tmp_path / "run/run.json").read_text())
    assert (described["config"]["rate"], described["config"]["length"]) == (8000, 1024)
    assert described["data"]["class_names"] == ["high", "low"]


def test_a_model_with_classes_learns_those_of_its_sounds_and_draws_the_one_that_is_asked_for(beeps, tmp_path):
    growing = ("length=64", "latent_size=4", "fmap_base=16", "fmap_max=4", "measure_kimg=-1", "health_kimg=-1")
    begin(tmp_path / "run", str(beeps), model="sound/gansynth", settings=growing, conditional=True, kimg=0.016)
    trained = load(tmp_path / "run")
    assert trained.model.config.num_classes == 2
    high, low = (torch.cat([*trained.sample_sounds(3, seed=1, label=name)]) for name in ("high", "low"))
    assert not torch.equal(high, low)
    again = torch.cat([*trained.sample_sounds(3, seed=1, label=1, batch=2)])
    assert (again.int() - low.int()).abs().max() <= 1  # Kernels for other batch sizes round otherwise.
    with pytest.raises(UserError, match=r"num_classes=3, but .* has 2 classes"):
        begin(tmp_path / "other", str(beeps), "num_classes=3", model="sound/gansynth", settings=growing)
    for path in (beeps / "high").iterdir():
        path.unlink()
    with pytest.raises(
        UserError, match=r"--conditional needs labels, and .* has none\. All sounds lie in one folder, low"
    ):
        begin(tmp_path / "other", str(beeps), model="sound/gansynth", settings=growing, conditional=True)


def test_sheets_are_pictures_with_what_they_show_to_hear_beside_them(run):
    sheets = sorted(path.name for path in (run / "samples").glob("*.png"))
    assert "reals.png" in sheets
    assert len(sheets) > 2
    with Image.open(run / "samples/reals.png") as image:
        assert image.width > 4 * 256
    heard = read_riff((run / "samples/reals.wav").read_bytes())
    assert heard.rate == 4000
    assert len(heard.samples) == 8 * (256 + 600) - 600


def test_the_report_plays_the_newest_sheet_and_the_real_sounds_and_asks_the_network_for_nothing(run, tmp_path):
    page = report(Report(run=run, out=tmp_path / "page.html")).path.read_text()
    assert len(re.findall(r'<audio controls="controls" preload="none" src="data:audio/wav;base64,', page)) == 2
    assert "media-src data:" in page
    assert not re.search(r'(?:src|href)="https?://(?!arxiv)', page)


def test_the_same_samples_are_drawn_as_files_as_one_file_as_an_array_and_whatever_the_batch(run, tmp_path):
    sample(Sample(run=run, n=5, to="wav", out=tmp_path / "files", seed=3))
    sample(Sample(run=run, n=5, to="wav", out=tmp_path / "one.wav", seed=3, batch=2))
    sample(Sample(run=run, n=5, out=tmp_path / "array.npy", seed=3))
    drawn = sample(Sample(run=run, n=5, out=tmp_path / "sheet.png", seed=3))
    assert drawn.unit == "sounds"
    files = [read_riff(path.read_bytes()).samples[:, 0] for path in sorted((tmp_path / "files").iterdir())]
    array = np.load(tmp_path / "array.npy")
    assert np.array_equal(np.stack(files), array)
    whole = read_riff((tmp_path / "one.wav").read_bytes()).samples[:, 0].astype(int)
    assert np.abs(whole[: 5 * 856].reshape(-1)[:256] - array[0]).max() <= 1
    assert len(whole) == 5 * (256 + 600) - 600


def test_a_run_that_is_interrupted_and_resumed_is_the_run_that_never_was(run, tmp_path):
    begin(tmp_path / "run", "notes:64", "sample_kimg=0.02", "measure_kimg=0.02", kimg=0.024)
    begin(tmp_path / "run", "notes:64", "sample_kimg=0.02", "measure_kimg=0.02", kimg=0.04)
    assert (tmp_path / "run/model").exists()
    ours, theirs = (max((one / "model").iterdir()) / "model.safetensors" for one in (tmp_path / "run", run))
    assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"other": "notes:5"}, "--other notes:5"),
        ({"conditional": True}, "--conditional: this model draws sounds without labels"),
        ({"held_out": "notes:64"}, "holds the .* that are trained on"),
        ({"data": "scenes:8"}, "scenes:8 holds no sounds"),
    ],
)
def test_what_a_run_of_sounds_cannot_take_is_refused(tmp_path, options, reason):
    with pytest.raises(UserError, match=reason):
        begin(tmp_path / "run", **{"data": "notes:64", **options})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"to": "zip"}, "--to zip: sound/wavegan draws sounds"),
        ({"scale": 2}, "--scale: sound/wavegan draws sounds"),
        ({"to": "wav", "out": "x.mp3"}, "--to wav writes a folder"),
        ({"n": 300}, "more than 256 sounds"),
    ],
)
def test_what_cannot_be_written_is_refused(run, tmp_path, options, reason, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)
    if "out" in options:
        options = options | {"out": Path(options["out"])}
    with pytest.raises(UserError, match=reason):
        sample(Sample(run=run, **options))


def test_pictures_are_wanted_of_a_model_of_sounds_in_vain(run):
    with pytest.raises(UserError, match="draws sounds, which have no height"):
        _ = load(run).height


def test_sounds_are_described_and_packed(beeps, tmp_path):
    found = describe(Describe(source=str(beeps)))
    assert (found.count, found.rates, found.labels) == (6, {"8000": 6}, {"high": 3, "low": 3})
    done = pack(Pack(source=str(beeps), out=tmp_path / "packed"))
    assert (done.count, done.rate, done.length) == (6, 8000, 1024)
    assert "6 shorter than 0.128 s were padded" in done.treated
    with pytest.raises(UserError, match="64 is not a size of sounds"):
        pack(Pack(source=str(beeps), out=tmp_path / "other", size="64"))


@pytest.fixture(scope="module")
def trained_classifier(tmp_path_factory):
    """A classifier of notes as short as those of the run; of one epoch, it knows little."""
    out = tmp_path_factory.mktemp("features") / "notes.safetensors"
    features.train(features.Train(source="notes:96", out=out, sound="256@4000", epochs=1, width=2), quiet=True)
    return out


def test_a_run_measures_its_sounds_beside_real_ones(run):
    lines = [json.loads(line) for line in (run / "measures.jsonl").read_text().splitlines()]
    assert lines
    for name in ("results", "floor"):
        assert {one["metric"].partition(".")[0] for one in lines[0][name]} == set(METRICS)


def test_measure_gives_the_values_of_the_run_and_with_a_classifier_three_more(run, trained_classifier):
    plain = measure(Measure(a=str(run), quiet=True))
    last = json.loads((run / "measures.jsonl").read_text().splitlines()[-2])  # The one before is this.
    during = {one["metric"]: one["value"] for one in last["results"]}
    assert {one.metric: one.value for one in plain.results} == pytest.approx(during, rel=1e-6)
    assert plain.own
    assert plain.unit == "sounds"
    found = measure(Measure(a=str(run), features=str(trained_classifier), quiet=True))
    seen = {one.metric: one for one in found.results}
    assert {"inception_score", "frechet_distance", "ndb_of_features"} <= set(seen)
    assert 1 <= seen["inception_score"].value <= 12
    assert "classifier@" in seen["frechet_distance"].protocol
    assert len(found.floor) == len(found.results)
    assert found.written


def test_sources_of_sounds_are_compared_without_a_run(beeps):
    found = measure(Measure(a="notes:40,256@4000", b="notes:60,seed=1", size="256@4000", metrics=("ndb",), quiet=True))
    assert [one.metric for one in found.results] == ["ndb", "ndb.divergence"]


def test_a_classifier_of_sounds_says_of_which_and_others_are_refused(run, trained_classifier):
    assert classifier.read(trained_classifier).notes["sound"] == {"rate": 4000, "length": 256}
    sounds = {"a": "notes:60", "b": "notes:60,seed=1", "size": "512@4000"}
    with pytest.raises(UserError, match="was trained on sounds of 256@4000, and these are sounds of 512@4000"):
        measure(Measure(**sounds, features=str(trained_classifier), quiet=True))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"metrics": ("fid",)}, "'fid' is not measured of sounds"),
        ({"metrics": ("inception_score",)}, "needs a classifier of sounds"),
        ({"features": "inception"}, "--features inception: sounds are looked at by a classifier"),
        ({"n": 5}, "5 sounds of each side cannot be measured"),
        ({"label": "1"}, "--label: sounds are measured against sounds"),
        ({"size": "64"}, "--size 64: sounds are compared at the rate and length of the run"),
    ],
)
def test_what_cannot_be_measured_of_sounds_is_refused(run, options, reason):
    with pytest.raises(UserError, match=reason):
        measure(Measure(a=str(run), quiet=True, **options))


def test_one_sound_alone_is_learnt_and_not_measured(tmp_path):
    assert begin(tmp_path / "run", "notes:1", kimg=0.016).finished
    assert not (tmp_path / "run/measures.jsonl").exists()
