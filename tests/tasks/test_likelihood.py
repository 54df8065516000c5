"""``ganvas likelihood``: whole runs against likelihoods found in other ways, and what a person is told."""

import dataclasses
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder
from ganvas.core.seeds import stream
from ganvas.losses.likelihoods.gaussian import gaussian_log_density
from ganvas.metrics.likelihood.observation_models import dequantised
from ganvas.tasks.likelihood import Likelihood, _packed, _pictures, likelihood
from ganvas.tasks.measuring.decoder import decoder_of
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

SETTINGS = ("resolution=16", "features=4", "batch_size=8", "measure_kimg=-1", "sample_kimg=1")
QUICK = {"n": 3, "simulated": 2, "temperatures": 4, "chains": 2, "validation": 2, "quiet": True, "device": "cpu"}


def pictures(path: Path, count: int, *, size: int = 16, seed: int = 0) -> Path:
    """Smooth pictures, so that a decoder has something to say of them."""
    random = torch.Generator().manual_seed(seed)
    small = torch.rand(count, 3, 3, 3, generator=random) * 255
    large = torch.nn.functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=True)
    np.savez(path, images=large.permute(0, 2, 3, 1).round().byte().numpy(), labels=np.arange(count) % 2)
    return path


def trained_on(data: Path, run: Path, model: str, *settings: str, kimg: float = 0.16, **how) -> Path:
    task = Train(model=model, data=str(data), out=run, set=settings, kimg=kimg, quiet=True, estimate=False, **how)
    train(dataclasses.replace(task, device="cpu"))
    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return pictures(tmp_path_factory.mktemp("likelihood") / "data.npz", 40)


@pytest.fixture(scope="module")
def vae(data, tmp_path_factory) -> Path:
    """With a learnt variance. Read only but for its measures."""
    return trained_on(data, tmp_path_factory.mktemp("vae") / "run", "vae/vae", *SETTINGS, "latent_size=2", kimg=0.4)


@pytest.fixture(scope="module")
def dcgan(data, tmp_path_factory) -> Path:
    """With a uniform prior of two latents, and no variance of its own. Read only but for its measures."""
    return trained_on(data, tmp_path_factory.mktemp("dcgan") / "run", "gan/dcgan", *SETTINGS, "latent_size=2")


def measured(task: Likelihood, run: Path) -> torch.Tensor:
    """The pictures that a task measures, in [0, 1]."""
    trained = load(run)
    return _pictures(task, trained, _packed(task, trained), 0)[0]


@pytest.mark.slow
def test_a_vae_has_the_likelihood_that_quadrature_finds_in_its_own_units(vae):
    """Midpoints of [-4.5, 4.5]^2, colours in [-1, 1] and the model's own density: none of the tested code."""
    task = Likelihood(run=vae, **(QUICK | {"n": 3, "simulated": 0, "temperatures": 60, "chains": 8}))
    found = likelihood(task)
    assert found.variance_from == "model"
    model, y = load(vae).model, measured(task, vae)
    x = (y.double() * 256 - 0.5) / 127.5 - 1
    side = ((torch.arange(120, dtype=torch.float64) + 0.5) / 60 - 1) * 4.5
    parts = torch.cartesian_prod(side, side).split(2400)
    with torch.no_grad():
        log_variance, rows = model.log_variance(), []
        for z in parts:
            mean = model.decode(z.float()).double()
            density = [gaussian_log_density(one.expand(len(z), -1, -1, -1), mean, log_variance) for one in x]
            rows.append(torch.stack(density) - 0.5 * z.square().sum(1) - math.log(2 * math.pi))
    exact = torch.cat(rows, dim=1).logsumexp(1) + 2 * math.log(9 / 120) + 768 * math.log(256 / 127.5)
    # The log of the mean of 8 weights, whose logs vary by about 1; a wrong unit or variance costs hundreds.
    assert found.log_likelihoods == pytest.approx(exact.tolist(), abs=1.5)
    assert np.mean(found.log_likelihoods) == pytest.approx(float(exact.mean()), abs=0.6)


