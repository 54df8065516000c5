"""Likelihoods of lines under models that know them: bits per character or word, beside models of n-grams."""

from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.tasks.measuring.density import MOST, OWN_SAMPLES, Bits

if TYPE_CHECKING:
    from ganvas.data.text.packed_text import PackedText
    from ganvas.train.trained import Trained


def bits_of_lines(trained: "Trained", spec: str, *, n: int | None, seed: int, quiet: bool) -> Bits:
    """Bits per token of ``n`` lines of a source, and of the same lines under models that need no learning.

    Raises:
        UserError: the model does not know its likelihood, or there are fewer lines.
    """
    from ganvas.core.progress import progress
    from ganvas.data.text.packed_text import prepare_text
    from ganvas.losses.capabilities import HasDensity
    from ganvas.metrics.text import line_bits

    model = trained.require(HasDensity)
    size = trained.line
    packed = prepare_text(spec, size, alphabet=trained.alphabet, quiet=quiet)
    trained_on = trained.was_trained_on(packed)
    wanted = min(MOST, len(packed)) if n is None else n
    if not 2 <= wanted <= len(packed):
        raise UserError(f"There are {len(packed)} lines, and {wanted} are to be measured. Ask for 2 to that many.")
    with progress("likelihood", wanted, unit="lines", quiet=quiet) as report:
        how = {"device": trained.device, "seed": seed, "tick": report, "trained_on": trained_on}
        found, nats = line_bits.measured(model, packed, wanted, **how)
    beside, notes = _yardsticks(trained, packed, found, quiet=quiet)
    notes = [OWN_SAMPLES] * trained_on + notes + _notes(packed)
    return Bits(results=[found, *beside], log_likelihoods=(-nats).tolist(), notes=notes)


def _yardsticks(
    trained: "Trained", packed: "PackedText", found: Result, *, quiet: bool
) -> tuple[list[Result], list[str]]:
    """Of the same lines, counted on the training ones; a note where those are not there."""
    from ganvas.metrics.text import line_bits

    try:
        own = trained.real_lines(quiet=quiet)
    except UserError as error:
        return [], [f"No yardsticks, which are counted on the training lines: {error}"]
    rows = line_bits.chosen_rows(packed, found.n, seed=found.seed)
    trained_on = trained.was_trained_on(packed)
    return line_bits.yardsticks(own, rows, found.protocol, seed=found.seed, trained_on=trained_on), []


def _notes(packed: "PackedText") -> list[str]:
    """What of the lines the model does not see."""
    cut, unknown = packed.manifest["cut"], packed.manifest["unknown"]
    notes = [f"{cut:,} lines are longer than {packed.length} {packed.alphabet.unit} and were cut there."] * bool(cut)
    known = f"{unknown:,} {packed.alphabet.unit} of these lines are not in the alphabet of the training: one token."
    return notes + [known] * bool(unknown)
