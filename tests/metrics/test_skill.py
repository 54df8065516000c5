"""The tournament against closed forms and what must hold of any."""

import math

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.metrics.skill import Config, score, tournament

N = 512


def outputs(lift, seed):
    return np.random.default_rng(seed).normal(lift, 1, N)


def ladder(generators, discriminators):
    """Discriminator j sees a real lifted by its own strength above generator i's pictures."""
    real = {f"d{j}": outputs(0, j) for j in range(len(discriminators))}
    fake = {
        (f"d{j}", f"g{i}"): outputs(generators[i] - discriminators[j], 100 + 10 * j + i)
        for j in range(len(discriminators))
        for i in range(len(generators))
    }
    return real, fake


def test_a_score_is_the_share_of_pairs_in_which_the_real_wins():
    random = np.random.default_rng(0)
    real, fake = (random.integers(0, 6, count).astype(float) for count in (40, 30))
    by_hand = np.mean([(r > f) + 0.5 * (r == f) for r in real for f in fake])
    assert score(real, fake) == pytest.approx(by_hand, abs=1e-15)
    assert score(fake, real) == pytest.approx(1 - by_hand, abs=1e-15)


def test_a_score_of_shifted_normals_is_the_normal_distribution_of_the_shift():
    # P(x + d > y) = Phi(d / sqrt 2) for standard normal x and y.
    random = np.random.default_rng(1)
    found = score(random.normal(1, 1, 20000), random.normal(0, 1, 20000))
    assert found == pytest.approx(0.5 * (1 + math.erf(0.5)), abs=0.01)  # Four standard errors.


def test_everyone_is_ranked_by_strength_in_both_ratings():
    found = tournament(*ladder([-1.0, -0.3, 0.2, 0.9], [-0.8, 0.0, 0.7]))
    for role, names in (("generator", ["g3", "g2", "g1", "g0"]), ("discriminator", ["d2", "d1", "d0"])):
        standing = [one for one in found.standings if one.role == role]
        assert [one.name for one in standing] == names
        assert [one.glicko for one in standing] == sorted((one.glicko for one in standing), reverse=True)
        assert all(one.rating.standard_error > 0 for one in standing)


def test_win_rates_are_the_means_of_the_table():
    found = tournament(*ladder([-1.0, 0.5], [0.0, 0.3]))
    rates = {one.name: one.win_rate for one in found.standings}
    assert [rates["d0"], rates["d1"]] == pytest.approx(found.scores.mean(1))
    assert [rates["g0"], rates["g1"]] == pytest.approx(1 - found.scores.mean(0))


def test_the_order_of_players_and_any_scale_of_outputs_change_nothing():
    real, fake = ladder([-1.0, 0.5, 0.7], [0.0, 0.3])
    first = {one.name: one.rating.value for one in tournament(real, fake).standings}
    scaled = {name: np.exp(3 * real[name]) for name in reversed(real)}
    mixed = {pair: np.exp(3 * fake[pair]) for pair in reversed(fake)}
    second = {one.name: one.rating.value for one in tournament(scaled, mixed).standings}
    assert second == pytest.approx(first, abs=1e-6)


@pytest.mark.slow
@pytest.mark.simulate
def test_error_bars_cover_the_ratings_of_endless_pictures(experiments):
    """The truth is the rating of the exact scores, Phi(shift / sqrt 2)."""
    from ganvas.metrics.tournament.ratings import bradley_terry

    generators, discriminators = [-0.6, 0.1, 0.6], [-0.2, 0.4]
    shift = np.subtract.outer(discriminators, generators)
    exact = 0.5 * (1 + np.vectorize(math.erf)(shift / 2))
    truth = bradley_terry(exact)[1]
    inside = []
    for trial in range(experiments.count(200)):
        random = np.random.default_rng(trial)
        real = {f"d{j}": random.normal(0, 1, 256) for j in range(2)}
        fake = {(f"d{j}", f"g{i}"): random.normal(-shift[j, i], 1, 256) for j in range(2) for i in range(3)}
        found = {one.name: one.rating for one in tournament(real, fake, config=Config(blocks=16)).standings}
        inside += [abs(found[f"g{i}"].value - truth[i]) < 1.96 * found[f"g{i}"].standard_error for i in range(3)]
    experiments.require(np.mean(inside))


def test_what_is_no_tournament_is_refused():
    real, fake = ladder([0.0], [0.0])
    with pytest.raises(UserError, match="at least"):
        tournament({name: rows[:4] for name, rows in real.items()}, fake)
    with pytest.raises(UserError, match="not finite"):
        tournament({name: rows * np.nan for name, rows in real.items()}, fake)
