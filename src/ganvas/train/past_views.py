"""Views of the past: what a phase sees of the players that it does not move, where that is not how they are now.

A delay shows them as they were some of the phase's turns ago, as workers see each other that do not wait. A history
shows one of many past states, drawn anew at every turn: the opponent of fictitious play is a uniform mixture of what
came before (Grnarova et al. 2018, An Online Learning Approach to Generative Adversarial Networks,
https://arxiv.org/abs/1706.03269). Weights alone are old; running statistics of a norm are those of now, and so is what
one phase keeps for another (``Batch.keep``).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.losses.game import Game, Phase
from ganvas.train.plan import HISTORY_TURNS, Plan

Weights = list[Tensor]


class PastView(ABC):
    """Past weights of the players that a phase does not move, oldest first; saved with the state."""

    def __init__(self, others: Mapping[str, nn.Parameter], *, most: int) -> None:
        self.others, self.most = others, most
        self.past: list[Weights] = []
        self.apart = 0  # Moments, the newest, that were kept since processes that go apart last had all in common.

    @contextmanager
    def shown(self, *, step: int, nimg: int) -> Iterator[None]:
        """While inside, the others are as the phase is to see them; backward passes belong inside too."""
        now = [parameter.data for parameter in self.others.values()]
        if self.remembers(step) or not self.past:
            self.past.append([weight.clone() for weight in now])
            del self.past[: -self.most]
            self.apart = min(self.apart + 1, self.most)
        for parameter, old in zip(self.others.values(), self.chosen(nimg), strict=True):
            parameter.data = old
        try:
            yield
        finally:
            for parameter, own in zip(self.others.values(), now, strict=True):
                parameter.data = own

    @abstractmethod
    def remembers(self, step: int) -> bool:
        """Whether the weights of this turn are kept."""

    @abstractmethod
    def chosen(self, nimg: int) -> Weights:
        """The weights that are seen at this turn."""

    def settled(self) -> Weights:
        """Weights that only this process has seen so; the caller makes them everybody's."""
        own = [weight for weights in self.past[len(self.past) - self.apart :] for weight in weights]
        self.apart = 0
        return own

    def tensors(self) -> dict[str, Tensor]:
        """Everything by name, ``age/parameter``: age 0 is the newest."""
        return {
            f"{len(self.past) - 1 - place}/{name}": weight
            for place, weights in enumerate(self.past)
            for name, weight in zip(self.others, weights, strict=True)
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What was saved; of a longer past the newest part."""
        ages = sorted({int(name.partition("/")[0]) for name in tensors}, reverse=True)
        self.past = [
            [torch.empty_like(p.data).copy_(tensors[f"{age}/{name}"]) for name, p in self.others.items()]
            for age in ages[-self.most :]
        ]
        self.apart = 0


class Delayed(PastView):
    """The others as they were ``turns`` turns of the phase ago; at the beginning as they began."""

    def __init__(self, others: Mapping[str, nn.Parameter], *, turns: int) -> None:
        super().__init__(others, most=turns + 1)

    def remembers(self, step: int) -> bool:
        return True

    def chosen(self, nimg: int) -> Weights:
        return self.past[0]


class Historical(PastView):
    """The others as they were at one of the last ``count`` moments that were kept, every tenth step one."""

    def __init__(self, others: Mapping[str, nn.Parameter], *, count: int, seed: int, phase: str) -> None:
        super().__init__(others, most=count)
        self.seed, self.phase = seed, phase

    def remembers(self, step: int) -> bool:
        return step % HISTORY_TURNS == 0

    def chosen(self, nimg: int) -> Weights:
        return self.past[derive_seed(self.seed, "opponent", self.phase, nimg) % len(self.past)]


def views_of(model: Game, phases: Sequence[Phase], plan: Plan) -> dict[str, PastView]:
    """The view of every phase that the plan gives one, by the phase's name.

    Raises:
        UserError: there is no such phase, it has two views, or nobody else plays.
    """
    views: dict[str, PastView] = {}
    for name, turns in plan.delayed().items():
        if turns:
            views[name] = Delayed(_others(model, phases, name), turns=turns)
    for name, count in plan.historical().items():
        if name in views:
            raise UserError(f"Phase {name} has a delay and a history. Give it one of them.")
        views[name] = Historical(_others(model, phases, name), count=count, seed=plan.seed, phase=name)
    return views


def _others(model: Game, phases: Sequence[Phase], name: str) -> dict[str, nn.Parameter]:
    """The parameters of the model that do not belong to the player of this phase, and that somebody moves."""
    players = {phase.name: phase.player for phase in phases}
    if name not in players:
        raise UserError(f"There is no phase '{name}'.{did_you_mean(name, players)} Phases: {', '.join(players)}.")
    own = {id(parameter) for parameter in players[name].parameters()}
    moved = {id(parameter) for player in players.values() for parameter in player.parameters()}
    others = {
        path: parameter
        for path, parameter in model.named_parameters()
        if id(parameter) in moved and id(parameter) not in own
    }
    if not others:
        raise UserError(f"Phase {name} moves all there is, so that nobody's past can be seen. Leave its view out.")
    return others
