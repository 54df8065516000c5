import math

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.stacked_modes import Accumulator, compare, shares


def logits(classes, *, k=10):
    """Rows in which each of three channels is sure of its class."""
    return torch.nn.functional.one_hot(torch.as_tensor(classes), k).float().flatten(1)


def filled(rows):
    accumulator = Accumulator()
    accumulator.update(rows)
    return accumulator


def values(real, fake):
    return {one.metric: one for one in compare(filled(real), filled(fake))}


def drawn(n, *, seed, k=10, low=0):
    return torch.randint(low, k, (n, 3), generator=torch.Generator().manual_seed(seed))


def test_every_triple_of_classes_is_a_mode_of_its_own():
    every = torch.cartesian_prod(*[torch.arange(10)] * 3)
    assert values(logits(every), logits(every))["stacked_modes"].value == 1000
    swapped = every[every[:, 0] != every[:, 1]][:, [1, 0, 2]]
    assert values(logits(swapped), logits(swapped))["stacked_modes"].value == 900


def test_a_thousand_uniform_pictures_miss_the_modes_that_chance_misses():
    # Of 1,000 modes each is missed with (1 - 1/1000)^1000 = 0.3677.
    found = values(logits(drawn(1000, seed=0)), logits(drawn(1000, seed=1)))["stacked_modes"]
    wanted = 1000 * (1 - (1 - 1e-3) ** 1000)
    assert found.value == pytest.approx(wanted, abs=4 * math.sqrt(1000 * 0.3677 * 0.6323))


def test_half_of_the_classes_diverge_by_three_times_log_two():
    # Each channel has half of its ten classes: q = 8 p on an eighth of the modes.
    found = values(logits(drawn(20_000, seed=0)), logits(drawn(20_000, seed=1, low=5)))
    assert found["stacked_modes"].value == 125
    # Too large by 124 / 2n = 0.003; the reals' shares have an error of 1 % per class.
    assert found["stacked_modes.reverse_kl"].value == pytest.approx(3 * math.log(2), abs=0.02)


def test_the_error_of_the_count_is_that_of_repeated_draws():
    counts = [values(logits(drawn(2000, seed=0)), logits(drawn(2000, seed=seed)))["stacked_modes"] for seed in range(9)]
    spread = torch.tensor([one.value for one in counts]).std()
    told = sum(one.standard_error for one in counts) / 9
    assert told == pytest.approx(float(spread), rel=0.9)  # Of nine draws; 136 modes are missed.


def test_shares_are_the_product_of_the_channels_own():
    counts = torch.zeros(2, 2, 2, dtype=torch.float64)
    counts[0, 0, 0], counts[1, 1, 0] = 30, 10
    found = shares(counts)
    assert float(found[0, 1, 0]) == pytest.approx((30.5 / 41) * (10.5 / 41) * (40.5 / 41))
    assert float(found.sum()) == pytest.approx(1)


def test_unlike_numbers_of_pictures_and_one_class_are_refused():
    with pytest.raises(UserError, match="equally many"):
        values(logits(drawn(10, seed=0)), logits(drawn(12, seed=0)))
    with pytest.raises(UserError, match="at least 2 classes"):
        filled(torch.zeros(4, 3))
