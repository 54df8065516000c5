"""The gradient noise scale against closed forms, and that measuring it leaves no trace."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage, Steady
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Game, Phase
from ganvas.losses.penalties import gradient_penalty
from ganvas.models.gan import dcgan, sngan, stylegan2
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.layers.initialise import initialise
from ganvas.tasks.train import Train, train
from ganvas.train.augmented import augmented
from ganvas.train.feeds.feed import Feed
from ganvas.train.health.noise_scale import NoiseProbe, gram, noise_note, noise_scale, unit_of
from ganvas.train.plan import Plan
from ganvas.train.state import new_state

DIMS, SIZE = 6, 8


def normal(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=stream(seed, "test"))


def gram_of(gradients):
    return gradients @ gradients.T


def test_two_batch_sizes_say_the_same_as_products_and_deviations():
    gradients = normal(4, DIMS)
    small, big = gradients.square().sum(1).mean(), gradients.mean(0).square().sum()  # Of b and of 4 b samples.
    found = noise_scale(gram_of(gradients), SIZE)
    assert found.signal == pytest.approx(float((4 * SIZE * big - SIZE * small) / (4 * SIZE - SIZE)), rel=1e-12)
    assert found.noise == pytest.approx(float((small - big) / (1 / SIZE - 1 / (4 * SIZE))), rel=1e-12)
    assert found.noise == pytest.approx(float(SIZE * gradients.var(0).sum()), rel=1e-12)
    pairs = [gradients[i] @ gradients[j] for i in range(4) for j in range(i)]
    assert found.signal == pytest.approx(float(sum(pairs) / len(pairs)), rel=1e-12)


def quadratics(count, batches, *, mean=1.0):
    """Gradients of ``|theta - x|^2 / 2`` at 0 for x ~ N(mean, diag(1..DIMS)): of known ``|G|^2`` and ``tr(S)``."""
    deviations = torch.arange(1, DIMS + 1, dtype=torch.float64).sqrt()
    return -(mean + deviations * normal(count, batches, SIZE, DIMS)).mean(2)


def test_of_a_quadratic_both_numbers_are_right_in_the_mean_and_their_ratio_is_of_means():
    found = [noise_scale(gram_of(gradients), SIZE) for gradients in quadratics(2000, 4)]
    signal, noise = (np.array([getattr(one, name) for one in found]) for name in ("signal", "noise"))
    true_signal, true_noise = DIMS, DIMS * (DIMS + 1) / 2
    for values, true in ((signal, true_signal), (noise, true_noise)):
        assert abs(values.mean() - true) < 4 * values.std() / math.sqrt(len(values))
    ratio = true_noise / true_signal
    assert noise.mean() / signal.mean() == pytest.approx(ratio, rel=0.05)
    assert abs((noise / signal)[signal > 0].mean() - ratio) > 0.05 * ratio  # The mean of ratios, which is not used.


def test_the_standard_error_is_the_deviation_of_the_scale():
    found = [noise_scale(gram_of(gradients), SIZE) for gradients in quadratics(300, 64, mean=2.0)]
    scales = np.array([one.scale for one in found])
    assert np.median([one.error for one in found]) == pytest.approx(scales.std(), rel=0.15)


def test_a_gradient_that_the_noise_hides_has_no_scale_but_a_number_that_it_lies_beyond():
    found = noise_scale(gram_of(quadratics(1, 6, mean=0.0)[0]), SIZE)
    assert (found.scale, found.error, found.beyond) == (None, None, 6 * SIZE)


def test_products_of_gradients_are_summed_over_parameters():
    rows = [[normal(*shape, seed=i).float() for shape in ((2, 3), (4,), ())] for i in range(3)]
    flat = torch.stack([torch.cat([part.flatten() for part in row]) for row in rows]).double()
    torch.testing.assert_close(gram(rows), flat @ flat.T, rtol=1e-12, atol=0)


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((2,), 0.8, dtype=torch.float64))

    def forward(self, x):
        return x @ self.weight


class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(2, dtype=torch.float64))


class LinearGame(Game):
    """A linear critic under the Wasserstein loss, with a gradient penalty: all its moments are known."""

    takes = (Points,)

    def __init__(self, config=dcgan.TINY):
        super().__init__()
        self.config, self.critic, self.generator = config, Linear(), Shift()

    def schedule(self):
        return Steady(resolution=None, batch_size=SIZE, lr=0.1)

    def phases(self):
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss),
            Phase(name="G", player=self.generator, loss=self._generator_loss, weight=2.0),
        ]

    def _fakes(self, batch):
        return self.generator.shift + batch.randn(2).double()

    def _critic_loss(self, batch):
        fakes = self._fakes(batch).detach()
        penalty = gradient_penalty(self.critic, batch.points, fakes, batch.rand().double())
        return {"wasserstein": self.critic(fakes) - self.critic(batch.points), "penalty": penalty}

    def _generator_loss(self, batch):
        return {"wasserstein": -self.critic(self._fakes(batch))}


class NormalFeed(Feed):
    """Points of N((3, 0), 4): a batch is a function of the position."""

    def batch(self, nimg, stage):
        drawn = torch.randn(stage.batch_size, 2, dtype=torch.float64, generator=stream(7, "points", nimg))
        return Points(points=2 * drawn + torch.tensor([3.0, 0.0], dtype=torch.float64))

    def close(self): ...


def probe(feed, count):
    return NoiseProbe(feed=feed, count=count, samples=1000, seed=0, ranks=Ranks(), precision=torch.float32)


def test_of_a_linear_critic_the_penalty_has_no_noise_and_the_generator_no_gradient_but_the_critic_s():
    count = 128
    signs = probe(NormalFeed(), count).signs(new_state(LinearGame()), Stage(resolution=None, batch_size=SIZE, lr=0.1))
    # The mean of fakes less that of reals is (-3, 0); a real has variance 4 and a fake 1 in each of two dimensions.
    assert signs["signal/D/wasserstein"] == pytest.approx(9, rel=0.1)
    assert signs["noise/D/wasserstein"] == pytest.approx(10, abs=4 * 10 / math.sqrt(count - 1))  # Chi squared.
    assert abs(signs["noise_scale/D/wasserstein"] - 10 / 9) < 4 * signs["noise_scale_error/D/wasserstein"]
    # Lambda (|w| - 1)^2 has the same slope 2 lambda (|w| - 1) at every sample.
    slope = 20 * (0.8 * math.sqrt(2) - 1)
    assert signs["signal/D/penalty"] == pytest.approx(slope**2)
    assert signs["noise/D/penalty"] == pytest.approx(0, abs=1e-9)
    assert signs["noise/D"] == pytest.approx(signs["noise/D/wasserstein"])  # All noise of the sum is of one term.
    # -2 w for every sample, whatever the latent.
    assert signs["signal/G"] == pytest.approx(4 * 2 * 0.64)
    assert signs["noise_scale/G"] == pytest.approx(0, abs=1e-9)
    assert "noise_scale/G/wasserstein" not in signs  # There is one term.
    assert signs["noise_unit"] == 1


def test_the_unit_is_what_layers_couple():
    assert unit_of(nn.Linear(2, 2), 64) == 1
    assert unit_of(nn.Sequential(MinibatchStdDev(4)), 64) == 4
    assert unit_of(nn.Sequential(MinibatchStdDev(4)), 2) == 2
    assert unit_of(nn.Sequential(MinibatchStdDev(None)), 64) == 64
    assert unit_of(nn.Sequential(MinibatchDiscrimination(3)), 64) == 64
    assert unit_of(dcgan.Model(dcgan.TINY), 64) == 64, "batch norm"


class PictureFeed(Feed):
    def batch(self, nimg, stage):
        side = stage.resolution
        drawn = torch.rand(stage.batch_size, 3, side, side, generator=stream(7, "pictures", nimg))
        return Pictures(images=2 * drawn - 1)

    def close(self): ...


@pytest.mark.parametrize("module", [dcgan, sngan, stylegan2])
def test_measuring_moves_no_buffer_and_no_gradient(module):
    model = module.Model(module.TINY)
    initialise(model, stream(0, "weights"))
    state = new_state(augmented(model, Plan(augment="ada")))
    before = {name: tensor.clone() for name, tensor in state.tensors().items()}
    torch.manual_seed(0)
    drawn = torch.random.get_rng_state()
    signs = probe(PictureFeed(), 3).signs(state, model.schedule().at(0))
    assert {"signal/D", "noise/G"} < signs.keys()
    for name, tensor in state.tensors().items():
        assert torch.equal(tensor, before[name]), name
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(torch.random.get_rng_state(), drawn)


def test_beside_the_bar_stands_the_scale_of_each_phase_but_not_of_its_terms():
    signs = {"signal/D": 1.0, "noise_scale/D": 310.0, "noise_scale_error/D": 40.0, "signal/D/penalty": 1.0}
    assert noise_note(signs) == "noise scale of D 310 ± 40"
    assert noise_note({"signal/G": 0.0, "noise_scale_beyond/G": 512.0}) == "noise scale of G beyond 512"
    assert noise_note({"variety": 0.5}) == ""


def task(out, *changes):
    plan = ("measure_kimg=-1", "sample_kimg=1000", "health_kimg=0.08")
    settings = ("features=4", "features_max=8", "latent_size=8", "batch_size=16", *plan, *changes)
    return Train(
        model="gan/wgan_gp", data="scenes:128,16x16", out=out, set=settings, kimg=0.32, quiet=True, estimate=False
    )


def test_a_run_that_is_measured_keeps_every_bit_and_may_be_begun_without(tmp_path):
    measured, plain = task(tmp_path / "measured", "noise_scale=4"), task(tmp_path / "plain")
    train(measured)
    train(plain)
    assert (measured.out / "log.jsonl").read_bytes() == (plain.out / "log.jsonl").read_bytes()
    lines = [json.loads(line) for line in (measured.out / "health.jsonl").read_text().splitlines()]
    assert len(lines) == 4
    assert all(
        {"noise/D/gradient_penalty", "noise/D/wasserstein", "noise/D", "noise/G"} < x["signs"].keys() for x in lines
    )
    assert "noise" not in (plain.out / "health.jsonl").read_text()
    saved = tmp_path / "plain" / "run.json"  # As it was written when the setting had another name.
    saved.write_text(saved.read_text().replace('"noise_scale"', '"noise_scale_batches"'))
    train(task(tmp_path / "plain", "noise_scale=4"))  # Resumed: it changes nothing of what was.
