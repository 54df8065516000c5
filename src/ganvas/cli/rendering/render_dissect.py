"""Dissections and tools of latents as a person reads them, on stderr."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.number_text import minus, number
from ganvas.core.progress import say
from ganvas.tasks.latents.directions import DirectionsResult
from ganvas.tasks.latents.disentanglement import DisentanglementResult
from ganvas.tasks.latents.dissect import DissectResult, Edited, RemovalLine, RewrittenModel, SetLine, ToPaint
from ganvas.tasks.latents.invert import InvertResult
from ganvas.tasks.memorisation import MemorisationResult


@form.register
def _(result: DissectResult) -> None:
    say(f"{result.subject}, labels by {result.labeller}. Units that fit a label, beside what chance gives:")
    header = ("layer", "name", "units", "fit", "rotated", "untrained", "permuted", "best, corrected")
    rows = [
        (
            *(line.layer, line.label, str(line.units)),
            *(number(value, digits=3) for value in (line.fitting, line.rotated, line.untrained, line.permuted)),
            number(line.best, digits=3),
        )
        for line in result.layers
    ]
    table("", header, rows)
    if result.sets:
        say(f"What goes when units of {result.effect_layer} are silenced together, on other pictures:")
        labels = list(dict.fromkeys(line.label for line in result.sets))
        table("", ("label", "by effect", "by fit"), [_removals(label, result.sets) for label in labels])
    for note in result.notes:
        say(note)
    say(f"{result.page}: the page; tables and JSON beside it.")


@form.register
def _(result: Edited) -> None:
    units = ", ".join(map(str, result.units))
    say(f"{result.model}: a model without the units {units} of {result.layer}. It draws what the edit draws, to within")
    say(f"{result.apart:.2g} of colours from -1 to 1; every command that takes a run takes it.")


@form.register
def _(result: RewrittenModel) -> None:
    units = ", ".join(map(str, result.units))
    say(f"{result.model}: a model whose units {units} of {result.layer} are silent where '{result.where}' is.")
    say("What that takes away, on other pictures:")
    table("", ("label", "change"), [(line.label, _removed(line)) for line in result.removals])


@form.register
def _(result: ToPaint) -> None:
    say(f"{result.folder / 'images'}: {result.pictures} pictures. Paint a mask of each, a PNG of the same name whose")
    say(f"pixels are numbers of labels, into {result.folder / 'masks'}; take out the pictures that you leave. Then:")
    say(f"ganvas dissect RUN --labeller {result.folder}")


def _removals(label: str, sets: tuple[SetLine, ...]) -> tuple[str, str, str]:
    by = {line.chosen_by: line for line in sets if line.label == label}
    return label, _removed(by.get("effect")), _removed(by.get("iou"))


def _removed(line: SetLine | RemovalLine | None) -> str:
    return "" if line is None else minus(f"{-100 * line.removed:+.1f} ± {100 * line.standard_error:.1f} %")


@form.register
def _(result: DirectionsResult) -> None:
    say(f"{result.model}, {result.method}: how much the picture changes at a step of {result.step:g} either way.")
    rows = [(line.name, number(line.value), number(line.change, digits=3)) for line in result.directions]
    table("", ("direction", "value", "change"), [*rows, ("random, mean", "", number(result.random_change, digits=3))])
    say(
        f"Effective rank {result.effective_rank:.1f} of {result.latents} latents. {result.sheet}: a row per "
        "direction, three pictures at steps either way."
    )


@form.register
def _(result: InvertResult) -> None:
    say(
        f"{result.pictures} pictures by {result.model}, from {result.start}: median {result.median:.1f} dB, "
        f"{result.share_above_30:.0%} at 30 dB or more; at the start {result.start_median:.1f} dB."
    )
    say(f"{result.sheet}: the pictures above what was found. {result.file}: their latents.")


@form.register
def _(result: DisentanglementResult) -> None:
    say(f"{result.model}: {result.latents} latents of {result.pictures:,} scenes, against the factors of the scenes.")
    rows = [
        (line.name, f"{line.value:.3f}", f"{line.floor:.3f} ± {line.floor_deviation:.3f}") for line in result.scores
    ]
    table("", ("score", "value", "factors shuffled"), rows)
    factors = [(line.factor, f"{line.r2:.2f}", str(line.latent), f"{line.share:.0%}") for line in result.factors]
    table("", ("factor", "told, R²", "latent that counts most", "its share"), factors)


@form.register
def _(result: MemorisationResult) -> None:
    say(
        f"{result.share:.1%} of {result.pictures} pictures by {result.model} are nearer to the training set than to "
        f"{result.held_out}, among {result.among:,} of each."
    )
    say(
        f"Without memory it is 50 ± {100 * result.standard_error:.1f} %; played back, 100 %. Median distance to the "
        f"one by that to the other: {result.ratio:.3f}."
    )
    say(f"{result.sheet}: nearest training pictures, what was drawn, nearest held-out pictures.")
