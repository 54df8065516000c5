"""Keeps what a benchmark found, with what it was found on: one JSON line per measurement in ``history.jsonl``."""

import datetime
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.core.process.provenance import machine, versions

HISTORY = Path(__file__).with_name("history.jsonl")


def record(name: str, values: Mapping[str, Any], *, history: Path = HISTORY) -> None:
    """Appends one measurement and prints it on one line.

    Args:
        name: What was measured: "startup", "step.cpu". Lines of one name compare over time.
        values: The figures by a name that carries the unit ("help_sec", "images_per_sec"), and what they depend on.
    """
    found = versions()
    line = {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": found.pop("commit", None),
        "machine": machine(),
        "versions": found,
        "name": name,
        "values": dict(values),
    }
    with history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, allow_nan=False) + "\n")
    sys.stdout.write(f"{name}: {', '.join(f'{key} {_short(value)}' for key, value in values.items())}\n")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
