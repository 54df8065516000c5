"""The monitor of a run: takes the vital signs at intervals, notes them in health.jsonl, and says what they mean."""

from collections.abc import Sequence
from dataclasses import asdict

from ganvas.core.progress import say
from ganvas.core.run_folder import HEALTH, RunFolder
from ganvas.core.schedule import Stage
from ganvas.train.health.diagnoses import Finding, findings
from ganvas.train.health.noise_scale import noise_note
from ganvas.train.health.signs import Signs, vital_signs
from ganvas.train.health.specimens import Specimens
from ganvas.train.plan import Plan
from ganvas.train.state import State


class Monitor:
    """Looks at a game now and then; what it saw before a run was resumed it reads in health.jsonl.

    Attributes:
        note: The findings of the last check-up in words, and the noise scale; "" where there are none.
    """

    def __init__(
        self,
        run: RunFolder,
        plan: Plan,
        specimens: Specimens | None,
        *,
        counts: Sequence[int] = (),
        quiet: bool = False,
    ) -> None:
        self.run, self.plan, self.specimens, self.counts, self.quiet = run, plan, specimens, counts, quiet
        self.history: list[Signs] = [entry["signs"] | {"kimg": entry["kimg"]} for entry in run.lines(HEALTH)]
        self._told = {found.name for found in findings(self.history)}
        self.note = ""

    def check(self, state: State, stage: Stage, *, noise: Signs | None = None) -> list[Finding]:
        """One check-up; what is found for the first time is said with its advice.

        Args:
            noise: The signs of a :class:`~ganvas.train.health.noise_scale.NoiseProbe`, where there is one.
        """
        kimg = state.nimg / 1000
        signs = vital_signs(state, stage, self.specimens, seed=self.plan.seed, counts=self.counts)
        signs |= noise or {}
        self.history.append(signs | {"kimg": kimg})
        found = findings(self.history)
        written = [asdict(one) | {"text": one.text} for one in found]
        self.run.append(HEALTH, {"nimg": state.nimg, "kimg": kimg, "signs": signs, "findings": written})
        self.note = "; ".join(filter(None, (*(one.text for one in found), noise_note(signs))))
        for one in found:
            if one.name not in self._told and not self.quiet:
                say(f"{one.text[0].upper()}{one.text[1:]}. {one.advice}")
        self._told = {one.name for one in found}
        return found
