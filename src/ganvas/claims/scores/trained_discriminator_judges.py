"""A trained discriminator can judge: it ranks the generators that it met as their distances from the data do."""

from collections.abc import Sequence
from functools import partial

import torch

from ganvas.claims.batched.adversaries import SCOPE, Adversary, Bout, plain, play
from ganvas.claims.batched.ring import LAW, Points, ring, sliced_distance
from ganvas.claims.batched.stacks import generators_of, normal
from ganvas.claims.judging.claim import Experiment, Source

STEPS, MET, SAMPLES, LATENTS = 1000, 10, 1000, 2
TRAINED, UNTRAINED = "a discriminator after the game", "the same one before it"


def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
    """Rank correlation of the mean verdict on a generator's samples with minus its sliced distance."""
    generators = generators_of(seeds)
    maker, judge = plain(generators, LATENTS, 2), plain(generators, 2, 1)
    before = Adversary(stack=[part.detach().clone() for part in judge.stack])
    met: list[Points] = []

    def meet(step: int) -> None:
        if step % -(-steps // MET) == 0:
            with torch.no_grad():
                met.append(maker(normal(generators, SAMPLES, LATENTS)))

    play(maker, judge, ring, generators, Bout(steps=steps, penalty=0.1), latents=LATENTS, watch=meet)
    reals = ring(generators, SAMPLES)
    with torch.no_grad():
        verdicts = torch.stack([(judge if arm == TRAINED else before)(samples).mean((1, 2)) for samples in met])
    distances = torch.tensor([sliced_distance(samples, reals) for samples in met])
    return _rank_correlations(verdicts, -distances)


def _rank_correlations(a: torch.Tensor, b: torch.Tensor) -> list[float]:
    """Spearman's, of every column."""
    ranks = torch.stack([x.argsort(0).argsort(0).double() for x in (a, b)])
    centred = ranks - ranks.mean(1, keepdim=True)
    return (centred.prod(0).sum(0) / centred.square().sum(1).prod(0).sqrt()).tolist()


CLAIM = Experiment(
    statement="A trained discriminator ranks generators as their distances do, more than an untrained one.",
    sources=(
        Source(
            who="Olsson et al. 2018, Skill Rating for Generative Models",
            stance="agrees",
            link="https://arxiv.org/abs/1808.04888",
        ),
        Source(
            who="Odena 2019, Open Questions about Generative Adversarial Networks, problem 4",
            stance="agrees",
            link="https://distill.pub/2019/gan-open-problems",
        ),
    ),
    scope=f"{LAW}; {MET} states of the generator of one game; {SCOPE}, R1 of 0.1, {STEPS:,} steps",
    arms=(TRAINED, UNTRAINED),
    estimand="rank correlation with nearness",
    says="more",
    unit="of 1",
    smallest_effect=0.3,
    seeds=12,
    run=run,
    rehearsal=partial(run, steps=4),
)
