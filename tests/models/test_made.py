"""MADE: who knows whom, probabilities that add up to 1, and samples that follow them."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.models.autoregressive.made import TINY, TINY_POINTS, Model
from ganvas.nn.layers.initialise import initialise

pytestmark = pytest.mark.usefixtures("float64")


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


@pytest.mark.parametrize("direct", [True, False])
def test_an_output_moves_with_the_numbers_before_it_in_the_order_of_its_masks_and_with_no_other(direct):
    model = started(height=2, width=3, channels=1, hidden=200, depth=2, masks=2, shuffle=True, direct=direct)
    for number in range(2):
        x = torch.randn(16, 6, generator=stream(1, "x"))
        moves = torch.zeros(6, 6)
        for output in range(6):
            given = x.clone().requires_grad_()
            model.network(given, torch.tensor([number]))[:, output].square().sum().backward()
            moves[output] = given.grad.abs().sum(0)
        places = model.network.places[number]
        assert torch.equal(moves > 0, places[:, None] > places)


def test_masks_of_several_sets_differ_and_those_of_one_order_keep_it():
    shuffled, kept = started(masks=3, shuffle=True), started(masks=3, shuffle=False)
    assert len(shuffled.network.places.unique(dim=0)) == 3
    assert torch.equal(kept.network.places, torch.arange(1, 49).expand(3, -1))
    assert len(kept.network.degrees.unique(dim=0)) == 3


def every_binary_picture():
    return 2.0 * torch.cartesian_prod(*[torch.arange(2.0)] * 4).view(-1, 1, 2, 2) - 1


def binary():
    return started(height=2, width=2, channels=1, binary=True, hidden=40, masks=2, shuffle=True)


def test_the_probabilities_of_all_binary_pictures_add_up_to_1():
    with torch.no_grad():
        total = binary().log_prob(every_binary_picture(), stream(0, "none")).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-12)


def test_drawn_binary_pictures_occur_as_often_as_their_probabilities_say():
    model, n = binary(), 4000
    drawn = torch.cat([model.sample(50, stream(3, "draws", part)) for part in range(n // 50)])
    counts = (drawn == every_binary_picture().unsqueeze(1)).flatten(2).all(2).sum(1)
    assert int(counts.sum()) == n
    with torch.no_grad():
        expected = n * model.log_prob(every_binary_picture(), stream(0, "none")).exp()
    # Chi squared of 15 degrees of freedom is above 37.7 once in a thousand; sets of masks come in blocks of 50.
    assert float(((counts - expected).square() / expected).sum()) < 37.7 * 4


def test_the_density_of_points_adds_up_to_1_in_the_units_of_the_data():
    model = started(TINY_POINTS, hidden=20)
    model.unit.fill_(2.0)
    model.middle.copy_(torch.tensor([0.5, -1.0]))
    line = torch.linspace(-30, 30, 401)
    with torch.no_grad():
        total = model.log_prob(torch.cartesian_prod(line, line), stream(0, "none")).exp().sum() * 0.15**2
    assert float(total) == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("changes", [{}, {"binary": True}, {"direct": False}], ids=str)
def test_drawing_from_memory_is_drawing_by_whole_passes_to_the_bit(changes):
    model = started(height=3, width=4, hidden=30, **changes)
    fast, rng = model.sample(3, stream(7, "draws")), stream(7, "draws")
    with torch.no_grad():
        number = torch.randint(model.config.masks, (1,), generator=rng)
        x = torch.zeros(3, 36)
        for at in model.network.places[number][0].argsort().tolist():
            x[:, at] = model._drawn(model.network(x, number)[:, at], rng)
    assert torch.equal(fast.flatten(1), x)


def test_a_likelihood_is_that_of_the_mixture_of_all_orders():
    model = started()
    x = torch.randint(256, (3, 3, 4, 4), generator=stream(1, "x")) / 127.5 - 1
    with torch.no_grad():
        each = torch.stack([model.log_prob_by(x.flatten(1), torch.tensor([number])) for number in range(2)])
        mixture = torch.logaddexp(each[0], each[1]) - math.log(2)
        assert_close(model.log_prob(x, stream(0, "none")), mixture)


def test_what_draws_after_a_few_steps_has_forgotten_the_weights_of_the_start():
    (phase,) = started().phases()
    assert phase.average(0) == 0
    assert phase.average(1000) ** (50 / 8) == pytest.approx(0.5)  # A half-life of 5 % of a thousand samples.


def test_the_normal_laws_of_a_points_number_start_side_by_side_over_the_range_of_points():
    model = started(TINY_POINTS, components=3)
    x = torch.linspace(-1, 1, 5).view(-1, 1)
    found = model.log_probs(torch.zeros(5, 1, 9), x)[:, 0]  # A network that says nothing yet.
    each = torch.distributions.Normal(torch.tensor([-0.85, 0.0, 0.85]), 0.85).log_prob(x)
    assert_close(found, each.logsumexp(1) - math.log(3))
