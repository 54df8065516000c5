"""Training steps of two sides, ours and the same written plainly, timed in turn; no benchmark of its own.

The two take turns in one process, and their ratio is taken pair by pair, because a machine's speed drifts.
"""

import statistics
import time

from history import record

from ganvas.train.step import count_turns, forget_sums, means_of, set_learning_rate


def play_steps(state, executor, batch, steps, *, clock=time.process_time):
    """Seconds of some steps of a game, together, as the loop plays them, and the mean losses."""
    forget_sums(state)
    started = clock()
    for _ in range(steps):
        stage = state.model.schedule().at(state.nimg)
        set_learning_rate(state, stage.lr)
        count_turns(state, executor.step(batch, stage))
        state.nimg += batch.size
        state.step += 1
    return clock() - started, means_of(state)


def take_turns(sides, inputs, *, pairs, steps):
    """Seconds of a step by side, a turn each; ``inputs(n)`` is what turn n is given, and turn 0, one step, warms up.

    Its losses must agree: behind it rounding has been amplified.
    """
    seconds = {name: [] for name in sides}
    for pair in range(pairs + 1):
        given, count, losses = inputs(pair), steps if pair else 1, {}
        for name, side in sides.items():
            taken, losses[name] = side.turn(*given, count)
            if pair:
                seconds[name].append(taken / count)
        if pair == 0:
            for name, value in losses["plain"].items():
                assert abs(losses["ours"][name] - value) < 1e-3 * max(abs(value), 1), (name, losses)
    return seconds


def record_ratio(name, seconds, *, wanted, unit="cpu_sec"):
    """Notes how many times as long the plain side takes, with the least and the most of all pairs."""
    pairs = [plain / ours for ours, plain in zip(seconds["ours"], seconds["plain"], strict=True)]
    record(
        name,
        {
            "plain_over_ours": round(statistics.median(pairs), 3),
            "plain_over_ours_range": [round(min(pairs), 3), round(max(pairs), 3)],
            **{f"{side}_{unit}": round(statistics.median(taken), 4) for side, taken in seconds.items()},
            "wanted": wanted,
        },
    )
