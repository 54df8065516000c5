"""The reader of a run's folder for its page. Only ``run.json`` must be whole; the page says what else cannot be read.

A file of a run may have been edited or cut: every value is checked for its kind here, once, and what is of another
kind counts as unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import UserError
from ganvas.core.files.json_lines import read_lines
from ganvas.core.results import Result
from ganvas.core.run_folder import HEALTH, RunFolder
from ganvas.report.drawing.plot_frame import Band
from ganvas.report.pictures.animation import film_within
from ganvas.report.web.run_numbers import Measurement
from ganvas.report.web.run_page import LineSheet, RunPage, Sheet

MOMENTS = 6  # Sheets shown of a run that does not grow.
MOST_LINES = 16  # Of a sheet of text.
MOST_OTHERS = 4  # Sheets of no moment.
MOST_SOUND_BYTES = 600_000  # Of the wave file of one sheet.
MOST_FILM_BYTES = 800_000  # A page is mailed and opened on telephones: about 3 MB in all.
FILM_FRAMES_PER_SECOND = 8
LARGEST = 1e60


def read(path: Path) -> RunPage:
    """What the page shows of the run in a folder.

    Raises:
        UserError: the folder is not there, is not a run, or is a run of another version.
    """
    run, stages = _without_pictures(path)
    folder, notes = RunFolder(path), list(run.notes)
    drawn = folder.sheets()
    return replace(
        run,
        sheets=_sheets(drawn, stages, notes),
        others=_other_sheets(folder, notes),
        texts=_line_sheets(folder, notes),
        film=_film(folder.film, [path for _, path in drawn], notes),
        notes=notes,
    )


def read_numbers(path: Path) -> RunPage:
    """The same without pictures, which is all that changes from one report to the next.

    Raises:
        UserError: as of :func:`read`.
    """
    return _without_pictures(path)[0]


def _without_pictures(path: Path) -> tuple[RunPage, list[Band]]:
    """What the page shows but for its pictures, and all stages: the page has none where they are of one size."""
    if not path.is_dir():
        raise UserError(f"There is no folder {path}. A report is made of the folder that `ganvas train --out` wrote.")
    folder = RunFolder(path)
    run = folder.describe(of_earlier_versions=True)
    notes: list[str] = []
    log = columns(_lines(path / "log.jsonl", notes))
    pace = columns(_lines(path / "cost.jsonl", notes))
    check_ups = _lines(path / HEALTH, notes)
    furthest = [float(table["kimg"][-1]) for table in (log, pace) if len(table["kimg"])]
    furthest += [kimg for kimg, _ in folder.sheets()]
    data, config = _object(run.get("data")), _object(run.get("config"))
    stages = bands(_objects(run.get("stages")), end=max(furthest, default=0.0), data=data, config=config)
    page = RunPage(
        name=path.resolve().name,
        run_path=str(path),
        model=str(run.get("model", "unknown model")),
        status=str(run.get("status", "unknown")),
        preset=run["preset"] if isinstance(run.get("preset"), str) else None,
        seed=run["seed"] if isinstance(run.get("seed"), int) else None,
        cause=str(run.get("cause") or ""),
        started=str(run.get("started") or ""),
        command=[str(word) for word in run["command"]] if isinstance(run.get("command"), list) else [],
        data=data,
        config=config,
        plan=_object(run.get("plan")),
        versions=_object(run.get("versions")),
        machine=_object(run.get("machine")),
        cost={name: value for name, value in _numbers(run.get("cost")).items() if value >= 0},
        stages=stages if len({band.label for band in stages}) > 1 else [],
        log=log,
        pace=pace,
        health=columns([_object(row.get("signs")) | {"kimg": row.get("kimg")} for row in check_ups]),
        findings=_findings(check_ups),
        measures=[_measurement(row, data) for row in _lines(path / "measures.jsonl", notes)],
        notes=notes,
    )
    return page, stages


def _findings(check_ups: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What the last check-up found, and what was advised, in sentences."""
    found = _objects(check_ups[-1].get("findings")) if check_ups else []
    texts = [(str(one.get("text") or ""), str(one.get("advice") or "")) for one in found]
    return [(f"{text[:1].upper()}{text[1:]}", advice) for text, advice in texts if text]


