"""Reads a run's folder for its page. Only ``run.json`` must be there; what else is missing or broken is said."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.atomic_files import read_json
from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.report.web.chart import Band
from ganvas.report.web.run_numbers import Measurement
from ganvas.report.web.run_page import RunPage, Sample

MOMENTS = 6  # Grids shown of a run that does not grow.
MOST_GROWTH_BYTES = 16 * 2**20


def read(folder: Path) -> RunPage:
    """What the page shows of the run in ``folder``.

    Raises:
        UserError: ``folder`` is not there, or is not a run.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}. A report is made of the folder that `ganvas train --out` wrote.")
    if not (folder / "run.json").is_file():
        raise UserError(
            f"{folder} is not a run: it holds no run.json. Give the folder that `ganvas train --out` wrote."
        )
    run = read_json(folder / "run.json")
    if not isinstance(run, dict):
        raise UserError(f"{folder / 'run.json'} does not describe a run. Give the folder that `ganvas train` wrote.")
    notes: list[str] = []
    log = columns(json_lines(folder / "log.jsonl", notes))
    pace = columns(json_lines(folder / "cost.jsonl", notes))
    drawn = sample_files(folder)
    furthest = [float(table["kimg"][-1]) for table in (log, pace) if len(table["kimg"])] + [kimg for kimg, _ in drawn]
    stages = bands(_objects(run.get("stages")), end=max(furthest, default=0.0))
    return RunPage(
        name=folder.resolve().name,
        run_path=str(folder),
        model=str(run.get("model", "unknown model")),
        status=str(run.get("status", "unknown")),
        preset=run["preset"] if isinstance(run.get("preset"), str) else None,
        seed=run["seed"] if isinstance(run.get("seed"), int) else None,
        started=str(run.get("started") or ""),
        command=[str(word) for word in run["command"]] if isinstance(run.get("command"), list) else [],
        data=_object(run.get("data")),
        config=_object(run.get("config")),
        plan=_object(run.get("plan")),
        versions=_object(run.get("versions")),
        machine=_object(run.get("machine")),
        cost=_object(run.get("cost")),
        stages=stages if len({band.label for band in stages}) > 1 else [],
        log=log,
        pace=pace,
        measures=[_measurement(row) for row in json_lines(folder / "measures.jsonl", notes)],
        samples=_samples(drawn, stages, notes),
        reals=_bytes(folder / "samples" / "reals.png"),
        growth=_growth(folder / "samples" / "growth.webp", notes),
        notes=notes,
    )


def json_lines(path: Path, notes: list[str]) -> list[dict[str, Any]]:
    """The objects of a file with one per line. Lines that cannot be read are left out and told.

    A last line without its end is one that the run is writing at this moment: left out, and not worth telling.
    """
    if not path.is_file():
        return []
    *lines, unfinished = path.read_text(encoding="utf-8", errors="replace").split("\n")
    rows = [_parsed(line) for line in lines if line.strip()]
    broken = rows.count(None)
    if broken:
        notes.append(f"{path.name}: {broken} of {len(rows)} lines could not be read and are left out.")
    last = _parsed(unfinished)
    return [row for row in [*rows, last] if row is not None]


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Numbers by name, float64, ``nan`` where a row lacks one; ``kimg`` is always there, from ``nimg`` if need be."""
    names = dict.fromkeys(["kimg", *(name for row in rows for name in row)])
    table = {name: np.array([_number(row.get(name)) for row in rows], float) for name in names}
    if "nimg" in table:
        table["kimg"] = np.where(np.isnan(table["kimg"]), table["nimg"] / 1000, table["kimg"])
    known = np.isfinite(table["kimg"])
    return {name: values[known] for name, values in table.items() if name == "kimg" or np.isfinite(values).any()}


def bands(stages: Sequence[Mapping[str, Any]], *, end: float) -> list[Band]:
    """Stretches between the starts of the stages; the last reaches to ``end``."""
    starts = [_number(stage.get("kimg")) for stage in stages]
    ends = [*starts[1:], max(end, starts[-1])] if starts else []
    return [
        Band(start=start, end=stop, label=str(stage.get("resolution", "")), hatched=bool(stage.get("fading")))
        for stage, start, stop in zip(stages, starts, ends, strict=True)
        if np.isfinite([start, stop]).all()
    ]


def sample_files(folder: Path) -> list[tuple[float, Path]]:
    """The grids of the fixed latents by kimg: files whose name is a number."""
    found = [(_number_text(path.name.removesuffix(".png")), path) for path in (folder / "samples").glob("*.png")]
    return sorted((kimg, path) for kimg, path in found if np.isfinite(kimg))


def milestones(moments: Sequence[float], stages: Sequence[Band]) -> list[int]:
    """Which grids to show: the last of each resolution or, of a run that does not grow, some over the run."""
    labels = [stage_at(kimg, stages) for kimg in moments]
    if len(set(labels)) > 1:
        return sorted({label: index for index, label in enumerate(labels)}.values())
    return sorted({round(index) for index in np.linspace(0, len(moments) - 1, min(MOMENTS, len(moments)))})


def stage_at(kimg: float, stages: Sequence[Band]) -> str:
    """The resolution at a moment; the first image of a stage is still drawn by the stage before."""
    before = [band.label for band in stages if band.start < kimg]
    return before[-1] if before else stages[0].label if stages else ""


def _samples(drawn: Sequence[tuple[float, Path]], stages: Sequence[Band], notes: list[str]) -> list[Sample]:
    shown = []
    for index in milestones([kimg for kimg, _ in drawn], stages):
        kimg, path = drawn[index]
        label, image = stage_at(kimg, stages), _bytes(path)
        if image is None:
            notes.append(f"samples/{path.name} could not be read.")
        else:
            shown.append(Sample(kimg=kimg, resolution=int(label) if label.isdigit() else None, image=image))
    return shown


def _measurement(row: Mapping[str, Any]) -> Measurement:
    return Measurement(
        kimg=_number(row.get("kimg")),
        when=str(row.get("when") or ""),
        source=str(row.get("source") or ""),
        results=[_result(plain) for plain in _objects(row.get("results"))],
        floor=[_result(plain) for plain in _objects(row.get("floor"))],
    )


def _result(plain: Mapping[str, Any]) -> Result:
    error = _number(plain.get("standard_error"))
    better = plain.get("better")
    return Result(
        metric=str(plain.get("metric", "unnamed")),
        value=_number(plain.get("value")),
        standard_error=error if np.isfinite(error) else None,
        error_method=str(plain.get("error_method") or ""),
        n=int(plain.get("n") or 0),
        seed=int(plain.get("seed") or 0),
        better=better if better in ("lower", "higher") else "neither",
        protocol=str(plain.get("protocol") or ""),
    )


def _growth(path: Path, notes: list[str]) -> bytes | None:
    if path.is_file() and path.stat().st_size > MOST_GROWTH_BYTES:
        notes.append(f"samples/{path.name} is too large to stand in this page; it lies in the run's folder.")
        return None
    return _bytes(path)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


def _number_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
