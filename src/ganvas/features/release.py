"""Published weights of a network: their address, hash and licence. Needs no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Release:
    """One published file of weights.

    A network's file says ``WEIGHTS = Release(...)`` with plain values only: a list of networks reads them without
    running the file.
    """

    file: str  # Its name, as published.
    sha256: str
    size_bytes: int
    url: str
    licence: str
    origin: str  # Who trained it, on what.
    also: tuple[str, ...] = ()  # SHA-256 sums of other official files of the same weights.

    @property
    def megabytes(self) -> str:
        """Its size for a person: ``96 MB``."""
        return f"{self.size_bytes / 1e6:,.0f} MB"
