"""Measures drawn sounds beside real ones while a model trains."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.waves import to_samples
from ganvas.data.sound.packed_sounds import PackedSounds
from ganvas.metrics.measuring.draws import order
from ganvas.metrics.sound.sound_results import METRICS, MINIMUM, SoundSet, sound_results
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import drawn_labels
from ganvas.train.sheets.sound_sheets import draw_sounds
from ganvas.train.state import State

MOST = 512  # Sounds on each side: the steps between two measurements take longer than they do.


class SoundExamination(Examination):
    """Artefacts, distances and bins of drawn sounds; the floor are real sounds apart from those compared with."""

    def __init__(self, plan: Plan, packed: PackedSounds, *, conditional: bool = False) -> None:
        self.plan, self.packed = plan, packed
        self.n = min(plan.measure_n, MOST, len(packed) // 2)
        counts = packed.counts() if conditional else None
        self.labels = drawn_labels(self.n, seed=plan.seed, counts=counts) if counts else None
        self._real: SoundSet | None = None
        self._floor: list[Result] = []

    @property
    def refusal(self) -> str:
        """Too few sounds."""
        return "" if self.n >= MINIMUM else f"needs {2 * MINIMUM} sounds to measure; there are {len(self.packed)}."

    @property
    def metrics(self) -> Sequence[str]:
        """Those that need no classifier."""
        return METRICS

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """Of sounds from latents of their own, and of as many real ones."""
        size, seed = self.packed.size, self.plan.seed
        if self._real is None:
            order_of = real_order(len(self.packed), seed=seed)
            self._real = SoundSet.of(self.packed.read(order_of[: self.n]), size)
            others = SoundSet.of(self.packed.read(order_of[self.n : 2 * self.n]), size)
            self._floor = sound_results(others, self._real, size, seed=seed)
        drawn = draw_sounds(state, stage, self.n, seed=seed, purpose="latents", labels=self.labels)
        return sound_results(SoundSet.of(to_samples(drawn).numpy(), size), self._real, size, seed=seed), self._floor


def real_order(count: int, *, seed: int) -> Int64[np.ndarray, " count"]:
    """The places of real sounds in the order in which they are measured, the same for a run and for ``measure``."""
    return order(count, seed=seed).numpy()
