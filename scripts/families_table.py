"""Writes what was measured of families where it is read: the table of docs/families.md, and what `ganvas advise` knows.

Reads the newest line of each ``families.*`` in benchmarks/history.jsonl (``python -m benchmarks.families`` adds them):

``python scripts/families_table.py``
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HISTORY, PAGE = ROOT / "benchmarks" / "history.jsonl", ROOT / "docs" / "families.md"
SHIPPED = ROOT / "src" / "ganvas" / "tasks" / "advising" / "measured.json"
BEGIN, END = "<!-- made by scripts/families_table.py -->", "<!-- end of what is made -->"
PREFIX, REALS = "families.", "families.reals."
SHIPPED_FIELDS = (
    *("kimg", "cpu_sec", "swd", "swd_error", "precision", "recall", "draw_ms", "draw_evaluations", "draw_macs"),
    *("parameters", "bits_per_dimension", "bits_kind"),
)


def main() -> None:
    """Writes both."""
    lines = newest()
    models = {name.removeprefix(PREFIX): line for name, line in lines.items() if not name.startswith(REALS)}
    reals = {name.removeprefix(REALS): line for name, line in lines.items() if name.startswith(REALS)}
    SHIPPED.write_text(json.dumps(shipped(models, reals), indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(models, reals)}\n\n{END}{after}", encoding="utf-8")


def newest() -> dict[str, dict[str, Any]]:
    """The last line of every name."""
    lines = [json.loads(text) for text in HISTORY.read_text(encoding="utf-8").splitlines() if text.strip()]
    return {line["name"]: line for line in lines if line["name"].startswith(PREFIX)}


def shipped(models: dict[str, Any], reals: dict[str, Any]) -> dict[str, Any]:
    """What `ganvas advise` reads, the best SWD first."""
    values = {name: line["values"] for name, line in models.items()}
    data = next(iter(values.values()))["data"]
    count, size = data.partition(":")[2].split(",")[:2]
    rows = [
        {"model": name} | {key: _rounded(value[key]) for key in SHIPPED_FIELDS if key in value}
        for name, value in sorted(values.items(), key=lambda item: item[1]["swd"])
    ]
    largest = max(reals, key=int)
    return {
        "made_by": "scripts/families_table.py from benchmarks/history.jsonl",
        "data": data,
        "side": int(size.partition("x")[0]),
        "pictures": int(count),
        "floor": _rounded(reals[largest]["values"]["swd"]),
        "models": rows,
    }


def table(models: dict[str, Any], reals: dict[str, Any]) -> str:
    """A row a model in the order of its name: no column is the score."""
    rows = [
        "| model | SWD ↓ | MS-SSIM | precision | recall | bits per dimension | drawing one | parameters | shown |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [_row(f"`{name}`", line["values"]) for name, line in sorted(models.items())]
    rows += [
        _row(f"reals, n = {n}", line["values"]) for n, line in sorted(reals.items(), key=lambda item: -int(item[0]))
    ]
    seconds = sorted({round(line["values"]["cpu_sec"]) for line in models.values()})
    commits = ", ".join(sorted({str(line["commit"])[:7] for line in models.values()}))
    about = (
        f"{next(iter(models.values()))['values']['data']}; {seconds[0]} to {seconds[-1]} processor seconds of one "
        f"thread on {next(iter(models.values()))['machine']['processor']} for each, its sheets included; "
        f"commit {commits}."
    )
    return "\n".join([*rows, "", about])


def _row(name: str, values: dict[str, Any]) -> str:
    few = f" (n = {values['n']})" if values["n"] < 1000 and not name.startswith("reals") else ""
    shown = f"{values['kimg']:g} kimg" if "kimg" in values else "–"
    cells = [
        name,
        _with_error(values, "swd", 1) + few,
        _with_error(values, "ms_ssim", 2),
        _with_error(values, "precision", 2),
        _with_error(values, "recall", 2),
        _bits(values),
        _drawing(values),
        f"{values['parameters'] / 1e6:.2f} M" if "parameters" in values else "–",
        shown,
    ]
    return f"| {' | '.join(cells)} |"


def _with_error(values: dict[str, Any], name: str, places: int) -> str:
    if name not in values:
        return "–"
    error = values.get(f"{name}_error")
    return f"{values[name]:.{places}f}" + (f" ± {error:.{places}f}" if error is not None else "")


def _bits(values: dict[str, Any]) -> str:
    if "bits_per_dimension" not in values:
        return "–"
    kind = {"exact": "exact", "at most": "at most"}[values["bits_kind"]]
    return f"{kind} {values['bits_per_dimension']:.2f}"


def _drawing(values: dict[str, Any]) -> str:
    if "draw_ms" not in values:
        return "–"
    passes = int(values["draw_evaluations"])
    return f"{values['draw_ms']:.3g} ms, {passes} pass{'es' if passes != 1 else ''}"


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
