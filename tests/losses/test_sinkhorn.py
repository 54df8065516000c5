"""Plans against assignments found exactly, against the POT library where it is installed, and their marginals."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment, linprog
from torch.autograd import gradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.losses.sinkhorn import (
    cosine_cost,
    euclidean_cost,
    minibatch_energy_distance,
    refuse_halves,
    sinkhorn_cost,
    sinkhorn_plan,
)


def rand(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def placed(n, seed, *, around=0.0):
    """Features of length 1."""
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + around
    return x / x.norm(dim=1, keepdim=True)


def test_rows_and_columns_of_a_plan_add_up_to_one():
    plan = sinkhorn_plan(rand(7, 7), sharpness=20.0, iterations=300)
    one = torch.ones(7, dtype=torch.float64)
    assert_close(plan.sum(1), one, rtol=1e-12, atol=1e-12)
    assert_close(plan.sum(0), one, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_a_sharp_plan_costs_what_the_best_assignment_costs(seed):
    cost = rand(9, 9, seed=seed)
    rows, columns = linear_sum_assignment(cost.numpy())
    best = float(cost[rows, columns].mean())
    plan = sinkhorn_plan(cost, sharpness=2000.0, iterations=3000)
    assert float((plan * cost).sum() / 9) == pytest.approx(best, abs=np.log(9) / 2000)  # At most the entropy's share.


def test_the_best_plan_of_a_linear_program_is_what_sharp_plans_approach():
    # Transport between uniform laws as a linear program over 25 shares: rows and columns add up to 1.
    cost = rand(5, 5, seed=4)
    sums = np.vstack([np.kron(np.eye(5), np.ones(5)), np.kron(np.ones(5), np.eye(5))])
    best = linprog(cost.numpy().ravel(), A_eq=sums, b_eq=np.ones(10)).fun / 5
    for sharpness in (50.0, 500.0, 5000.0):
        found = sinkhorn_cost(cost, sharpness=sharpness, iterations=3000)
        # The entropy that is taken off is between 0 and log n, over the sharpness.
        assert best - np.log(5) / sharpness - 1e-6 <= float(found) <= best + 1e-6


def test_two_samples_have_the_plan_of_the_closed_form():
    # A 2x2 plan with rows and columns of 1 is [[p, 1 - p], [1 - p, p]]; the best p is a logistic function of the costs.
    cost = torch.tensor([[0.1, 0.4], [0.3, 0.9]], dtype=torch.float64)
    share = torch.sigmoid(torch.tensor(7.0 * (0.4 + 0.3 - 0.1 - 0.9) / 2, dtype=torch.float64))
    expected = torch.stack([torch.stack([share, 1 - share]), torch.stack([1 - share, share])])
    assert_close(sinkhorn_plan(cost, sharpness=7.0, iterations=200), expected, rtol=1e-9, atol=1e-9)


def test_plans_and_costs_are_those_of_the_pot_library():
    ot = pytest.importorskip("ot")
    cost, n, sharpness = rand(8, 8, seed=2), 8, 8.0
    uniform = np.full(n, 1 / n)
    theirs = ot.sinkhorn(
        uniform, uniform, cost.numpy(), 1 / sharpness, "sinkhorn_log", numItermax=100_000, stopThr=1e-10
    )
    ours = sinkhorn_plan(cost, sharpness=sharpness, iterations=2000)
    assert_close(ours, torch.from_numpy(n * theirs), rtol=1e-6, atol=1e-9)
    assert float(ot.emd2(uniform, uniform, cost.numpy())) == pytest.approx(
        float((sinkhorn_plan(cost, sharpness=5000.0, iterations=5000) * cost).sum() / n), abs=np.log(n) / 5000
    )


def test_nothing_overflows_or_vanishes_where_costs_are_far_apart():
    cost = torch.tensor([[1.0, 3.0], [3.0, 1.0]])  # exp(-10,000) is 0 in any precision.
    plan = sinkhorn_plan(cost, sharpness=1e4, iterations=50)
    assert_close(plan, torch.eye(2))
    assert sinkhorn_cost(cost, sharpness=1e4).isfinite()


def test_the_gradient_is_the_plan_and_the_slope_of_the_cost():
    cost = rand(4, 4, seed=3).requires_grad_()
    sinkhorn_cost(cost, sharpness=8.0, iterations=500).backward()
    assert_close(cost.grad, sinkhorn_plan(cost.detach(), sharpness=8.0, iterations=500) / 4)
    assert gradcheck(lambda c: sinkhorn_cost(c, sharpness=8.0, iterations=500), (cost.detach().requires_grad_(),))


def test_a_stack_of_costs_is_planned_one_by_one():
    costs = rand(3, 5, 5)
    together = sinkhorn_cost(costs, sharpness=9.0, iterations=50)
    assert_close(together, torch.stack([sinkhorn_cost(cost, sharpness=9.0, iterations=50) for cost in costs]))


def test_the_cost_of_features_of_length_one_is_one_minus_their_cosine():
    x, y = placed(3, 0), placed(4, 1)
    angle = torch.acos((x[1] * y[2]).sum())
    assert_close(cosine_cost(x, y)[1, 2], 1 - torch.cos(angle))


def test_the_euclidean_cost_is_the_length_of_the_difference_also_of_what_is_near():
    x = torch.tensor([[0.0, 0.0], [1000.0, 0.0]]).repeat(20, 1)  # So many rows that torch would take products.
    y = torch.tensor([[3.0, 4.0], [1000.0, 0.01]])
    assert_close(euclidean_cost(x, y)[:2], torch.tensor([[5.0, 1000.0], [(997**2 + 16) ** 0.5, 0.01]]))


def test_the_energy_distance_is_four_transports_across_less_twice_those_within():
    batches = [placed(4, seed) for seed in range(4)]
    how = {"sharpness": 20.0, "iterations": 200}
    x, other_x, y, other_y = batches

    def transport(one, other):
        return sinkhorn_cost(cosine_cost(one, other), **how)

    across = sum(transport(one, other) for one in (x, other_x) for other in (y, other_y))
    expected = across - 2 * transport(x, other_x) - 2 * transport(y, other_y)
    assert_close(minibatch_energy_distance(*batches, **how), expected)


def test_the_energy_distance_of_one_law_is_zero_on_average_and_that_of_two_is_not():
    def distance(seed, apart):
        x = [placed(16, 10 * seed + i) for i in range(2)]
        y = [placed(16, 10 * seed + 2 + i, around=apart) for i in range(2)]
        return float(minibatch_energy_distance(*x, *y, sharpness=50.0, iterations=100))

    same, apart = ([distance(seed, shift) for seed in range(40)] for shift in (0.0, 0.5))
    assert abs(np.mean(same)) < 3 * np.std(same) / 40**0.5
    assert np.mean(apart) > 10 * np.std(same) / 40**0.5


def test_the_gradient_at_every_sample_is_the_slope_of_the_energy_distance():
    x, other_x, y, other_y = (placed(3, seed).requires_grad_(seed == 2) for seed in range(4))
    how = {"sharpness": 5.0, "iterations": 50}
    assert gradcheck(lambda y: minibatch_energy_distance(x, other_x, y, other_y, **how), (y,))


def test_points_that_descend_the_energy_distance_get_the_shares_of_the_law():
    # One of four real samples lies at one place and three at another. Between clouds that are their own other halves
    # the distance is twice the Sinkhorn divergence: 0 where they are equal and nowhere else (Feydy et al. 2019).
    places = torch.eye(3, dtype=torch.float64)[:2]
    real = places[[0, 1, 1, 1]]
    made = placed(4, 5)[:, :3].clone().requires_grad_()
    adam = torch.optim.Adam([made], lr=0.2)
    for _ in range(60):
        x = made / made.norm(dim=1, keepdim=True)
        loss = minibatch_energy_distance(real, real, x, x, sharpness=10.0, iterations=50)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-2)
    assert (torch.cdist(x.detach(), places) < 0.2).sum(0).tolist() == [1, 3]


@pytest.mark.parametrize("size", [0, 2, 3, 7])
def test_a_batch_that_has_no_two_halves_is_refused(size):
    with pytest.raises(UserError, match=f"batch_size={size} must come apart into two halves"):
        refuse_halves(size)
    refuse_halves(4)
