"""The one error that a person is meant to read."""

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake of the user's: what was given, why it cannot be, what would do.

    The command line prints the message alone and exits with code 2; the library raises it as any ``ValueError``.
    What only we can break is an ``assert`` instead.
    """


class TrainingFailed(RuntimeError):
    """Training cannot go on (a loss or a weight is not a number). The message names the cause and what is kept."""


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """The nearest known name as a sentence with a leading space, or nothing when none is near.

    >>> did_you_mean("dcgn", ["dcgan", "progan"])
    " Did you mean 'dcgan'?"
    >>> did_you_mean("zebra", ["dcgan", "progan"])
    ''
    """
    near = difflib.get_close_matches(given, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
