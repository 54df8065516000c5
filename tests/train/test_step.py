import copy

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Course, Steady
from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game, Phase, between, every
from ganvas.losses.optimizers import SGD, Adam, Adamax, RMSprop
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import (
    average_towards,
    count_turns,
    follow_courses,
    forget_sums,
    means_of,
    new_streams,
    seed_streams,
    set_learning_rate,
)
from ganvas.train.step import play as play_step


class Point(nn.Module):
    """A player with one coordinate."""

    def __init__(self, x: float) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor([x], dtype=torch.float64))


def play(state, batch, streams, *, precision=torch.float32):
    """A step in which everyone plays whose turn it is; returns who did."""
    turns = state.turns()
    play_step(state, batch, streams, turns=turns, precision=precision)
    return turns


class Board(Game):
    """A game without a clock."""

    takes = (Pictures,)

    def schedule(self) -> Steady:
        return Steady(batch_size=4, lr=0.1)


class Duel(Board):
    """Two points; each descends its own function of both, as ``phases`` says."""

    def __init__(self, *phases: Phase) -> None:
        super().__init__()
        self.a, self.b = Point(1.0), Point(2.0)
        self.listed = list(phases)
        self.seen: list[tuple[str, float, float]] = []

    def phases(self) -> list[Phase]:
        return self.listed or [
            Phase(name="A", player=self.a, loss=self.loss("A")),
            Phase(name="B", player=self.b, loss=self.loss("B")),
        ]

    def loss(self, name: str):
        def product(batch: Pictures) -> dict[str, Tensor]:
            self.seen.append((name, self.a.x.item(), self.b.x.item()))
            sign = 1 if name == "A" else -1
            return {"product": sign * (self.a.x * self.b.x).expand(batch.size)}

        return product


def batch() -> Pictures:
    return Pictures(images=torch.zeros(4, 1, 4, 4), rng=None)


def streams(n: int = 2):
    return new_streams([Phase(name="A", player=Point(0.0), loss=lambda b: {})] * n, torch.device("cpu"))


def test_adams_first_step_has_the_length_of_the_learning_rate_whatever_the_gradient():
    # Kingma & Ba 2015, section 2.1: the first step is lr * g / |g| (eps aside).
    duel = Duel()
    state = new_state(duel)
    set_learning_rate(state, 0.25)
    play(state, batch(), streams())
    assert_close(duel.a.x.item(), 1.0 - 0.25, atol=1e-7, rtol=0)  # d(ab)/da = 2 > 0
    assert_close(duel.b.x.item(), 2.0 + 0.25, atol=1e-7, rtol=0)  # d(-ab)/db < 0


def test_players_that_move_in_turn_see_each_others_last_move_and_simultaneous_ones_do_not():
    in_turn = Duel()
    state = new_state(in_turn)
    set_learning_rate(state, 0.25)
    play(state, batch(), streams())
    assert in_turn.seen[1][1] < 1.0, "B sees where A has gone"

    together = Duel()
    together.listed = [
        Phase(name="A", player=together.a, loss=together.loss("A"), simultaneous=True),
        Phase(name="B", player=together.b, loss=together.loss("B")),
    ]
    state = new_state(together)
    set_learning_rate(state, 0.25)
    play(state, batch(), streams())
    assert together.seen[1] == ("B", 1.0, 2.0), "B sees A where it stood"
    assert together.a.x.item() < 1.0 < 2.0 < together.b.x.item(), "and then both have moved"


def test_only_the_player_whose_move_it_is_gets_a_gradient():
    duel = Duel()
    duel.listed = [Phase(name="A", player=duel.a, loss=duel.loss("A"))]
    state = new_state(duel)
    play(state, batch(), streams(1))
    assert duel.b.x.grad is None
    assert duel.b.x.item() == 2.0


def test_a_phase_played_every_third_step_plays_on_the_last_of_three():
    assert [step for step in range(9) if every(3)(step, 0)] == [2, 5, 8]


