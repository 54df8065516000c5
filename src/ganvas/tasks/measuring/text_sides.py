"""Measuring lines: a file of text, or what a run says, against the text that it should be like."""

from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.core.run_folder import is_run_or_model
from ganvas.tasks.measuring.measured_samples import MeasuredSamples, chosen_results, is_own

if TYPE_CHECKING:
    from ganvas.data.text.packed_text import PackedText
    from ganvas.metrics.text.ngrams import Rows
    from ganvas.train.trained import Trained

MOST = 2048  # Lines that are measured where the number is left out.
MOST_LENGTH, MOST_NUMBERS = 64, 5000  # Of lines and alphabets of two files, which no model has settled.


def measured_lines(
    a: str,
    b: str | None,
    *,
    n: int | None,
    seed: int,
    metrics: tuple[str, ...] | None,
    kimg: float | None,
    quiet: bool,
) -> MeasuredSamples:
    """Measures lines against a text.

    Args:
        a: A file of text, or a run that draws lines.
        b: The text; None is what the run was trained on.
        n: How many lines; None is at most :data:`MOST`, and as many as there are real ones for the floor.
        metrics: Which values, by the first part of their names; None is all.

    Raises:
        UserError: there is no text to measure against, there are fewer lines, or a metric is not of lines.
    """
    import hashlib

    from ganvas.metrics.text.text_judge import TextJudge
    from ganvas.train.trained import load

    path = Path(a).expanduser()
    trained = load(path, kimg=kimg) if is_run_or_model(path) else None
    train, held_out = text_of(a, b, trained, quiet=quiet)
    judge = TextJudge(train, held_out, seed=seed)
    rows = _rows(a, trained, train, n or min(MOST, len(judge.fresh)), seed=seed)
    if len(rows) < (n or 2):
        raise UserError(f"-n {n or 2}: {a} has {len(rows):,} lines. Leave -n out, or ask for at most that many.")
    found = judge.judge(rows) + judge.of_copies(len(rows))
    return MeasuredSamples(
        against=b or str(trained.data["spec"] if trained else ""),
        n=len(rows),
        results=chosen_results(found, metrics, of="lines"),
        floor=chosen_results(judge.floor(len(rows)), metrics, of="lines"),
        fakes=hashlib.sha256(rows.tobytes()).hexdigest()[:16],
        reals=train.fingerprint,
        trained=trained,
        own=is_own(trained, train.fingerprint),
    )


def text_of(
    a: str, b: str | None, trained: "Trained | None", *, quiet: bool
) -> tuple["PackedText", "PackedText | None"]:
    """The text that lines are held against, and what the run held out of it."""
    from ganvas.core.sample_sizes.line_size import LineSize
    from ganvas.data.text.packed_text import prepare_text, survey_text

    if b is None and trained is None:
        raise UserError(f"{a} is no run, so what its lines should be like is not known: ganvas measure {a} REALS.txt.")
    if trained is None:
        found = survey_text(b or "", "characters")
        size = LineSize(length=min(found.longest, MOST_LENGTH), alphabet=MOST_NUMBERS, unit="characters")
        return prepare_text(b or "", size, quiet=quiet), None
    if b is not None:
        return prepare_text(b, trained.line, alphabet=trained.alphabet, quiet=quiet), None
    kept = trained.data.get("held_out")
    held_out = None
    if kept is not None:
        held_out = prepare_text(kept["spec"], trained.line, alphabet=trained.alphabet, quiet=quiet)
    return trained.real_lines(quiet=quiet), held_out


def _rows(a: str, trained: "Trained | None", text: "PackedText", n: int, *, seed: int) -> "Rows":
    """The lines to be measured, as numbers of the text's alphabet."""
    import numpy as np

    from ganvas.core.sample_sizes.line_size import LineSize
    from ganvas.data.text.packed_text import prepare_text

    if trained is not None:
        return trained.sample_tokens(n, seed=seed)
    size = LineSize(length=text.length, alphabet=len(text.alphabet), unit=text.alphabet.unit)
    packed = prepare_text(a, size, alphabet=text.alphabet, quiet=True)
    return packed.read(np.random.default_rng(seed).permutation(len(packed))[:n])
