"""Games of any two players, of many seeds side by side, are those of each seed alone; the batched flow is a flow."""

import math
from functools import partial

import torch
from torch.testing import assert_close

from ganvas.claims.batched.adversaries import Bout, plain, play
from ganvas.claims.batched.ring import ring
from ganvas.claims.batched.stacks import dense, generators_of, normal
from ganvas.claims.likelihoods._flow import flow, log_density, sampled


def test_a_game_is_not_disturbed_by_those_beside_it():
    def average(seeds: list[int]) -> torch.Tensor:
        generators = generators_of(seeds)
        players = plain(generators, 2, 2), plain(generators, 2, 1)
        found = play(*players, ring, generators, Bout(steps=4, penalty=0.1, memory=0.5), latents=2)
        return dense(found.stack, torch.ones(len(seeds), 3, 2))[-1].detach()

    assert_close(average([3, 4]), average([4]), rtol=1e-3, atol=1e-4)


def test_the_density_of_a_flow_is_that_of_its_samples():
    generators = generators_of([0, 1])
    stack = [(10 * part.detach() if place % 6 == 4 else part) for place, part in enumerate(flow(generators))]
    z = normal(generators, 5, 2)
    x = sampled(stack, z)
    own = -z.square().sum(-1) / 2 - math.log(2 * math.pi)
    for seed in range(2):
        of_seed = [part[seed : seed + 1] for part in stack]
        jacobian = torch.func.jacrev(partial(_samples_of_one, of_seed))(z[seed])
        stretched = torch.stack([torch.linalg.slogdet(jacobian[row, :, row]).logabsdet for row in range(5)])
        assert_close(log_density(stack, x)[seed], own[seed] - stretched, rtol=0, atol=1e-3)


def _samples_of_one(stack: list[torch.Tensor], z: torch.Tensor) -> torch.Tensor:
    return sampled(stack, z[None])[0]
