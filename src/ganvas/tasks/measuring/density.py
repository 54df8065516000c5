"""Likelihoods of models that know them: bits per dimension of pictures, beside codes that need no learning."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.core.results import Result

if TYPE_CHECKING:
    from ganvas.data.packed import Packed
    from ganvas.losses.capabilities import HasDensity
    from ganvas.train.trained import Trained

MOST = 4096  # Pictures where -n is left out.
OWN_SAMPLES = (
    "These are the training's own: a model that has memorised them scores high, and codes that were fitted on them are "
    "left out. Give others, or name some at the training (--held-out)."
)


@dataclass(frozen=True, kw_only=True)
class Bits:
    """What was found of each picture and of all of them."""

    results: list[Result]
    log_likelihoods: list[float]  # In nats, of every picture.
    notes: list[str]


def bits_of(
    trained: "Trained", model: "HasDensity", packed: "Packed", *, n: int | None, seed: int, quiet: bool
) -> Bits:
    """Bits per dimension of ``n`` pictures, and the yardsticks of the same pictures.

    Raises:
        UserError: there are fewer pictures, or a flow has lost its inverse.
    """
    import math

    from ganvas.core.progress import progress
    from ganvas.metrics.likelihood import density
    from ganvas.metrics.measuring import draws

    wanted = min(MOST, len(packed)) if n is None else n
    if not 2 <= wanted <= len(packed):
        raise UserError(f"There are {len(packed)} pictures, and {wanted} are to be measured. Ask for 2 to that many.")
    rows = draws.order(len(packed), seed=seed)[:wanted].numpy()
    about_inverse = density.about_inverse(trained.model, packed, rows, device=trained.device)
    with progress("likelihood", wanted, unit="pictures", quiet=quiet) as report:
        bits = density.picture_bits(model, packed, rows, device=trained.device, seed=seed, tick=report)
    trained_on = trained.was_trained_on(packed)
    protocol = density.protocol_of(model, packed, n=wanted, trained_on=trained_on)
    about_bins = density.ABOUT_BINS * (model.density == "exact density")
    about_jpeg = density.ABOUT_JPEG * density.were_jpeg(packed)
    notes = [note for note in (OWN_SAMPLES * trained_on, about_bins, about_inverse, about_jpeg) if note]
    beside: list[Result] = []
    try:
        own, levels = None if trained_on else trained.reals(quiet=quiet), density.levels_of(model)
        beside = density.yardstick_results(own, packed, rows, protocol, seed=seed, levels=levels)
        notes += [note for note in (density.about_gaussian(own),) if note]
    except UserError as error:
        notes.append(f"No yardsticks, which are fitted on the training pictures: {error}")
    nats = -math.log(2) * packed.height * packed.width * packed.channels
    return Bits(
        results=density.results(bits, protocol, seed=seed, yardsticks=beside),
        log_likelihoods=(bits * nats).tolist(),
        notes=notes,
    )