def test_a_weight_scales_the_gradient_and_not_what_is_logged():
    class Plain(Board):
        def __init__(self) -> None:
            super().__init__()
            self.a = Point(1.0)

        def phases(self) -> list[Phase]:
            return [Phase(name="A", player=self.a, loss=lambda b: {"x": (3 * self.a.x).expand(b.size)}, weight=5.0)]

    model = Plain()
    state = new_state(model)
    count_turns(state, play(state, batch(), streams(1)))
    assert model.a.x.grad.item() == 15.0
    assert means_of(state) == {"A/x": 3.0}


def test_phases_that_move_together_share_their_noise_and_others_do_not():
    duel = Duel()
    for simultaneous in (False, True):
        phases = [
            Phase(name="A", player=duel.a, loss=duel.loss("A"), simultaneous=simultaneous),
            Phase(name="B", player=duel.b, loss=duel.loss("B")),
        ]
        drawn = streams()
        seed_streams(drawn, phases, seed=1, nimg=16)
        same = torch.equal(torch.rand(8, generator=drawn[0].loss), torch.rand(8, generator=drawn[1].loss))
        assert same is simultaneous


def test_an_average_forgets_its_start_geometrically():
    # a_k = w + d^k (a_0 - w) for a weight that stands still.
    average, module = Point(1.0), Point(3.0)
    for _ in range(10):
        average_towards(average, module, decay=0.9)
    assert_close(average.x.item(), 3.0 + 0.9**10 * (1.0 - 3.0), atol=1e-14, rtol=0)


def test_running_statistics_are_averaged_with_the_weights_and_counters_are_copied():
    average, module = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    module.running_mean.fill_(7.0)
    module.num_batches_tracked.fill_(5)
    for decay in (0.5, torch.tensor(0.5)):
        average_towards(average, module, decay=decay)
    assert (average.running_mean.item(), average.num_batches_tracked.item()) == (7 * 0.75, 5)


def test_running_means_of_an_average_are_the_means_of_what_its_linear_layer_makes():
    # The mean of a linear layer's features is linear in its weights: the average of means is the mean of the average.
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, momentum=1.0)).double()
    average, rng = copy.deepcopy(module), stream(3, "x")
    x = torch.randn(64, 3, generator=rng, dtype=torch.float64) + 1
    for decay in (0.0, 0.5, 0.9):
        nn.init.normal_(module[0].weight, generator=rng)
        nn.init.normal_(module[0].bias, generator=rng)
        module(x)
        average_towards(average, module, decay=decay)
    assert_close(average[1].running_mean, average[0](x).mean(0))


def test_the_average_follows_the_moves_of_its_own_player():
    duel = Duel()
    duel.listed = [Phase(name="A", player=duel.a, loss=duel.loss("A"), turn=every(2), average=0.5)]
    state = new_state(duel)
    set_learning_rate(state, 0.25)
    for _ in range(2):
        play(state, batch(), streams(1))
        state.step += 1
    assert_close(
        state.players[0].average.x.item(), 1.0 - 0.125, atol=1e-7, rtol=0
    )  # One move of 0.25, half of it kept.


def test_two_time_scales_are_two_factors_of_one_rate():
    duel = Duel()
    duel.listed = [
        Phase(name="A", player=duel.a, loss=duel.loss("A"), optimizer=Adam(lr_factor=4.0)),
        Phase(name="B", player=duel.b, loss=duel.loss("B")),
    ]
    state = new_state(duel)
    set_learning_rate(state, 0.01)
    play(state, batch(), streams())
    assert_close(duel.a.x.item(), 1.0 - 0.04, atol=1e-7, rtol=0)
    assert_close(duel.b.x.item(), 2.0 + 0.01, atol=1e-7, rtol=0)


def test_restarted_optimisers_step_as_if_for_the_first_time():
    duel = Duel()
    state = new_state(duel)
    set_learning_rate(state, 0.25)
    for _ in range(5):
        play(state, batch(), streams())
    before = duel.a.x.item()
    state.restart_optimizers()
    play(state, batch(), streams())
    # After a restart the step is again lr * sign(g): 0.25 to eight digits, which the fifth step was not bound to.
    assert_close(before - duel.a.x.item(), 0.25, atol=1e-7, rtol=0)


