"""A whole run of points through the commands: what it writes, and what can be drawn from it."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.data.points.packed_points import prepare_points
from ganvas.models.flow import spline
from ganvas.nn.layers.initialise import initialise
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.tasks.sample import Interpolate, Sample, interpolate, sample
from ganvas.tasks.train import Train, train
from ganvas.train.kinds.point_kind import PointExamination
from ganvas.train.plan import Plan
from ganvas.train.state import new_state
from ganvas.train.trained import load

SETTINGS = ("width=8", "depth=1", "batch_size=8", "burst_first=1", "burst_moves=2", "measure_n=64", "sample_kimg=0.4")


def begin(out, data="mixtures:ring8,200", **options):
    return train(
        Train(model="gan/wgan", data=data, out=out, kimg=0.8, set=SETTINGS, quiet=True, estimate=False, **options)
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("points") / "run"
    assert begin(folder).finished
    return folder


def test_a_run_of_points_has_sheets_of_clouds_and_a_film(run):
    sheets = sorted(path.name for path in (run / "samples").iterdir())
    moments = [f"000000.{kimg}.{ending}" for kimg in ("000", "400", "800") for ending in ("npz", "png")]
    assert sheets == [*moments, "growth.html", "growth.webp", "reals.png"]
    with Image.open(run / "samples" / "reals.png") as real, Image.open(run / "samples" / "000000.800.png") as last:
        assert real.height < last.height < 1.1 * real.height  # Beside the critic is what a grid of latents becomes.
        assert last.width > 1.8 * real.width
        assert np.asarray(real.convert("L")).std() > 1


def test_a_moment_holds_what_the_published_model_makes_and_its_critic_thinks(run):
    moment = PointMoment.read(run / "samples" / "000000.800.npz")
    trained = load(run)
    left, right, bottom, top = moment.span.tolist()
    corners = torch.tensor([[left, bottom], [right, bottom], [left, top], [right, top]])
    levels = [moment.levels[0, 0], moment.levels[0, -1], moment.levels[-1, 0], moment.levels[-1, -1]]
    assert trained.model.judge(corners).tolist() == pytest.approx(levels, rel=1e-4, abs=1e-6)
    ends = torch.tensor([[-2.5, -2.5], [2.5, -2.5], [-2.5, 2.5]])
    lines = moment.latent_lines
    mapped = [lines[0, 0, 0], lines[0, 0, -1], lines[1, 0, -1]]
    assert trained.model.decode(ends).numpy() == pytest.approx(np.array(mapped), rel=1e-4, abs=1e-6)
    place, push = torch.from_numpy(moment.pushed[0])
    step = 1e-3 * torch.eye(2)
    slope = (trained.model.judge(place + step) - trained.model.judge(place - step)) / 2e-3
    assert slope.tolist() == pytest.approx(push.tolist(), rel=0.05, abs=1e-4)


def test_sheets_do_not_change_what_is_learnt(run, tmp_path):
    more = (*SETTINGS[:-1], "sample_kimg=0.2")
    train(Train(model="gan/wgan", data="mixtures:ring8,200", out=tmp_path / "run", kimg=0.8, set=more, quiet=True))
    assert len(list((tmp_path / "run" / "samples").glob("*.npz"))) == 5
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == (run / "log.jsonl").read_bytes()


def test_a_film_of_one_dimension_is_of_its_clouds_alone(tmp_path):
    begin(tmp_path / "run", "mixtures:pair,200")
    assert not list((tmp_path / "run" / "samples").glob("*.npz"))
    assert (tmp_path / "run" / "samples" / "growth.webp").exists()


def test_modes_are_measured_during_training_beside_those_of_the_reals(run):
    measured = [json.loads(line) for line in (run / "measures.jsonl").read_text().splitlines()]
    last = measured[-1]
    names = ["modes", "modes.high_quality", "modes.reverse_kl", "js", "js.reverse_kl", "js.forward_kl", "support_size"]
    assert [one["metric"] for one in last["results"]] == names
    floor = {one["metric"]: one["value"] for one in last["floor"]}
    assert floor["modes"] == 8
    assert floor["modes.high_quality"] > 0.9  # 98.89 % of the law, of 64 points.
    assert len(measured) > 3


def test_a_law_of_two_halves_has_the_mass_of_its_gap_beside_the_bound_of_the_generator(tmp_path):
    assert begin(tmp_path / "run", "mixtures:parallel_lines,gap=0.5,200").finished
    measured = [json.loads(line) for line in (tmp_path / "run" / "measures.jsonl").read_text().splitlines()]
    found = {one["metric"]: one["value"] for one in measured[-1]["results"]}
    assert list(found) == ["gap_mass", "gap_mass.bound", "gap_mass.lipschitz", "support_size"]
    assert found["gap_mass.lipschitz"] > 0
    assert found["gap_mass"] >= found["gap_mass.bound"] - 0.2  # Of 64 points, whose share has an error of 0.06 at most.


def test_run_json_says_what_the_points_are(run):
    data = json.loads((run / "run.json").read_text())["data"]
    assert (data["spec"], data["count"], data["dims"], data["mixture"]) == ("mixtures:ring8,200", 200, 2, "ring8")
    assert json.loads((run / "run.json").read_text())["config"]["dims"] == 2


@pytest.mark.slow
def test_points_are_drawn_as_table_array_and_sheet_and_are_the_same_in_each(run, tmp_path):
    for ending in ("csv", "npy", "npz", "png", "svg"):
        assert sample(Sample(run=run, n=50, seed=3, out=tmp_path / f"x.{ending}")).pictures == 50
    points = load(run).sample_points(50, seed=3)
    assert points.shape == (50, 2)
    assert (np.load(tmp_path / "x.npy") == points).all()
    assert (np.load(tmp_path / "x.npz")["points"] == points).all()
    table = np.loadtxt(tmp_path / "x.csv", delimiter=",", skiprows=1, dtype=np.float32)
    assert (table == points).all()  # Nine digits hold a float32.
    assert (tmp_path / "x.csv").read_text().startswith("x0,x1\n")
    assert (load(run).sample_points(50, seed=4) != points).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"out": "x.jpg"}, "points are written as a table or array"),
        ({"out": "x.csv", "to": "zip"}, "draws points.*Leave out --to"),
        ({"out": "x.csv", "label": "1"}, "Leave out --label"),
        ({"out": "x.png", "n": 200_000}, "cannot be looked at"),
    ],
)
def test_what_points_have_not_is_refused_before_anything_is_drawn(run, tmp_path, options, says):
    options = options | {"out": tmp_path / options["out"]}
    with pytest.raises(UserError, match=says):
        sample(Sample(run=run, **options))
    assert not list(tmp_path.iterdir())


def test_a_film_of_pictures_is_not_made_of_points(run, tmp_path):
    with pytest.raises(UserError, match="draws points, which have no width"):
        interpolate(Interpolate(run=run, out=tmp_path / "walk.webp"))


@pytest.mark.slow
def test_a_file_of_points_has_its_own_number_of_dimensions_and_no_modes(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(40, 3)))
    assert begin(tmp_path / "run", str(tmp_path / "x.npy")).finished
    assert load(tmp_path / "run").sample_points(4).shape == (4, 3)
    assert not (tmp_path / "run" / "measures.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"other": "mixtures:pair"}, "--other: this model learns the points of one source"),
        ({"conditional": True}, "--conditional"),
        ({"keep_best": "swd"}, "keep_best=swd"),
    ],
)
def test_what_does_not_fit_points_is_refused_and_leaves_no_run(tmp_path, options, says):
    with pytest.raises(UserError, match=says):
        begin(tmp_path / "run", **options)


@pytest.mark.slow
def test_a_run_of_points_resumes_where_it_stopped_and_refuses_other_points(tmp_path):
    begin(tmp_path / "run")
    assert begin(tmp_path / "run").finished
    with pytest.raises(UserError, match="mixtures:ring8,201"):
        begin(tmp_path / "run", "mixtures:ring8,201")


def test_a_model_that_knows_its_density_is_measured_on_fresh_draws_of_the_law_too():
    packed, plan = prepare_points("mixtures:ring8_wide,100", quiet=True), Plan(measure_n=64)
    model = spline.Model(spline.TINY)
    initialise(model, stream(0, "weights"))
    examination = PointExamination(plan, packed, known=True)
    assert {"nats", "kl"} <= set(examination.metrics)
    with torch.no_grad():
        measured, _ = examination.measure(new_state(model), Stage(batch_size=8, lr=0.0))
    found = {one.metric: one for one in measured}
    assert found["kl"].value > 0
    assert (found["nats"].n, found["nats"].better) == (64, "lower")
    assert "fresh-draws" in found["kl"].protocol
    without = PointExamination(plan, packed)
    assert not {"nats", "kl"} & set(without.metrics)
