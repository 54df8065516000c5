"""Shards: files, or parts of files, that hold the pictures of a set and can be read in their middle."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PICTURE, CLASS = "picture", "cls"  # What samples of one set may have in common.


@dataclass
class ShardSample:
    """A picture with what belongs to it."""

    key: str
    parts: list[str] = field(default_factory=list)  # What it is made of: "picture" and endings.
    name: str = ""  # Of the picture.
    offset: int = 0  # Where the picture is in its shard: a byte, or a row.
    size: int = 0  # Bytes of the picture.
    label: int = -1

    @property
    def layout(self) -> tuple[str, ...]:
        """What samples of one set have in common."""
        return tuple(sorted(part for part in self.parts if part in (PICTURE, CLASS)))


class Shard(ABC):
    """One shard of a set."""

    path: Path
    class_names: Sequence[str] = ()  # As the shard says them.

    @abstractmethod
    def described(self) -> Mapping[str, Any]:
        """What an index says of it, from which it is opened again."""

    @abstractmethod
    def samples(self) -> Iterator[ShardSample]:
        """Every sample, in its order.

        Raises:
            UserError: the shard is cut short or damaged, or a sample has no picture.
        """

    @abstractmethod
    def read(self, offset: int, size: int) -> bytes | None:
        """The first so many bytes of the picture that is there; None where the shard ends before."""
