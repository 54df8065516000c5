"""Threads of the processor that a run's steps get: one where more are hardly faster.

A small network's operations are too short to be shared out: handing them over costs as much as it saves, and where
another program computes beside it, a step waits for the slower of the threads. One thread leaves the other cores to
whoever samples and measures meanwhile.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganvas.losses.game import Game
from ganvas.train.feeds.feed import Feed
from ganvas.train.forecast import count_flop, try_steps

HARDLY = 1.15  # One thread is taken where it needs at most so many times the time of all.
LARGE_STEP = 3e10  # Floating-point operations of a step, about a second's, that are worth all threads without a trial.
TRIALS = 2  # Of each number, in turn; the fastest counts, since other programs only slow a step down.


def threads_worth(model: Game, feed: Feed, total_nimg: int) -> int:
    """One, or as many as torch has now, from steps of the last stage that are tried on a copy with either."""
    every = torch.get_num_threads()
    stage = model.schedule().at(max(total_nimg - 1, 0))
    batch = feed.batch(0, stage)
    if every == 1 or count_flop(model, batch) * batch.size > LARGE_STEP:
        return every
    seconds = {1: math.inf, every: math.inf}
    with _kept():
        for threads in TRIALS * [1, every]:
            torch.set_num_threads(threads)
            seconds[threads] = min(seconds[threads], try_steps(model, stage, feed))
    return 1 if seconds[1] <= HARDLY * seconds[every] else every


@contextmanager
def settled(model: Game, feed: Feed, total_nimg: int) -> Iterator[int]:
    """While inside, torch has the threads that are worth it; the feed is closed once they are known."""
    with _kept():
        threads = threads_worth(model, feed, total_nimg)
        feed.close()
        torch.set_num_threads(threads)
        yield threads


@contextmanager
def _kept() -> Iterator[None]:
    """Afterwards torch has as many threads as before."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