def _lines(path: Path, notes: list[str]) -> list[dict[str, Any]]:
    lines = read_lines(path)
    damaged = sum(line.damaged for line in lines)
    if damaged:
        notes.append(f"{path.name}: {damaged} of {len(lines)} lines could not be read and are omitted.")
    return [line.entry for line in lines if line.entry is not None]


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Numbers by name, float64, ``nan`` where a row lacks one; ``kimg`` is always there, from ``nimg`` if need be."""
    names = dict.fromkeys(["kimg", *(name for row in rows for name in row)])
    table = {name: np.array([_number(row.get(name)) for row in rows], float) for name in names}
    if "nimg" in table:
        table["kimg"] = np.where(np.isnan(table["kimg"]), table["nimg"] / 1000, table["kimg"])
    known = np.isfinite(table["kimg"])
    return {name: values[known] for name, values in table.items() if name == "kimg" or np.isfinite(values).any()}


def bands(
    stages: Sequence[Mapping[str, Any]], *, end: float, data: Mapping[str, Any], config: Mapping[str, Any]
) -> list[Band]:
    """Stretches between the starts of the stages, named by the size of their pictures; the last reaches to ``end``."""
    starts = [_number(stage.get("kimg")) for stage in stages]
    ends = [*starts[1:], max(end, starts[-1])] if starts else []
    return [
        Band(
            start=start,
            end=stop,
            label=picture_size(stage.get("resolution", ""), data, config),
            hatched=bool(stage.get("fading")),
        )
        for stage, start, stop in zip(stages, starts, ends, strict=True)
        if np.isfinite([start, stop]).all()
    ]


def picture_size(resolution: Any, data: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The size in pixels of pictures at a nominal resolution: ``28``, or ``24×16`` (width x height).

    A model that grows calls its resolutions 4, 8, 16, whatever the size of its pictures is: its last resolution is
    the size of the data, and every earlier one half of the next.

    >>> data, config = {"height": 28, "width": 28}, {"resolution": 16}
    >>> picture_size(16, data, config), picture_size(4, data, config), picture_size(4, {}, {})
    ('28', '7', '4')
    """
    last, height, width = (
        _number(given) for given in (config.get("resolution"), data.get("height"), data.get("width"))
    )
    part = _number(resolution) / last if last else np.nan
    sides = [part * width, part * height]
    if not np.isfinite(sides).all():
        return str(resolution)
    across, down = (str(round(side)) for side in sides)
    return across if across == down else f"{across}×{down}"


def milestones(moments: Sequence[float], stages: Sequence[Band]) -> list[int]:
    """Indices of the sheets to show: the last of each resolution or, of a run that does not grow, some over the run."""
    labels = [stage_at(kimg, stages) for kimg in moments]
    if len(set(labels)) > 1:
        return sorted({label: index for index, label in enumerate(labels)}.values())
    return sorted({round(index) for index in np.linspace(0, len(moments) - 1, min(MOMENTS, len(moments)))})


def stage_at(kimg: float, stages: Sequence[Band]) -> str:
    """The size of pictures at a moment; the first image of a stage is still drawn by the stage before."""
    before = [band.label for band in stages if band.start < kimg]
    return before[-1] if before else stages[0].label if stages else ""


def _sheets(drawn: Sequence[tuple[float, Path]], stages: Sequence[Band], notes: list[str]) -> list[Sheet]:
    found = []
    for index in milestones([kimg for kimg, _ in drawn], stages):
        kimg, path = drawn[index]
        if (image := _bytes(path, notes)) is not None:
            sound = _sound(path, notes) if path == drawn[-1][1] else None
            found.append(Sheet(name=path.stem, image=image, kimg=kimg, size=stage_at(kimg, stages), sound=sound))
    return found


def _other_sheets(folder: RunFolder, notes: list[str]) -> list[Sheet]:
    paths = list(folder.other_sheets())
    if len(paths) > MOST_OTHERS:
        notes.append(f"samples/ has {len(paths)} further pictures; the first {MOST_OTHERS} are shown.")
    read_ones = [(path, _bytes(path, notes)) for path in paths[:MOST_OTHERS]]
    return [
        Sheet(name=path.stem, image=image, sound=_sound(path, notes)) for path, image in read_ones if image is not None
    ]


