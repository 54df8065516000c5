import pytest
import torch

from ganvas.metrics.auth_pct import Accumulator, compare


def filled(rows):
    accumulator = Accumulator()
    accumulator.update(rows)
    return accumulator


def normal(n, d=6, *, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def measured(real, fake):
    (result,) = compare(filled(real), filled(fake))
    return result


def by_definition(real, fake):
    spacing = torch.cdist(real.double(), real.double()).fill_diagonal_(torch.inf).amin(1)
    distance, nearest = torch.cdist(fake.double(), real.double()).min(1)
    return 100 * float((distance > spacing[nearest]).double().mean())


def test_a_case_by_hand():
    # On a line: reals at 0, 1 and 5. Spacings 1, 1 and 4. Generated: 0.4 (0.4 from 0: a copy), 2.5 (1.5 from 1:
    # authentic), 4 (1 from 5, within 4: a copy), 12 (7 from 5: authentic), 6 less than nothing (6 from 0: authentic).
    real = torch.tensor([[0.0], [1.0], [5.0]])
    assert measured(real, torch.tensor([[0.4], [2.5], [4.0], [12.0], [-6.0]])).value == pytest.approx(60)


@pytest.mark.parametrize(("n", "m", "d"), [(200, 200, 6), (50, 120, 30), (2, 5, 3)])
def test_it_is_that_of_the_definition(n, m, d):
    real, fake = normal(n, d, seed=1), 1.1 * normal(m, d, seed=2)
    assert measured(real, fake).value == by_definition(real, fake)


def test_copies_are_not_authentic_and_noise_is():
    real = normal(100, seed=1)
    assert measured(real, real[:40]).value == 0
    assert measured(real, 50 * normal(80, seed=2)).value == 100


def test_a_picture_as_far_as_the_reals_are_from_each_other_is_a_copy():
    # Strictly farther, in the definition: a tie is none.
    assert measured(torch.tensor([[0.0], [1.0]]), torch.tensor([[-1.0], [2.0]])).value == 0


def test_reals_that_are_twice_there_have_no_spacing():
    assert measured(torch.ones(10, 3), torch.ones(10, 3) * 2).value == 100
    assert measured(torch.ones(10, 3), torch.ones(10, 3)).value == 0


def test_the_error_is_of_halves_measured_alone():
    from ganvas.metrics.maths.neighbours import knn_error

    real, fake = normal(120, seed=1), normal(120, seed=2)
    squares = []
    for split in range(knn_error.SPLITS):
        left = (knn_error._half(120, 0, "real", split), knn_error._half(120, 0, "fake", split))
        values = [by_definition(real[x], fake[y]) for x, y in (left, [~half for half in left])]
        squares.append((values[0] - values[1]) ** 2)
    expected = (sum(squares) / len(squares) / 4) ** 0.5
    assert measured(real, fake).standard_error == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.simulate
def test_intervals_of_95_percent_hold_the_mean_in_90_to_99_of_100_experiments(experiments):
    random, draws = torch.Generator().manual_seed(0), []
    for _ in range(experiments.count(200)):
        result = measured(torch.randn(150, 6, generator=random), 1.1 * torch.randn(150, 6, generator=random))
        draws.append((result.value, result.standard_error))
    values, errors = torch.tensor(draws, dtype=torch.float64).unbind(1)
    held = float(((values - values.mean()).abs() <= 1.96 * errors).double().mean())
    experiments.require(held)
