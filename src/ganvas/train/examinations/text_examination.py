"""Measures text while a model trains: drawn lines against real ones, and the likelihood of held-out lines."""

from collections.abc import Sequence

from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.data.text.packed_text import PackedText
from ganvas.losses.capabilities import HasDensity
from ganvas.metrics.text import line_bits
from ganvas.metrics.text.text_judge import TextJudge
from ganvas.train.examinations.judged_examination import JudgedExamination
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.sheets.text_sheets import draw_lines
from ganvas.train.state import State


def line_examination(plan: Plan, packed: PackedText, held_out: PackedText | None) -> JudgedExamination:
    """Drawn lines against the text, beside as many real lines that are no part of the reference."""
    judge = TextJudge(packed, held_out, seed=plan.seed)
    n = min(plan.measure_n, len(judge.fresh))
    return JudgedExamination(plan, judge, draw_lines, n=n, lacking="" if n >= 2 else "needs at least 4 lines.")


class LineDensityExamination(Examination):
    """Bits per token of held-out lines, beside n-grams that are counted on the training ones once."""

    def __init__(self, plan: Plan, packed: PackedText, held_out: PackedText | None) -> None:
        self.plan, self.packed, self.held_out = plan, packed, held_out
        self.n = 0 if held_out is None else min(plan.measure_n, len(held_out))
        self._yardsticks: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """No lines are held out."""
        return "" if self.n >= 2 else "needs lines that are not trained on. Name them with --held-out SRC."

    @property
    def metrics(self) -> Sequence[str]:
        """Bits per character, or per word."""
        return (line_bits.metric_of(self.packed.alphabet.unit),)

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """All bits over all tokens, and yardsticks of the same lines; a likelihood has no floor."""
        assert self.held_out is not None
        device, seed = next(state.model.parameters()).device, self.plan.seed
        with averaged_players(state) as model:
            assert isinstance(model, HasDensity)
            found, _ = line_bits.measured(model, self.held_out, self.n, device=device, seed=seed)
        if self._yardsticks is None:
            rows = line_bits.chosen_rows(self.held_out, self.n, seed=seed)
            self._yardsticks = line_bits.yardsticks(self.packed, rows, found.protocol, seed=seed)
        return [found, *self._yardsticks], []
