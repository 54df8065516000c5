"""Processes that go apart for some steps and then take their mean, against closed forms; here they are threads."""

from functools import partial

import pytest
import torch
from thread_ranks import ThreadRanks, live_together
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Steady
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game, Phase
from ganvas.losses.optimizers import SGD, Adam, OptimizerSettings
from ganvas.train.execution.executor_choice import executor_for
from ganvas.train.execution.executors import Eager, LocalSteps
from ganvas.train.past_views import views_of
from ganvas.train.plan import Plan
from ganvas.train.state import State, new_state
from ganvas.train.step import set_learning_rate

CURVATURES = (1.0, 3.0)  # Of the two processes' parts of every batch.
LR = 0.1


class Number(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.ones(1, dtype=torch.float64))


class Bowl(Game):
    """One number w that descends a w^2 / 2, where a is the brightness of the pictures."""

    takes = (Pictures,)

    def __init__(self, optimizer: OptimizerSettings) -> None:
        super().__init__()
        self.number, self.optimizer = Number(), optimizer

    def schedule(self) -> Steady:
        return Steady(batch_size=4, lr=LR)

    def phases(self) -> list[Phase]:
        return [Phase(name="W", player=self.number, loss=self.of_w, optimizer=self.optimizer, average=0.5)]

    def of_w(self, batch: Pictures) -> dict[str, Tensor]:
        return {"height": batch.images.double().mean((1, 2, 3)) / 2 * self.number.value.square()}


def run(executor, steps: int, *, curvatures=CURVATURES, optimizer=None, due=0, game=Bowl, plan=None) -> list[State]:
    """What every process has after some steps, each with its own part of the batch; step ``due`` must be in common."""
    states = [new_state(game(optimizer or SGD(momentum=0.0))) for _ in curvatures]
    for state in states:
        state.views = views_of(state.model, state.phases, plan or Plan())

    def live(ranks: ThreadRanks) -> None:
        state, curvature = states[ranks.rank], curvatures[ranks.rank]
        execute = executor(state, seed=0, ranks=ranks, precision=torch.float32)
        set_learning_rate(state, LR)
        for _ in range(steps):
            execute.step(Pictures(images=torch.full((2, 1, 1, 1), curvature)), state.model.schedule().at(0))
            state.nimg, state.step = state.nimg + 4, state.step + 1
            execute.settle(due=state.step == due)

    live_together(len(curvatures), live)
    return states


def number(state: State) -> float:
    return state.model.number.value.item()


def test_behind_every_fourth_step_all_have_the_mean_of_where_each_came_by_itself():
    states = run(partial(LocalSteps, steps=4), 4)
    apart = [(1 - LR * curvature) ** 4 for curvature in CURVATURES]
    assert [number(state) for state in states] == pytest.approx([sum(apart) / 2] * 2, rel=1e-14)
    # The running average of one process: a_k = (a_{k-1} + w_k) / 2.
    averages = []
    for curvature in CURVATURES:
        average = 1.0
        for step in range(1, 5):
            average = (average + (1 - LR * curvature) ** step) / 2
        averages.append(average)
    kept = [state.players[0].average.value.item() for state in states]
    assert kept == pytest.approx([sum(averages) / 2] * 2, rel=1e-14)


def test_between_two_means_each_stands_where_it_came_and_what_is_due_brings_them_together():
    states = run(partial(LocalSteps, steps=4), 3)
    apart = [(1 - LR * c) ** 3 for c in CURVATURES]
    assert [number(state) for state in states] == pytest.approx(apart, rel=1e-14)
    together = run(partial(LocalSteps, steps=4), 3, due=3)
    assert [number(state) for state in together] == pytest.approx([sum(apart) / 2] * 2, rel=1e-14)


def test_one_process_has_one_state_behind_every_step_and_may_stop_at_any():
    state = new_state(Bowl(SGD(momentum=0.0)))
    execute = LocalSteps(state, seed=0, ranks=Ranks(), precision=torch.float32, steps=4)
    state.step = 1
    assert execute.settle(due=False)


def test_with_plain_descent_and_one_step_in_between_the_mean_is_the_step_of_one_process():
    local, together = run(partial(LocalSteps, steps=1), 5), run(Eager, 5)
    expected = (1 - LR * sum(CURVATURES) / 2) ** 5
    assert [number(state) for state in (*local, *together)] == pytest.approx([expected] * 4, rel=1e-14)


def test_with_adam_one_step_in_between_is_another_step():
    # Adam's first step is lr sign(g). Apart the processes step in both directions, so that their mean stands still.
    optimizer = Adam(beta1=0.0, beta2=0.9)
    local = run(partial(LocalSteps, steps=1), 1, curvatures=(-1.0, 3.0), optimizer=optimizer)
    together = run(Eager, 1, curvatures=(-1.0, 3.0), optimizer=optimizer)
    assert number(local[0]) == pytest.approx(1.0, abs=1e-6)
    assert number(together[0]) == pytest.approx(1.0 - LR, abs=1e-6)
    moments = [next(iter(state.players[0].optimizer.state.values()))["exp_avg_sq"].item() for state in local]
    assert moments == pytest.approx([0.1 * (1 + 9) / 2] * 2, rel=1e-9)  # The mean of squares, not the square of a mean.


def test_a_report_is_of_all_processes():
    states = run(partial(LocalSteps, steps=2), 2)
    heights = [sum(c / 2 * (1 - LR * c) ** (2 * step) for step in (0, 1)) for c in CURVATURES]
    assert [state.sums["W/height"].item() for state in states] == pytest.approx([sum(heights) / 2] * 2, rel=1e-14)


class Watched(Bowl):
    """And a second number that falls by what it sees of the first."""

    def __init__(self, optimizer: OptimizerSettings) -> None:
        super().__init__(optimizer)
        self.watcher = Number()

    def phases(self) -> list[Phase]:
        watching = Phase(name="O", player=self.watcher, loss=self.of_o, optimizer=self.optimizer)
        return [*super().phases(), watching]

    def of_o(self, batch: Pictures) -> dict[str, Tensor]:
        return {"seen": (self.number.value * self.watcher.value).expand(batch.size)}


def test_what_was_kept_of_the_past_becomes_the_mean_as_the_weights_do():
    states = run(partial(LocalSteps, steps=2), 3, game=Watched, plan=Plan(delays=("O:1",)))
    # Turns of O see w_1, w_1 and w_2; behind the second step all have been together, so that w_2 is everybody's.
    seen = [sum((1 - LR * c) ** step for c in CURVATURES) / 2 for step in (1, 1, 2)]
    watchers = [state.model.watcher.value.item() for state in states]
    assert watchers == pytest.approx([1 - LR * sum(seen)] * 2, rel=1e-14)
    newest = [state.tensors()["views/O/0/number.value"].item() for state in states]
    assert newest[0] != newest[1], "the third step has been taken apart"


def test_graphs_do_not_go_with_local_steps():
    with pytest.raises(UserError, match="local_steps=4 in another"):
        executor_for("graph", torch.device("cpu"), Plan(local_steps=4))
    assert executor_for("auto", torch.device("cuda"), Plan(local_steps=4)).func is LocalSteps