@pytest.mark.slow
def test_a_gan_of_a_uniform_prior_has_the_likelihood_that_quadrature_finds(dcgan):
    """The mean of p(x | z) over a grid of midpoints of [-1, 1]^2, and the noise that the task was given."""
    task = Likelihood(run=dcgan, variance="0.05", **(QUICK | {"n": 2, "temperatures": 50, "chains": 8}))
    found = likelihood(task)
    trained, y = load(dcgan), measured(task, dcgan).double()
    side = (torch.arange(100, dtype=torch.float64) + 0.5) / 50 - 1
    z = torch.cartesian_prod(side, side).float()
    means = ((trained.decode(z).double() + 1) * 127.5 + 0.5) / 256
    squares = torch.stack([(means - one).square().flatten(1).sum(1) for one in y])
    exact = (-squares / 0.1).logsumexp(1) - math.log(len(z)) - 384 * math.log(2 * math.pi * 0.05)
    assert found.log_likelihoods == pytest.approx(exact.tolist(), abs=0.5)
    by_name = {one.metric: one for one in found.results}
    assert by_name["ais"].value == pytest.approx(np.mean(found.log_likelihoods))
    assert by_name["ais.bits_per_dim"].value == pytest.approx(8 - by_name["ais"].value / 768 / math.log(2))
    assert abs(by_name["ais.gap"].value) < 1
    assert "gaussian-given0.05" in by_name["ais"].protocol
    assert "prior-uniform" in by_name["ais"].protocol


@pytest.mark.slow
def test_a_run_keeps_what_was_found_and_all_of_it_is_json(dcgan, data):
    before = (dcgan / "measures.jsonl").read_text().splitlines() if (dcgan / "measures.jsonl").exists() else []
    found = likelihood(Likelihood(run=dcgan, data=str(data), **QUICK))
    kept = [json.loads(line) for line in (dcgan / "measures.jsonl").read_text().splitlines()]
    assert len(kept) == len(before) + 1
    assert kept[-1]["source"] == "likelihood"
    assert [one["metric"] for one in kept[-1]["results"]] == [one.metric for one in found.results]
    assert found.written == str(dcgan / "measures.jsonl")
    json.dumps(dataclasses.asdict(found), allow_nan=False)
    for one in found.results:
        assert math.isfinite(one.value)
        assert one.standard_error > 0
        assert one.error_method == "deviation over pictures"
        assert one.protocol.startswith("ais:n3:16x16x3:dequantised256:gaussian-validation:chains2:temperatures4:")
    from ganvas.report.web.run_reader import read

    assert read(dcgan).measures[-1].results[0].metric == "ais"


@pytest.mark.slow
def test_a_variance_is_chosen_apart_from_the_measured_pictures_and_its_weight_is_said(dcgan, data):
    found = likelihood(Likelihood(run=dcgan, **QUICK))
    assert found.variance_from == "validation"
    assert len(found.tried) >= 3
    assert found.dependence in ("weak", "strong")
    assert any(f"depends {found.dependence}ly on the variance" in note for note in found.notes)
    trained = load(dcgan)
    task = Likelihood(run=dcgan, **QUICK)
    packed = _packed(task, trained)
    together, none = _pictures(dataclasses.replace(task, n=5), trained, packed, 0)
    chosen_on = _pictures(task, trained, packed, 2)
    assert len(none) == 0
    assert torch.equal(torch.cat(chosen_on), together)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_and_rows_at_a_time_are_no_matter(dcgan):
    first, again, other = (
        likelihood(Likelihood(run=dcgan, variance="0.1", **(QUICK | {"simulated": 0, "rows": rows, "seed": seed})))
        for rows, seed in ((None, 1), (4, 1), (None, 2))
    )
    assert first.log_likelihoods == pytest.approx(again.log_likelihoods, abs=0.01)  # Float32 in other batches.
    assert [one.protocol for one in first.results] == [one.protocol for one in again.results]
    assert first.log_likelihoods != pytest.approx(other.log_likelihoods, abs=0.01)


@pytest.mark.slow
def test_pictures_of_black_and_white_have_a_likelihood_in_bits_below_that_of_coins(dcgan):
    found = likelihood(Likelihood(run=dcgan, observation="bernoulli", **QUICK))
    assert found.variance is None
    assert "binarised128:bernoulli:" in found.results[0].protocol
    assert found.results[1].value == pytest.approx(-found.results[0].value / 768 / math.log(2))
    assert 0 < found.results[1].value < 2