def test_means_are_over_the_steps_since_the_last_report():
    duel = Duel()
    state = new_state(duel)
    set_learning_rate(state, 0.0)
    for _ in range(3):
        count_turns(state, play(state, batch(), streams()))
    assert means_of(state) == {"A/product": 2.0, "B/product": -2.0}
    forget_sums(state)
    assert means_of(state) == {}


def moved_once(settings, *, steps=1):
    """Where a point at 1 whose loss is 3 x has gone, one rate of 0.25 per step."""

    class Alone(Board):
        def __init__(self) -> None:
            super().__init__()
            self.a = Point(1.0)

        def phases(self):
            return [
                Phase(name="A", player=self.a, loss=lambda b: {"x": (3 * self.a.x).expand(b.size)}, optimizer=settings)
            ]

    state = new_state(Alone())
    set_learning_rate(state, 0.25)
    for _ in range(steps):
        play(state, batch(), streams(1))
    return state.model.a.x.item()


def test_every_optimiser_takes_the_step_of_its_paper():
    # One step along a gradient of 3 at rate 1/4: Adam and Adamax go lr * sign; RMSprop lr * g / sqrt(0.1 g^2);
    # SGD lr * g, and with momentum 0.5 the second step is 1.5 times the first. Decay adds the weight to the gradient.
    assert_close(moved_once(Adam()), 1 - 0.25, atol=1e-7, rtol=0)
    assert_close(moved_once(Adam(eps=3.0, weight_decay=1.0)), 1 - 0.25 * 4 / (4 + 3), atol=1e-7, rtol=0)
    assert_close(moved_once(Adamax()), 1 - 0.25, atol=1e-7, rtol=0)
    assert_close(moved_once(RMSprop(alpha=0.9)), 1 - 0.25 / 0.1**0.5, atol=1e-6, rtol=0)
    assert_close(moved_once(SGD()), 1 - 0.75, atol=1e-12, rtol=0)
    assert_close(moved_once(SGD(momentum=0.5), steps=2), 1 - 0.75 * 2.5, atol=1e-12, rtol=0)


def test_two_phases_of_one_player_share_its_moments_and_must_name_one_optimiser():
    # Adam counts both moves: a lazy penalty's phase has no moments of its own.
    duel = Duel()
    duel.listed = [
        Phase(name="A", player=duel.a, loss=duel.loss("A")),
        Phase(name="penalty", player=duel.a, loss=duel.loss("A")),
    ]
    state = new_state(duel)
    play(state, batch(), streams())
    assert len(state.players) == 1
    assert state.players[0].optimizer.state[duel.a.x]["step"].item() == 2
    duel.listed[1] = Phase(name="penalty", player=duel.a, loss=duel.loss("A"), optimizer=Adam(beta1=0.5))
    with pytest.raises(UserError, match="A and penalty move one player with different optimisers"):
        new_state(duel)


def test_what_comes_after_a_move_sees_the_moved_weights_and_the_draws_of_its_loss():
    seen = {}

    class Clipped(Board):
        def __init__(self) -> None:
            super().__init__()
            self.a = Point(1.0)

        def phases(self):
            return [Phase(name="A", player=self.a, loss=self.loss, optimizer=SGD(), after=self.clip)]

        def loss(self, batch):
            seen["drawn"] = batch.rand()
            return {"x": (3 * self.a.x).expand(batch.size)}

        def clip(self, batch, terms):
            seen["again"], seen["at"], seen["term"] = batch.rand(), self.a.x.item(), terms["x"][0].item()
            assert not torch.is_grad_enabled()
            self.a.x.clamp_(0.5, 2.0)

    state = new_state(Clipped())
    set_learning_rate(state, 0.25)
    drawn = streams(1)
    seed_streams(drawn, state.phases, seed=1, nimg=0)
    play(state, batch(), drawn)
    assert torch.equal(seen["drawn"], seen["again"])
    assert (seen["at"], seen["term"]) == (0.25, 3.0)
    assert state.model.a.x.item() == 0.5


