"""Lines that measuring adds to a run's measures.jsonl."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganvas.core.results import Result
from ganvas.core.run_folder import run_around


def add(path: Path, found: Any, *, nimg: int, source: str) -> str | None:
    """Adds what was found to the run that a path to it, or to one of its models, belongs to.

    Args:
        found: A dataclass; its field ``written`` is omitted.
        nimg: Images shown to the model that was measured.
        source: The command that measured.

    Returns:
        The file that has the line now; None where there is no run, or it cannot be written, which is said.
    """
    run = run_around(path.expanduser())
    if run is None:
        return None
    plain = {item.name: _plain(getattr(found, item.name)) for item in dataclasses.fields(found)}
    del plain["written"]
    when = datetime.now(UTC).isoformat(timespec="seconds")
    written = run.add_measurement({"nimg": nimg, "when": when, "source": source} | plain)
    return None if written is None else str(written)


def _plain(value: Any) -> Any:
    """As JSON can hold it."""
    return [one.to_plain() if isinstance(one, Result) else one for one in value] if isinstance(value, list) else value
