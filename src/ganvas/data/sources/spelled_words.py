"""The words behind the name of a built-in source, such as ``5000,64x96,seed=3``: each says something else."""

import re
from collections.abc import Iterable

from ganvas.core.errors import UserError

NUMBERS = {"0": "the count", "0x0": "height and width", "0@0": "length and rate"}


def told_once(spec: str, words: Iterable[str]) -> list[str]:
    """The words, where no two of them say the same thing: the last of two counts would win silently.

    Raises:
        UserError: two of them do.

    >>> told_once("scenes:500,64x96,seed=3", ["500", "64x96", "seed=3"])
    ['500', '64x96', 'seed=3']
    """
    words, said = list(words), dict[str, str]()
    for word in filter(None, words):
        thing = re.sub(r"\d+", "0", word) if "=" not in word else word.partition("=")[0]
        if thing in said:
            raise UserError(f"{spec}: '{said[thing]}' and '{word}' both say {NUMBERS.get(thing, thing)}. Say it once.")
        said[thing] = word
    return words