def test_bytes_are_dequantised_once_and_by_the_seed(dcgan, data):
    trained = load(dcgan)
    task = Likelihood(run=dcgan, n=3, seed=7, quiet=True)
    made, _ = _pictures(task, trained, _packed(task, trained), 0)
    order = torch.randperm(40, generator=stream(7, "measure", "order"))[:3]
    raw = torch.from_numpy(np.load(data)["images"])[order].permute(0, 3, 1, 2)
    assert torch.equal(made, dequantised(raw.contiguous(), stream(7, "ais", "dequantise")))


@pytest.fixture(scope="module")
def conditional(data, tmp_path_factory) -> Path:
    settings = ("latent_size=4", "fmap_base=32", "fmap_max=4", "batch_size=8", "train_kimg=0.008", "fade_kimg=0.008")
    rest = ("measure_kimg=-1", "sample_kimg=1")
    return trained_on(
        data,
        tmp_path_factory.mktemp("conditional") / "run",
        "gan/progan",
        *settings,
        *rest,
        kimg=0.02,
        conditional=True,
    )


@pytest.mark.slow
def test_a_model_of_classes_is_asked_for_one(conditional):
    with pytest.raises(UserError, match="--label"):
        likelihood(Likelihood(run=conditional, **QUICK))
    found = likelihood(Likelihood(run=conditional, label="1", variance="0.1", **QUICK))
    assert ":label=1:" in found.results[0].protocol
    trained = load(conditional)
    assert trained.resolution < 16 or trained.fade < 1  # Still growing, and measured as it draws.
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    made = decoder_of(trained, label="1").decode(z)
    assert made == pytest.approx(((trained.decode(z, torch.ones(3).long()) + 1) * 127.5 + 0.5) / 256, abs=1e-6)


def test_normal_latents_are_turned_into_the_uniform_ones_of_a_model(dcgan):
    trained = load(dcgan)
    z = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    made = decoder_of(trained).decode(z)
    uniform = 2 * torch.distributions.Normal(0.0, 1.0).cdf(z) - 1
    assert made == pytest.approx(((trained.decode(uniform) + 1) * 127.5 + 0.5) / 256, abs=1e-6)