def test_a_phase_between_two_moments_plays_only_there():
    warm_up = between(10, 30)
    assert [nimg for nimg in range(0, 60, 10) if warm_up(0, nimg)] == [10, 20]


def test_a_turn_is_asked_once_though_the_step_changes_what_it_reads():
    class Gated(Board):
        def __init__(self) -> None:
            super().__init__()
            self.a = Point(1.0)
            self.register_buffer("open", torch.tensor(True))

        def phases(self):
            gate = lambda step, nimg: bool(self.open)  # noqa: E731
            loss = lambda b: {"x": self.a.x.expand(b.size)}  # noqa: E731
            return [Phase(name="A", player=self.a, loss=loss, turn=gate, after=lambda b, t: self.open.fill_(False))]

    state = new_state(Gated())
    executor = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    stage = state.model.schedule().at(0)
    assert executor.step(batch(), stage) == (True,)
    assert executor.step(batch(), stage) == (False,)


def test_what_requires_no_gradient_at_the_start_belongs_to_nobody():
    class Frozen(Board):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
            self.net[0].requires_grad_(False)

        def phases(self):
            return [Phase(name="A", player=self.net, loss=lambda b: {"x": self.net(torch.ones(b.size, 1)).squeeze(1)})]

    state = new_state(Frozen())
    set_learning_rate(state, 0.1)
    before = [p.clone() for p in state.model.net[0].parameters()]
    play(state, batch(), streams(1))
    assert list(state.players[0].parameters) == ["1.weight", "1.bias"]
    assert all(torch.equal(a, b) for a, b in zip(before, state.model.net[0].parameters(), strict=True))
    assert all(p.grad is None for p in state.model.net[0].parameters())


def test_dropout_is_a_function_of_the_seed_and_the_position_and_leaves_the_global_stream_alone():
    class Dropping(Board):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(64, 1)
            self.drop = nn.Dropout(0.5)

        def phases(self):
            return [
                Phase(name="A", player=self.a, loss=lambda b: {"x": self.a(self.drop(torch.ones(b.size, 64)))[:, 0]})
            ]

    def logged(nimg):
        with torch_seeded(3):
            state = new_state(Dropping())
        state.nimg = nimg
        torch.rand(5)
        before = torch.get_rng_state()
        Eager(state, seed=7, ranks=Ranks(), precision=torch.float32).step(batch(), state.model.schedule().at(0))
        assert torch.equal(before, torch.get_rng_state())
        return state.sums["A/x"].item()

    assert logged(8) == logged(8)
    assert logged(8) != logged(16)


def test_the_decay_of_an_average_may_change_with_the_samples_shown():
    duel = Duel()
    duel.listed = [Phase(name="A", player=duel.a, loss=duel.loss("A"), average=lambda nimg: 0.5 if nimg >= 4 else 0.0)]
    state, found = new_state(duel), []
    for nimg in (0, 4):
        state.nimg = nimg
        set_learning_rate(state, 0.25)
        follow_courses(state)
        play(state, batch(), streams(1))
        found.append((state.players[0].average.x.item(), duel.a.x.item()))
    (first, at_first), (second, at_second) = found
    assert first == at_first, "a decay of 0 keeps nothing"
    assert second == pytest.approx(0.5 * first + 0.5 * at_second, abs=1e-12)


def test_adam_s_memory_of_squares_may_change_with_the_samples_shown():
    course = Course(start=0.5, end=0.9, kimg=0.004)
    duel = Duel()
    duel.listed = [Phase(name="A", player=duel.a, loss=duel.loss("A"), optimizer=Adam(beta2_course=course))]
    state, squares = new_state(duel), 0.0
    for step, beta2 in ((0, 0.5), (1, 0.7), (2, 0.9), (3, 0.9)):  # Half a cosine: start, middle, end, after it.
        state.nimg = 2 * step
        set_learning_rate(state, 0.25)
        follow_courses(state)
        play(state, batch(), streams(1))
        squares = beta2 * squares + (1 - beta2) * duel.a.x.grad.item() ** 2
        assert state.players[0].optimizer.state[duel.a.x]["exp_avg_sq"].item() == pytest.approx(squares, rel=1e-12)
