"""The examination of samples whose judge knows their floor: lines of text and graphs."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.state import State


@runtime_checkable
class Judge(Protocol):
    """Measures rows of samples against real ones that it holds."""

    @property
    def metrics(self) -> list[str]:
        """The names of the values that samples get."""
        ...

    def judge(self, rows: Any, /) -> list[Result]:
        """Every value of some samples."""
        ...

    def floor(self, n: int) -> list[Result]:
        """What as many samples score that need no model."""
        ...


class JudgedExamination(Examination):
    """Drawn samples by a judge, beside its floor, which is measured once.

    Args:
        draw: ``(state, stage, n, seed=, purpose=)`` to the rows that the judge takes.
        n: How many samples.
        lacking: Why it cannot be carried out; "" where it can.
    """

    def __init__(self, plan: Plan, judge: Judge, draw: Callable[..., Any], *, n: int, lacking: str = "") -> None:
        self.plan, self.judge, self.draw, self.n, self.lacking = plan, judge, draw, n, lacking
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """What is lacking."""
        return self.lacking

    @property
    def metrics(self) -> Sequence[str]:
        """All that such samples get."""
        return self.judge.metrics

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """Of samples from latents of their own, and the floor."""
        if self._floor is None:
            self._floor = self.judge.floor(self.n)
        return self.judge.judge(self.draw(state, stage, self.n, seed=self.plan.seed, purpose="measure")), self._floor
