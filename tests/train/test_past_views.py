"""Delays and histories against recurrences that are written out, and against the law of stable steps."""

import math
from collections import Counter

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from ganvas.claims.games._linear_game import largest_step
from ganvas.core.errors import UserError
from ganvas.core.schedule import Steady
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game, Phase
from ganvas.losses.optimizers import SGD
from ganvas.train.execution.executor_choice import executor_for
from ganvas.train.execution.executors import Eager
from ganvas.train.past_views import views_of
from ganvas.train.plan import Plan
from ganvas.train.state import State, new_state
from ganvas.train.step import new_streams, play, set_learning_rate

DAMPING = 0.3


class Number(nn.Module):
    """A player of one number."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value], dtype=torch.float64))


class Linear(Game):
    """The Dirac-GAN of a Wasserstein loss: x descends x y, y descends -x y + damping / 2 y^2."""

    takes = (Pictures,)

    def __init__(self, *, alternating: bool) -> None:
        super().__init__()
        self.x, self.y, self.alternating = Number(1.0), Number(0.5), alternating

    def schedule(self) -> Steady:
        return Steady(batch_size=4, lr=0.1)

    def phases(self) -> list[Phase]:
        optimizer = SGD(momentum=0.0)
        return [
            Phase(name="X", player=self.x, loss=self.of_x, simultaneous=not self.alternating, optimizer=optimizer),
            Phase(name="Y", player=self.y, loss=self.of_y, optimizer=optimizer),
        ]

    def of_x(self, batch: Pictures) -> dict[str, Tensor]:
        return {"product": (self.x.value * self.y.value).expand(batch.size)}

    def of_y(self, batch: Pictures) -> dict[str, Tensor]:
        damped = DAMPING / 2 * self.y.value.square()
        return {"product": (damped - self.x.value * self.y.value).expand(batch.size)}


def begun(*delays: str, alternating: bool = True, **plan) -> State:
    game = Linear(alternating=alternating)
    state = new_state(game)
    state.views = views_of(game, state.phases, Plan(delays=delays, **plan))
    return state


def go(state: State, steps: int, lr: float) -> list[tuple[float, float]]:
    """Positions after every step."""
    batch, streams = Pictures(images=torch.zeros(4, 1, 4, 4), rng=None), new_streams(state.phases, torch.device("cpu"))
    set_learning_rate(state, lr)
    seen = []
    for _ in range(steps):
        play(state, batch, streams, turns=(True, True), precision=torch.float32)
        state.step, state.nimg = state.step + 1, state.nimg + 4
        seen.append((state.model.x.value.item(), state.model.y.value.item()))
    return seen


def recurrence(steps: int, lr: float, *, x_delay: int, y_delay: int, alternating: bool) -> list[tuple[float, float]]:
    """The same by hand: lists of where both stood whenever the other one looked."""
    x, y, of_x, of_y, seen = 1.0, 0.5, [], [], []
    for _ in range(steps):
        of_y.append(y)
        moved = x - lr * of_y[max(len(of_y) - 1 - x_delay, 0)]
        of_x.append(moved if alternating else x)
        y += lr * (of_x[max(len(of_x) - 1 - y_delay, 0)] - DAMPING * y)
        x = moved
        seen.append((x, y))
    return seen


@pytest.mark.parametrize("alternating", [True, False])
@pytest.mark.parametrize(("x_delay", "y_delay"), [(0, 0), (2, 0), (0, 3), (2, 3)])
def test_a_delay_is_the_recurrence_with_old_views(x_delay, y_delay, alternating):
    found = go(begun(f"X:{x_delay}", f"Y:{y_delay}", alternating=alternating), 25, 0.1)
    by_hand = recurrence(25, 0.1, x_delay=x_delay, y_delay=y_delay, alternating=alternating)
    assert_close(torch.tensor(found), torch.tensor(by_hand), rtol=1e-12, atol=1e-12)


def test_no_delay_is_no_view_so_that_nothing_is_done_otherwise():
    assert begun("X:0", "Y:0").views == {}


@pytest.mark.parametrize(
    ("x_delay", "y_delay", "alternating", "largest"),
    [(1, 0, False, 0.1517), (1, 1, False, 0.1013), (4, 4, False, 0.0338), (0, 2, True, 0.1517), (0, 0, False, 0.3)],
)
def test_the_recurrence_has_the_largest_stable_steps_of_the_delayed_linear_game(x_delay, y_delay, alternating, largest):
    # By bisection on the spectral radius, damping 0.3: the damping by the loop's delay, and what rounding leaves of it.
    delays = {"x_delay": x_delay, "y_delay": y_delay, "alternating": alternating}
    start = math.hypot(1.0, 0.5)
    assert math.hypot(*recurrence(20_000, 0.98 * largest, **delays)[-1]) < start / 2
    assert math.hypot(*recurrence(20_000, 1.02 * largest, **delays)[-1]) > 2 * start


# By bisection on the spectral radius, for delays of 0, 1, 2, 4, 8 and 16. With both views old their sum counts, while a
# player sees itself as it is; where its own damping is late too, steps are 1 % shorter.
DELAYS = (0, 1, 2, 4, 8, 16)
ONE_OLD = (0.3000, 0.1517, 0.1013, 0.0609, 0.0338, 0.0179)
LARGEST = {
    "both": (ONE_OLD[0], *ONE_OLD[2:]),
    "one": ONE_OLD,
    "alternating": (1.7224, 0.3000, 0.1517, 0.0761, 0.0381, 0.0190),
}


@pytest.mark.parametrize("game", LARGEST)
def test_largest_stable_steps_of_every_delay_are_those_of_the_printed_table(game):
    seen = {"both": ("x_sees", "y_sees"), "one": ("x_sees",), "alternating": ("y_sees",)}[game]

    def largest(delay: int) -> float:
        return largest_step(damping=DAMPING, alternating=game == "alternating", **dict.fromkeys(seen, delay))

    pairs = list(zip(DELAYS, LARGEST[game], strict=False))
    assert [largest(delay) for delay, _ in pairs] == pytest.approx([step for _, step in pairs], abs=1e-4)
    assert all(abs(largest(delay + 1) - step) > 3e-4 for delay, step in pairs), "a delay that is off by one shows"


def test_what_is_seen_of_the_past_is_saved_and_goes_on_where_it_stopped():
    whole = go(begun("X:3", histories=("Y:4",)), 60, 0.1)
    first = begun("X:3", histories=("Y:4",))
    go(first, 33, 0.1)
    second = begun("X:3", histories=("Y:4",))
    numbers = first.numbers()
    second.restore(first.tensors(), numbers)
    assert go(second, 27, 0.1) == whole[33:]


def test_a_history_shows_each_of_its_last_moments_equally_often_and_puts_the_present_back():
    state = begun(histories=("Y:5",))
    view, shown = state.views["Y"], Counter()
    for step in range(2000):
        with torch.no_grad():
            state.model.x.value.fill_(step)
        with view.shown(step=step, nimg=4 * step):
            shown[step // 10 - int(state.model.x.value.item()) // 10] += 1
        assert state.model.x.value.item() == step
    assert sorted(shown) == [0, 1, 2, 3, 4]
    deviation = math.sqrt(2000 * 0.2 * 0.8)
    assert all(abs(count - 400) < 4 * deviation for count in shown.values())


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"delays": ("Z:2",)}, r"There is no phase 'Z'\. Phases: X, Y"),
        ({"delays": ("X:2",), "histories": ("X:5",)}, "a delay and a history"),
        ({"delays": ("X",)}, r"delays=X: 'X' is not understood"),
        ({"delays": ("X:1", "X:2")}, "Give each phase once"),
        ({"histories": ("X:1",)}, "a number from 2 to 1000"),
    ],
)
def test_what_no_view_can_be_made_of_is_refused(plan, told):
    game = Linear(alternating=True)
    with pytest.raises(UserError, match=told):
        views_of(game, game.phases(), Plan(**plan))


def test_a_player_that_plays_alone_has_nobody_to_see():
    class Alone(Linear):
        def phases(self) -> list[Phase]:
            return super().phases()[:1]

    game = Alone(alternating=True)
    with pytest.raises(UserError, match="moves all there is"):
        views_of(game, game.phases(), Plan(delays=("X:1",)))


def test_views_of_the_past_are_played_eagerly():
    assert executor_for("auto", torch.device("cuda"), Plan(delays=("X:1",))) is Eager
