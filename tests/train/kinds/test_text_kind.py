"""A whole run on text through the commands: what it writes, what can be drawn from it, how probable it finds lines."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.likelihoods.line_likelihood import ended
from ganvas.nn.layers.initialise import initialise
from ganvas.report.web import run_page, run_reader
from ganvas.tasks.data import Describe, Pack, describe, pack
from ganvas.tasks.likelihood import Likelihood, likelihood
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.measuring.temperature_place import require_comparable
from ganvas.tasks.report import Report, report
from ganvas.tasks.sample import Sample, sample
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

SETTINGS = (
    "hidden=8",
    "embedding=4",
    "batch_size=8",
    "measure_n=16",
    "measure_kimg=0.16",
    "sample_kimg=0.08",
    "length=6",
)
TEXT = "".join(f"{a}{b}{c} {a}\n" for a in "abc" for b in "xyz" for c in "pqr")


def begin(out, data, *, kimg=0.16, **options):
    options = {"set": SETTINGS, "quiet": True, "estimate": False, "held_out": f"{data}::held-out"} | options
    return train(Train(model="text/mle", data=f"{data}::train", out=out, kimg=kimg, **options))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text(TEXT)
    return str(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory, source):
    folder = tmp_path_factory.mktemp("text") / "run"
    assert begin(folder, source).finished
    return folder


def test_a_run_has_sheets_of_lines_and_its_alphabet(run):
    names = sorted(path.name for path in (run / "samples").iterdir())
    assert names == ["000000.000.txt", "000000.080.txt", "000000.160.txt", "reals.txt"]
    assert set((run / "samples" / "reals.txt").read_text().split("\n")[:-1]) <= set(TEXT.split("\n"))
    described = json.loads((run / "run.json").read_text())["data"]
    assert sorted(described["alphabet"]) == sorted(" abcxyzpqr")
    assert (described["length"], described["count"], described["held_out"]["count"]) == (6, 25, 2)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(run, source, tmp_path):
    begin(tmp_path / "run", source, kimg=0.08)
    begin(tmp_path / "run", source, kimg=0.16)
    for name in ("model/000000.160/model.safetensors", "samples/000000.160.txt"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes(), name


def test_the_same_seed_draws_the_same_lines_and_no_temperature_the_same_line(run, tmp_path):
    for name in ("one", "two"):
        sample(Sample(run=run, n=20, out=tmp_path / f"{name}.txt", seed=3))
    assert (tmp_path / "one.txt").read_bytes() == (tmp_path / "two.txt").read_bytes()
    sample(Sample(run=run, n=5, out=tmp_path / "cold.txt", temperature=0.0))
    assert len(set((tmp_path / "cold.txt").read_text().split("\n")[:-1])) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": "x.png"}, "ends in .txt"),
        ({"temperature": -1.0}, "at least 0"),
        ({"truncation": 0.5}, "Leave out --truncation"),
        ({"to": "zip"}, "Leave out --to"),
        ({"steps": 5}, "solves no equation"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_lines_have_not_is_refused(run, tmp_path, options, message):
    out = tmp_path / options.get("out", "x.txt")
    with pytest.raises(UserError, match=message):
        sample(Sample(run=run, **{**options, "out": out}))
    assert not out.exists()


def test_a_likelihood_is_that_of_the_network_and_stands_beside_models_of_n_grams(run, source):
    found = likelihood(Likelihood(run=run, data=f"{source}::held-out", quiet=True))
    names = [one.metric for one in found.results]
    assert names == [f"bits_per_character{part}" for part in ("", ".uniform", ".unigram", ".order_5")]
    trained = load(run)
    written = TEXT.split("\n")[9:20:10]  # The tenth line and the twentieth; five characters and an END each.
    tokens = torch.from_numpy(trained.alphabet.encode(written, 6)).long()
    nats = -trained.model.log_prob(tokens, stream(0, "none"))
    assert found.results[0].value == pytest.approx(float(nats.sum()) / math.log(2) / 12, rel=1e-5)
    assert found.results[1].value == pytest.approx(math.log2(12))


def test_lines_are_measured_beside_real_and_copied_ones_and_the_run_keeps_it(run, source, tmp_path):
    found = measure(Measure(a=str(run), quiet=True))
    values = {one.metric: one.value for one in found.results}
    floor = {one.metric: one.value for one in found.floor}
    assert (found.unit, found.n, found.own) == ("lines", 2, True)
    assert set(values) == set(floor) | {f"{name}.copies" for name in floor}
    assert values["copied.copies"] == 1
    assert found.written is not None
    (tmp_path / "lines.txt").write_text("axp a\n" * 4)
    one = {each.metric: each.value for each in measure(Measure(a=str(tmp_path / "lines.txt"), b=source)).results}
    assert one["unique"] == 0.25
    with pytest.raises(UserError, match="Did you mean 'unique'"):
        measure(Measure(a=str(tmp_path / "lines.txt"), b=source, metrics=("uniqe",)))
    with pytest.raises(UserError, match="is no run"):
        measure(Measure(a=source))


def test_the_page_of_a_run_shows_lines_and_no_pictures(run):
    page = run_page.html(run_reader.read(run))
    assert "Real lines of the data" in page
    assert "Drawn at 0.16 kimg" in page
    assert (run / "samples" / "reals.txt").read_text().split("\n")[0] in page
    assert "25 lines" in page
    assert "<h2>Pictures" not in page


def test_the_page_says_where_a_run_lies_by_the_temperature_curve_of_a_language_model(run, source, tmp_path):
    page = report(Report(run=run, baseline=run, out=tmp_path / "page.html")).path.read_text()
    assert "<h2>By the temperature curve" in page
    assert "text/mle is not told apart from the curve" in page  # It is the curve's own point at 1.
    assert "at the temperatures 1.2, 1, 0.9, 0.8, 0.7, 0.5" in page
    assert "By the temperature curve" not in report(Report(run=run, out=tmp_path / "page.html")).path.read_text()
    begin(tmp_path / "shorter", source, kimg=0.008, set=(*SETTINGS, "length=5"))
    with pytest.raises(UserError, match="says other lines than the run"):
        report(Report(run=run, baseline=tmp_path / "shorter"))


def test_the_curve_is_that_of_a_language_model_of_the_same_text(run):
    model = load(run)
    for other, message in (
        (replace(model, name="text/seqgan"), "name a run of text/mle"),
        (replace(model, data={**model.data, "fingerprint": "another"}), "on the same text"),
    ):
        with pytest.raises(UserError, match=message):
            require_comparable(model, other, run)


def test_a_source_is_described_and_packed_by_the_commands(source, tmp_path):
    found = describe(Describe(source=source, unit="words"))
    assert (found.count, found.longest, found.kinds) == (27, 2, 30)
    packed = pack(Pack(source=source, out=tmp_path / "pack", length=4))
    assert (packed.count, packed.length, packed.cut) == (27, 4, 27)


def test_what_does_not_fit_is_refused_before_anything_is_written(source, tmp_path):
    cases = [
        ({"set": (*SETTINGS, "alphabet=99")}, "has 12 numbers"),
        ({"other": source}, "--other"),
        ({"held_out": f"{source}::train"}, "are trained on|kept apart"),
        ({"set": ("length=0",)}, "length=0"),
    ]
    for options, message in cases:
        with pytest.raises(UserError, match=message):
            begin(tmp_path / "run", source, **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", [entry.name for entry in catalogue.entries("models") if entry.name.startswith("text/")]
)
def test_two_ranks_of_half_a_batch_see_what_one_sees_of_a_whole(name, together):
    module = catalogue.load("models", name)
    model = module.Model(replace(module.TINY, batch_size=8))
    initialise(model, stream(0, "weights"))
    tokens = ended(torch.randint(module.TINY.alphabet, (8, module.TINY.length), generator=stream(7, "lines")))
    whole = Lines(tokens=tokens, rng=stream(3, "noise"))
    halves = [
        Lines(tokens=ranks.share(tokens), ranks=ranks, rng=stream(3, "noise"))
        for ranks in (Ranks(rank=0, count=2), Ranks(rank=1, count=2))
    ]
    for phase in model.phases():
        whole_terms = phase.loss(whole)
        parts = together([lambda half=half, phase=phase: phase.loss(half) for half in halves])
        for key, terms in whole_terms.items():
            assert_close(torch.stack([part[key] for part in parts], 1).flatten(), terms, rtol=1e-4, atol=1e-5)
