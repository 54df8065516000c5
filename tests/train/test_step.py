import torch
from torch import Tensor, nn
from torch.testing import assert_close

from ganvas.core.ranks import Ranks
from ganvas.losses.game import Adam, Batch, Phase
from ganvas.train.state import new_state
from ganvas.train.step import (
    average_towards,
    count_turns,
    forget_sums,
    is_turn,
    means_of,
    play,
    seed_streams,
    set_learning_rate,
)


class Point(nn.Module):
    """A player with one coordinate."""

    def __init__(self, x: float) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor([x], dtype=torch.float64))


class Duel(nn.Module):
    """Two points; each descends its own function of both, as ``phases`` says."""

    def __init__(self, *phases: Phase) -> None:
        super().__init__()
        self.a, self.b = Point(1.0), Point(2.0)
        self.listed = list(phases)
        self.seen: list[tuple[str, float, float]] = []

    def phases(self) -> list[Phase]:
        return self.listed or [Phase("A", self.a, self.loss("A")), Phase("B", self.b, self.loss("B"))]

    def loss(self, name: str):
        def product(batch: Batch) -> dict[str, Tensor]:
            self.seen.append((name, self.a.x.item(), self.b.x.item()))
            sign = 1 if name == "A" else -1
            return {"product": sign * (self.a.x * self.b.x).expand(batch.size)}

        return product


def batch() -> Batch:
    return Batch(images=torch.zeros(4, 1, 4, 4), rng=None)


def streams(n: int = 2) -> list[torch.Generator]:
    return [torch.Generator() for _ in range(n)]


def test_adams_first_step_has_the_length_of_the_learning_rate_whatever_the_gradient():
    # Kingma & Ba 2015, section 2.1: the first step is lr * g / |g| (eps aside).
    duel = Duel()
    state = new_state(duel)
    set_learning_rate(state, 0.25)
    play(state, batch(), streams(), precision=torch.float32)
    assert_close(duel.a.x.item(), 1.0 - 0.25, atol=1e-7, rtol=0)  # d(ab)/da = 2 > 0
    assert_close(duel.b.x.item(), 2.0 + 0.25, atol=1e-7, rtol=0)  # d(-ab)/db < 0


def test_players_that_move_in_turn_see_each_others_last_move_and_simultaneous_ones_do_not():
    in_turn = Duel()
    state = new_state(in_turn)
    set_learning_rate(state, 0.25)
    play(state, batch(), streams(), precision=torch.float32)
    assert in_turn.seen[1][1] < 1.0, "B sees where A has gone"

    together = Duel()
    together.listed = [
        Phase("A", together.a, together.loss("A"), simultaneous=True),
        Phase("B", together.b, together.loss("B")),
    ]
    state = new_state(together)
    set_learning_rate(state, 0.25)
    play(state, batch(), streams(), precision=torch.float32)
    assert together.seen[1] == ("B", 1.0, 2.0), "B sees A where it stood"
    assert together.a.x.item() < 1.0 < 2.0 < together.b.x.item(), "and then both have moved"


def test_only_the_player_whose_move_it_is_gets_a_gradient():
    duel = Duel()
    duel.listed = [Phase("A", duel.a, duel.loss("A"))]
    state = new_state(duel)
    play(state, batch(), streams(1), precision=torch.float32)
    assert duel.b.x.grad is None
    assert duel.b.x.item() == 2.0


def test_a_phase_played_every_third_step_plays_on_the_last_of_three():
    phase = Phase("A", Point(0.0), lambda _: {}, every=3)
    assert [step for step in range(9) if is_turn(phase, step)] == [2, 5, 8]


def test_a_weight_scales_the_gradient_and_not_what_is_logged():
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = Point(1.0)

        def phases(self) -> list[Phase]:
            return [Phase("A", self.a, lambda b: {"x": (3 * self.a.x).expand(b.size)}, weight=5.0)]

    model = Plain()
    state = new_state(model)
    play(state, batch(), streams(1), precision=torch.float32)
    count_turns(state)
    assert model.a.x.grad.item() == 15.0
    assert means_of(state, Ranks()) == {"A/x": 3.0}


def test_phases_that_move_together_share_their_noise_and_others_do_not():
    duel = Duel()
    for simultaneous in (False, True):
        phases = [
            Phase("A", duel.a, duel.loss("A"), simultaneous=simultaneous),
            Phase("B", duel.b, duel.loss("B")),
        ]
        drawn = streams()
        seed_streams(drawn, phases, seed=1, nimg=16)
        same = torch.equal(torch.rand(8, generator=drawn[0]), torch.rand(8, generator=drawn[1]))
        assert same is simultaneous


def test_an_average_forgets_its_start_geometrically():
    # a_k = w + d^k (a_0 - w) for a weight that stands still.
    average, module = Point(1.0), Point(3.0)
    for _ in range(10):
        average_towards(average, module, decay=0.9)
    assert_close(average.x.item(), 3.0 + 0.9**10 * (1.0 - 3.0), atol=1e-14, rtol=0)


def test_buffers_are_copied_into_an_average_not_averaged():
    average, module = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    module.running_mean.fill_(7.0)
    average_towards(average, module, decay=0.9)
    assert average.running_mean.item() == 7.0


def test_the_average_follows_the_moves_of_its_own_player():
    duel = Duel()
    duel.listed = [Phase("A", duel.a, duel.loss("A"), every=2, average=0.5)]
    state = new_state(duel)
    set_learning_rate(state, 0.25)
    for _ in range(2):
        play(state, batch(), streams(1), precision=torch.float32)
        state.step += 1
    assert_close(state.averages["A"].x.item(), 1.0 - 0.125, atol=1e-7, rtol=0)  # One move of 0.25, half of it kept.


def test_two_time_scales_are_two_factors_of_one_rate():
    duel = Duel()
    duel.listed = [
        Phase("A", duel.a, duel.loss("A"), optimizer=Adam(lr_factor=4.0)),
        Phase("B", duel.b, duel.loss("B")),
    ]
    state = new_state(duel)
    set_learning_rate(state, 0.01)
    play(state, batch(), streams(), precision=torch.float32)
    assert_close(duel.a.x.item(), 1.0 - 0.04, atol=1e-7, rtol=0)
    assert_close(duel.b.x.item(), 2.0 + 0.01, atol=1e-7, rtol=0)


def test_restarted_optimisers_step_as_if_for_the_first_time():
    duel = Duel()
    state = new_state(duel)
    set_learning_rate(state, 0.25)
    for _ in range(5):
        play(state, batch(), streams(), precision=torch.float32)
    before = duel.a.x.item()
    state.restart_optimizers()
    play(state, batch(), streams(), precision=torch.float32)
    # After a restart the step is again lr * sign(g): 0.25 to eight digits, which the fifth step was not bound to.
    assert_close(before - duel.a.x.item(), 0.25, atol=1e-7, rtol=0)


def test_means_are_over_the_steps_since_the_last_report():
    duel = Duel()
    state = new_state(duel)
    set_learning_rate(state, 0.0)
    for _ in range(3):
        play(state, batch(), streams(), precision=torch.float32)
        count_turns(state)
    assert means_of(state, Ranks()) == {"A/product": 2.0, "B/product": -2.0}
    forget_sums(state)
    assert means_of(state, Ranks()) == {}
