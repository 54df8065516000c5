"""Advice as a person reads it, on stderr; the command stands last."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.progress import duration, say
from ganvas.tasks.advising.advise import AdviseResult, Candidate


@form.register
def _(result: AdviseResult) -> None:
    seen = result.seen
    classes = f", {seen['classes']} classes" if seen["classes"] > 1 else ""
    colours = {1: "grey", 3: "RGB", 4: "RGBA"}[seen["channels"]]
    say(f"{result.data}: {seen['count']:,} pictures, {colours}, shorter side {seen['median_side']} px{classes}.")
    for warning in result.warnings:
        say(f"Warning: {warning}")
    if result.candidates:
        header = ("model", "pixels", "kimg in the time", "1,000 pictures", "measured on scenes")
        table("", header, [_row(one) for one in result.candidates])
    for reason in result.reasons:
        say(f"- {reason}")
    if result.command:
        say(f"\n{result.command}")


def _row(one: Candidate) -> tuple[str, ...]:
    if one.refused:
        return one.model, "–", "–", "–", one.refused
    height, width = one.size
    return one.model, f"{height}x{width}", f"{one.kimg:,.4g}", duration(one.seconds_per_kimg), one.measured