def _sound(sheet: Path, notes: list[str]) -> bytes | None:
    """What a sheet of sounds shows, to hear, where it is small enough for a page."""
    path = sheet.with_suffix(".wav")
    if not path.is_file():
        return None
    if path.stat().st_size > MOST_SOUND_BYTES:
        notes.append(f"samples/{path.name} is too large to be heard in this page; it lies in the run's folder.")
        return None
    return _bytes(path, notes)


def _line_sheets(folder: RunFolder, notes: list[str]) -> list[LineSheet]:
    """Lines of the data, and of some moments over the run."""
    drawn = folder.texts()
    chosen: list[tuple[float | None, Path]] = [drawn[index] for index in milestones([kimg for kimg, _ in drawn], [])]
    reals: list[tuple[float | None, Path]] = [(None, folder.real_text)] if folder.real_text.is_file() else []
    read_ones = [(kimg, _bytes(path, notes)) for kimg, path in reals + chosen]
    return [
        LineSheet(lines=text.decode("utf-8", "replace").splitlines()[:MOST_LINES], kimg=kimg)
        for kimg, text in read_ones
        if text is not None
    ]


def _film(path: Path, sheets: Sequence[Path], notes: list[str]) -> bytes | None:
    """The run's own film where it is small, else one of its sheets that is."""
    if path.is_file() and path.stat().st_size <= MOST_FILM_BYTES:
        return _bytes(path, notes)
    film = film_within(sheets, MOST_FILM_BYTES, fps=FILM_FRAMES_PER_SECOND)
    if film is None and path.is_file():
        notes.append(f"samples/{path.name} is too large to stand in this page; it lies in the run's folder.")
    return film


def _bytes(path: Path, notes: list[str]) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        notes.append(f"samples/{path.name} could not be read.")
        return None


def _measurement(row: Mapping[str, Any], data: Mapping[str, Any]) -> Measurement:
    kimg, source = _number(row.get("kimg")), str(row.get("source") or "")
    return Measurement(
        kimg=kimg if np.isfinite(kimg) else _number(row.get("nimg")) / 1000,
        when=str(row.get("when") or ""),
        source=source,
        results=[_result(plain) for plain in _objects(row.get("results"))],
        floor=[_result(plain) for plain in _objects(row.get("floor"))],
        against=str(row.get("b") or ""),
        own=_of_own_data(row, source, data),
    )


def _of_own_data(row: Mapping[str, Any], source: str, data: Mapping[str, Any]) -> bool:
    """Whether the reals were those that the run learnt from; lines of older versions tell by their source's name."""
    if isinstance(row.get("own"), bool):
        return bool(row["own"])
    return source != "measure" or not row.get("b") or row["b"] == data.get("spec")


def _result(plain: Mapping[str, Any]) -> Result:
    error = _number(plain.get("standard_error"))
    better = plain.get("better")
    return Result(
        metric=str(plain.get("metric", "unnamed")),
        value=_value(plain),
        standard_error=error if np.isfinite(error) and error >= 0 else None,
        error_method=str(plain.get("error_method") or ""),
        n=_whole(plain.get("n")),
        seed=_whole(plain.get("seed")),
        better=better if better in ("lower", "higher") else "neither",
        protocol=str(plain.get("protocol") or ""),
    )


def _value(plain: Mapping[str, Any]) -> float:
    """Of a result; an infinite one is written as a word."""
    infinite = {"inf": np.inf, "-inf": -np.inf}.get(str(plain.get("not_finite")))
    return _number(plain.get("value")) if infinite is None else infinite


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _numbers(value: Any) -> dict[str, float]:
    found = {name: _number(one) for name, one in _object(value).items()}
    return {name: one for name, one in found.items() if np.isfinite(one)}


def _number(value: Any) -> float:
    """As float64; ``nan`` for what is no number, or one that no calculation in float32 comes to."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= LARGEST:
        return np.nan
    return float(value)


def _whole(value: Any) -> int:
    return int(value) if np.isfinite(_number(value)) else 0
