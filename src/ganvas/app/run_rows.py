"""Rows of the list of runs: what ``run.json`` says and what the logs end with, without reading the logs.

A thousand runs are listed in a third of a second: a row is made again only when one of its files has changed, and of a
log only the end is read.
"""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganvas.core.files.json_lines import parsed
from ganvas.core.number_text import with_error
from ganvas.core.progress import duration
from ganvas.core.run_folder import DESCRIPTION, HEALTH, MEASURES
from ganvas.report.web.run_numbers import metric_name

END_BYTES = (2_048, 8_192, 65_536)  # Of a log, until they hold a whole line; one of measures has about 3,000.
FILES = (DESCRIPTION, "cost.jsonl", MEASURES, HEALTH)


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run in one line of text and numbers; what is not known is empty."""

    name: str
    model: str
    status: str
    data: str
    kimg: float | None
    total_kimg: float | None
    measure: str  # "FID 8.4 ± 1.4"
    floor: str  # What real pictures score against real ones.
    health: str  # "no finding", or the findings by name.
    cost: str  # "12 min 02 s"
    started: str


class RunRows:
    """Rows that are kept as long as their files stay as they are."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, ...], RunRow]] = {}

    def row(self, name: str, path: str) -> RunRow:
        """The row of the run in a folder."""
        mark = _mark(path)
        kept = self._kept.get(path)
        if kept is None or kept[0] != mark:
            kept = self._kept[path] = (mark, _row(name, path))
        return kept[1]


def _mark(path: str) -> tuple[int, ...]:
    """What changes when one of the files does."""
    found: list[int] = []
    for file in FILES:
        try:
            stat = os.stat(f"{path}/{file}")
        except OSError:
            found.append(-1)
        else:
            found += (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return tuple(found)


def _row(name: str, path: str) -> RunRow:
    run = _object(_description(path))
    cost, plan, data = (_object(run.get(part)) for part in ("cost", "plan", "data"))
    measure, floor = _measured(last_entry(f"{path}/{MEASURES}"))
    nimg = _number(last_entry(f"{path}/cost.jsonl").get("nimg")) or _number(cost.get("nimg"))
    seconds = _number(cost.get("seconds"))
    return RunRow(
        name=name,
        model=_text(run.get("model")),
        status=_text(run.get("status")) or "unreadable",
        data=_text(data.get("spec")),
        kimg=None if nimg is None else nimg / 1000,
        total_kimg=_number(plan.get("total_kimg")),
        measure=measure,
        floor=floor,
        health=health_word(last_entry(f"{path}/{HEALTH}")),
        cost="" if seconds is None else duration(seconds),
        started=_text(run.get("started")),
    )


def _description(path: str) -> Any:
    try:
        with io.FileIO(f"{path}/{DESCRIPTION}") as file:
            return json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None


def health_word(check_up: Mapping[str, Any]) -> str:
    """What a check-up found, by name; empty where there was none.

    >>> health_word({"findings": [{"name": "mode collapse"}]}), health_word({"findings": []}), health_word({})
    ('mode collapse', 'no finding', '')
    """
    findings = check_up.get("findings")
    if not isinstance(findings, list):
        return ""
    return ", ".join(_text(_object(one).get("name")) for one in findings) or "no finding"


def last_entry(path: str) -> dict[str, Any]:
    """The last whole line of a log as JSON; empty where there is none."""
    try:
        with io.FileIO(path) as file:  # Without a buffer and what is asked for it: half of the time of a thousand.
            size = file.seek(0, os.SEEK_END)
            for length in END_BYTES:
                file.seek(max(size - length, 0))
                entry = _last_whole(file.read(length))
                if entry is not None or length >= size:
                    return entry or {}
    except OSError:
        pass
    return {}


def _last_whole(end: bytes) -> dict[str, Any] | None:
    """The last line that is whole in the end of a file; what is left of one that begins before is no JSON."""
    entries = (parsed(line) for line in reversed(end.splitlines(keepends=True)) if line.endswith(b"\n"))
    return next((entry for entry in entries if entry is not None), None)


def _measured(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The first undivided metric of a measurement, and its floor."""
    results = [one for one in _objects(entry.get("results")) if "." not in _text(one.get("metric"))]
    if not results:
        return "", ""
    first = results[0]
    floors = [one for one in _objects(entry.get("floor")) if one.get("metric") == first.get("metric")]
    name = metric_name(_text(first.get("metric")), _text(first.get("protocol")))
    return f"{name} {_value(first)}", _value(floors[0]) if floors else ""


def _value(result: Mapping[str, Any]) -> str:
    value, error = _number(result.get("value")), _number(result.get("standard_error"))
    return "–" if value is None else with_error(value, error)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e60
    return float(value) if is_number else None