def test_a_latent_of_another_distribution_is_refused(dcgan, monkeypatch):
    trained = load(dcgan)
    monkeypatch.setattr(type(trained.model), "latents", lambda self, n, rng: torch.randn(n, 2, generator=rng) * 2)
    with pytest.raises(UserError, match="neither of N"):
        decoder_of(trained)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"variance": "-1"}, "--variance -1"),
        ({"variance": "little"}, "variance=little is not a finite number"),
        ({"simulated": 1}, "--simulated 1"),
        ({"simulated": -1}, "--simulated -1"),
        ({"n": 1}, "-n 1"),
        ({"temperatures": 1}, "temperatures=1"),
        ({"chains": 0}, "chains=0"),
        ({"rows": 0}, "--rows 0"),
        ({"label": "cat"}, "--label cat"),
        ({"n": 39}, "has 40 pictures, and 39 are to be measured and 2 besides"),
        ({"data": "none/there"}, "none/there"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(dcgan, given, said):
    with pytest.raises(UserError) as told:
        likelihood(Likelihood(run=dcgan, **(QUICK | given)))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_pictures_of_another_size_are_told_in_one_line(dcgan, tmp_path):
    small = pictures(tmp_path / "small.npz", 8, size=12)
    with pytest.raises(UserError, match="12x12") as told:
        likelihood(Likelihood(run=dcgan, data=str(small), **QUICK))
    assert "\n" not in str(told.value)


def test_a_model_that_has_diverged_is_told_and_nothing_is_written(dcgan, monkeypatch):
    from ganvas.networks.adversarial.dcgan_networks import DcganGenerator

    before = (dcgan / "measures.jsonl").read_text() if (dcgan / "measures.jsonl").exists() else None
    whole = DcganGenerator.forward
    monkeypatch.setattr(DcganGenerator, "forward", lambda self, z: whole(self, z) * math.nan)
    with pytest.raises(UserError, match="not finite numbers"):
        likelihood(Likelihood(run=dcgan, **QUICK))
    assert before == ((dcgan / "measures.jsonl").read_text() if (dcgan / "measures.jsonl").exists() else None)


def call(capsys, *arguments):
    from ganvas.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.mark.slow
def test_the_cost_is_said_before_the_start_and_the_table_after(dcgan, capsys):
    some = ("-n", 3, "--simulated", 2, "--temperatures", 4, "--chains", 2, "--validation", 2, "--device", "cpu")
    code, out, err = call(capsys, "likelihood", dcgan, *some)
    found = json.loads(out)
    assert code == 0
    # Pilot and run of 3 pictures; pilot and two runs of 2; of 4 temperatures each, that is 2 transitions of 10 steps.
    assert found["passes"] == 3 * 2 * 2 * 21 + 2 * 2 * 3 * 21
    lines = err.splitlines()
    assert "choice of the variance" in lines[0]
    assert f"{found['passes']:,} passes through the decoder and back, about" in lines[1]
    for word in ("nats per picture", "bits per dimension", "gap of the bounds", "Variance of the noise", "Note: "):
        assert word in err
    assert "the density of an altered model" in " ".join(err.split())


def test_measure_names_the_command_and_the_catalogue_has_it(dcgan, capsys):
    code, out, err = call(capsys, "measure", dcgan, "--metrics", "ais", "--quiet")
    assert (code, out) == (2, "")
    assert "`ganvas likelihood RUN`" in err
    code, out, err = call(capsys, "metrics", "ais")
    assert "sees: decoder" in err


@pytest.mark.slow
def test_measuring_all_leaves_it_out_with_a_line(data, capsys):
    code, out, _ = call(capsys, "measure", data, data, "--metrics", "all", "--quiet")
    assert code == 0
    assert "`ganvas likelihood RUN`" in json.loads(out)["skipped"]["ais"]


# --- A model that knows its likelihood ---


@pytest.fixture(scope="module")
def pixelcnn(data, tmp_path_factory) -> Path:
    """Untrained but for its start from data. Read only but for its measures."""
    small = ("height=8", "width=8", "levels=1", "blocks=1", "features=4", "mixtures=2", "batch_size=8")
    once = ("measure_kimg=-1", "sample_kimg=1")
    folder = tmp_path_factory.mktemp("pixelcnn")
    others = pictures(folder / "others.npz", 40, seed=1)
    how = {"kimg": 0.008, "fit": "stretch", "held_out": str(others)}
    return trained_on(data, folder / "run", "autoregressive/pixelcnn_pp", *small, *once, **how)


@pytest.mark.slow
def test_a_model_that_knows_its_likelihood_gives_it_exactly_beside_codes_that_learn_nothing(pixelcnn):
    found = likelihood(Likelihood(run=pixelcnn, n=7, quiet=True, device="cpu"))
    assert Path(found.data).name == "others.npz"  # What the training held out, where nothing is named.
    assert ":held-out=" in found.results[0].protocol
    assert not any("training's own" in note for note in found.notes)
    assert [one.metric for one in found.results] == ["bits_per_dimension"] + [
        f"bits_per_dimension.{name}" for name in ("histogram", "png", "webp")
    ]
    assert any("192 numbers cannot be found from 40 training pictures. 193 would do" in note for note in found.notes)
    assert len(found.log_likelihoods) == found.n == 7
    # 8 x 8 x 3 numbers; a bit is ln 2 nats.
    mean = -sum(found.log_likelihoods) / 7 / (192 * math.log(2))
    assert found.results[0].value == pytest.approx(mean, rel=1e-9)
    assert found.acceptance is None
    line = json.loads((pixelcnn / "measures.jsonl").read_text().splitlines()[-1])
    assert line["source"] == "likelihood"


@pytest.mark.slow
def test_the_trainings_own_pictures_are_named_so_and_stand_beside_nothing_that_was_fitted_on_them(
    pixelcnn, data, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    code, _, err = call(capsys, "likelihood", pixelcnn, data, "-n", 3, "--device", "cpu")
    assert code == 0
    assert "bits per dimension (exact), of what it was trained on" in err
    assert "These are the training's own" in err.replace("\n", " ")
    line = json.loads((pixelcnn / "measures.jsonl").read_text().splitlines()[-1])
    assert [one["metric"] for one in line["results"]] == [f"bits_per_dimension{part}" for part in ("", ".png", ".webp")]
    assert all(":training=sha256:" in one["protocol"] for one in line["results"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting", [{"variance": "0.1"}, {"temperatures": 5}, {"observation": "bernoulli"}, {"budget": "paper"}]
)
def test_settings_of_estimates_are_refused_where_nothing_is_estimated(pixelcnn, data, setting):
    with pytest.raises(UserError, match=f"--{next(iter(setting))}.* knows its likelihood"):
        likelihood(Likelihood(run=pixelcnn, data=str(data), quiet=True, device="cpu", **setting))


@pytest.mark.slow
def test_more_pictures_than_there_are_are_refused_where_the_likelihood_is_known(pixelcnn, data):
    with pytest.raises(UserError, match="There are 40 pictures, and 41"):
        likelihood(Likelihood(run=pixelcnn, data=str(data), n=41, quiet=True, device="cpu"))


# --- A model that bounds its likelihood ---


@pytest.mark.slow
def test_a_bound_by_more_samples_is_no_looser_and_its_protocol_says_how_many(vae, data, capsys):
    bits = {}
    for samples in (1, 32):
        found = likelihood(Likelihood(run=vae, data=str(data), n=40, samples=samples, quiet=True, device="cpu"))
        bits[samples] = found.results[0]
        assert f":lower-bound:importance{samples}:dequantised:" in bits[samples].protocol
    assert bits[32].value < bits[1].value
    code, _, err = call(capsys, "likelihood", vae, data, "-n", 4, "--samples", 2, "--device", "cpu")
    assert code == 0
    assert "bits per dimension, at most" in err


@pytest.mark.slow
def test_samples_of_a_bound_are_refused_where_there_is_none(pixelcnn, vae, data):
    with pytest.raises(UserError, match=r"--samples 8: .* has no bound"):
        likelihood(Likelihood(run=pixelcnn, data=str(data), samples=8, quiet=True, device="cpu"))
    with pytest.raises(UserError, match="--samples 0 must be at least 1"):
        likelihood(Likelihood(run=vae, data=str(data), samples=0, quiet=True, device="cpu"))


@pytest.mark.slow
def test_a_model_whose_codes_are_of_no_known_distribution_has_no_estimate_either(data, tmp_path):
    run = trained_on(data, tmp_path / "run", "vae/autoencoder", *SETTINGS, "latent_size=2")
    with pytest.raises(UserError, match="It has no likelihood here"):
        likelihood(Likelihood(run=run, **QUICK))


# --- A flow: exact, and an estimate held against it ---


@pytest.fixture(scope="module")
def flow(tmp_path_factory) -> Path:
    """NICE of 6x6 pictures with normal latents. Read only but for its measures."""
    folder = tmp_path_factory.mktemp("flow")
    small = pictures(folder / "data.npz", 40, size=6)
    settings = ("features=8", "depth=1", "prior=normal", "batch_size=8", "measure_kimg=-1", "sample_kimg=1", "lr=0.01")
    settings += ("health_kimg=0.2",)
    return trained_on(small, folder / "run", "flow/nice", *settings, kimg=0.4)


@pytest.mark.slow
def test_a_flow_says_that_its_density_is_exact_and_how_colours_were_spread(flow, capsys):
    code, _, err = call(capsys, "likelihood", flow, "-n", 20, "--device", "cpu")
    assert code == 0
    assert "bits per dimension, at most (exact density)" in err
    assert "noise within the bins of their colours" in err.replace("\n", " ")
    found = {k: likelihood(Likelihood(run=flow, samples=k, quiet=True, device="cpu")).results[0] for k in (None, 1, 16)}
    assert ":exact-density:dequantised-uniform1:" in found[None].protocol
    assert found[None].value == found[1].value
    assert found[16].value == pytest.approx(found[1].value, abs=0.05)  # So young a flow is level within a bin.
    assert ":exact-density:dequantised-uniform16:" in found[16].protocol


@pytest.mark.slow
def test_a_run_of_a_flow_notes_at_every_check_up_how_well_its_inverse_holds(flow):
    signs = [line["signs"] for line in RunFolder(flow).lines("health.jsonl")]
    assert len(signs) == 2
    assert all(0 <= one["inverse_error"] < 1e-4 for one in signs)


@pytest.mark.slow
def test_an_estimate_of_a_flow_is_held_against_its_exact_density_with_the_same_noise(tmp_path):
    # Real NVP ends in a logit, and noise of a tenth of the range goes beyond its reach in nearly every draw.
    data = pictures(tmp_path / "data.npz", 8, size=8)
    settings = ("objective=likelihood", "resolution=8", "flow_features=2", "blocks=1", "scales=1", "batch_size=8")
    settings += ("measure_kimg=-1", "sample_kimg=1")
    run = trained_on(data, tmp_path / "run", "flow/flow_gan", *settings, kimg=0.008)
    how = QUICK | {"n": 2, "temperatures": 4, "simulated": 0, "chains": 1}
    result = likelihood(Likelihood(run=run, data=str(data), variance="0.01", **how))
    found = {one.metric: one for one in result.results}
    assert found["ais.exact"].value - found["ais"].value == pytest.approx(found["ais.shortfall"].value)
    assert found["ais.shortfall"].value > -1  # The estimate is a lower bound on average; of 4 temperatures a loose one.
    assert "smoothed-exact256" in found["ais.exact"].protocol
    assert any(re.search(r"256 draws, of which [1-9]\d* or more share", note) for note in result.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"variance": "validation"}, "--variance validation: .* knows its density"),
        ({"variance": "1e-3", "samples": 4}, "knows its density"),
        ({"temperatures": 5}, "knows its likelihood, so nothing is estimated"),
    ],
)
def test_what_cannot_be_asked_of_a_flow_is_told(flow, given, said):
    with pytest.raises(UserError, match=said):
        likelihood(Likelihood(run=flow, quiet=True, device="cpu", **given))


