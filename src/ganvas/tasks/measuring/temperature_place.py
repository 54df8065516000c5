"""The place of a run on text by the temperature curve of a language model of the same text."""

from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.tasks.measuring.text_sides import MOST, text_of

if TYPE_CHECKING:
    from ganvas.report.web.run_temperatures import TemperaturePlace
    from ganvas.train.trained import Trained

BASELINE = "text/mle"


def place_of(run: Path, baseline: Path, *, seed: int = 0) -> "TemperaturePlace":
    """Draws lines of both, those of the baseline at several temperatures, and holds them against the text of the run.

    Raises:
        UserError: one of the two draws no lines, the baseline is no language model, or it is one of another text.
    """
    from ganvas.metrics.text.temperature_curve import TEMPERATURES, place_by, scored
    from ganvas.metrics.text.text_judge import TextJudge
    from ganvas.report.web.run_temperatures import TemperaturePlace
    from ganvas.train.trained import load

    model, language = load(run), load(baseline)
    require_comparable(model, language, baseline)
    judge = TextJudge(*text_of(str(run), None, model, quiet=True), seed=seed)
    n = min(MOST, len(judge.fresh))
    curve = [(t, scored(judge.scores(language.sample_tokens(n, seed=seed, temperature=t)))) for t in TEMPERATURES]
    own = scored(judge.scores(model.sample_tokens(n, seed=seed)))
    real = scored(judge.scores(judge.fresh[:n], counted=judge.reference[:n]))
    by = "nats per drawn token, by the oracle" if judge.oracle else "bits per drawn token, by n-grams of the text"
    return TemperaturePlace(
        model=model.name,
        baseline=str(baseline),
        quality=by,
        n=n,
        curve=curve,
        own=own,
        real=real,
        position=place_by([one for _, one in curve], own),
    )


def require_comparable(model: "Trained", language: "Trained", baseline: Path) -> None:
    """Refuses what has no place by a curve, or no curve."""
    if not model.line == language.line or model.alphabet != language.alphabet:
        raise UserError(
            f"--baseline {baseline} says other lines than the run: its length, alphabet or unit is another. Train "
            f"{BASELINE} on the same text with the same length."
        )
    if language.name != BASELINE:
        raise UserError(
            f"--baseline {baseline} is a run of {language.name}. The curve is that of a language model at several "
            f"temperatures: name a run of {BASELINE}."
        )
    if model.data["fingerprint"] != language.data["fingerprint"]:
        raise UserError(
            f"--baseline {baseline} was trained on {language.data['spec']}, and the run on {model.data['spec']}. Train "
            f"{BASELINE} on the same text."
        )
