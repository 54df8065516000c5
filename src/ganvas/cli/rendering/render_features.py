"""Feature networks as a person reads them, on stderr."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.progress import duration, say
from ganvas.tasks.catalogues.features import FetchedWeights, NetworkList, TrainedClassifier


@form.register
def _(result: NetworkList) -> None:
    rows = [
        (
            line.name,
            ", ".join(f"{tap} {length:,}" for tap, length in line.taps.items()) or "distances of pairs",
            line.weights if not line.megabytes else f"{line.weights} ({line.megabytes:,.0f} MB)",
            line.licence or "-",
            line.summary,
        )
        for line in result.networks
    ]
    table("feature networks", ("name", "gives", "weights", "licence", "what it sees"), rows)
    say("`ganvas features fetch NAME` brings weights; `ganvas features train FOLDER -o FILE` makes a network of yours.")


@form.register
def _(result: FetchedWeights) -> None:
    how = f"{result.downloaded_bytes / 1e6:,.1f} MB fetched" if result.downloaded_bytes else "was there"
    say(f"{result.path}: {how}, checked ({result.licence}). Measure with it by --features {result.name}.")


@form.register
def _(result: TrainedClassifier) -> None:
    chance = 100 / len(result.classes)
    say(
        f"{result.path}: {100 * result.accuracy:.1f} ± {100 * result.standard_error:.1f} % of {result.held_out:,} "
        f"pictures held out are named right ({len(result.classes)} classes; chance is {chance:.1f} %), "
        f"after {duration(result.seconds)} on {result.images:,} pictures. Measure with it by --features {result.path}."
    )