EDM = ("height=8", "width=8", "features=4", "multipliers=1,1", "blocks=1", "steps=2", "batch_size=8", "attention=1")


@pytest.mark.slow
def test_a_diffusion_model_bounds_its_likelihood_and_estimates_it_along_its_flow(vae, data, tmp_path):
    run = trained_on(
        data, tmp_path / "run", "diffusion/edm", *EDM, "measure_kimg=-1", "sample_kimg=1", kimg=0.08, fit="stretch"
    )
    how = {"run": run, "data": str(data), "n": 4, "quiet": True, "device": "cpu"}
    bound, along = likelihood(Likelihood(**how)), likelihood(Likelihood(**how, flow_steps=3))
    assert ":lower-bound:variational:levels8:sigma0.002-80:" in bound.results[0].protocol
    assert ":estimate:probability-flow:heun3:hutchinson1:dequantised:" in along.results[0].protocol
    assert all(math.isfinite(value) for value in bound.log_likelihoods + along.log_likelihoods)
    with pytest.raises(UserError, match=r"--flow-steps 3: vae/vae carries no sample to noise"):
        likelihood(Likelihood(run=vae, data=str(data), flow_steps=3, quiet=True, device="cpu"))
    with pytest.raises(UserError, match="--flow-steps 0 must be at least 1"):
        likelihood(Likelihood(run=run, flow_steps=0, quiet=True, device="cpu"))


@pytest.mark.slow
def test_a_run_of_points_is_told_where_its_likelihood_stands(tmp_path):
    settings = ("couplings=2", "width=4", "depth=1", "bins=3", "batch_size=8", "measure_kimg=-1", "sample_kimg=1")
    task = Train(model="flow/spline", data="mixtures:pair,50", out=tmp_path / "run", set=settings, kimg=0.016)
    train(dataclasses.replace(task, quiet=True, estimate=False, device="cpu"))
    with pytest.raises(UserError, match="draws points, and likelihoods here are of pictures"):
        likelihood(Likelihood(run=tmp_path / "run", quiet=True, device="cpu"))
