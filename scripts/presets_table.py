"""Writes docs/presets.md: every setting of every preset beside what its source says.

python scripts/presets_table.py > docs/presets.md

Values come from the recipes, published ones from docs/published.toml, so the page cannot say what is not run.
"""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from ganvas.core import catalogue
from ganvas.core.config import coerce

PUBLISHED = Path(__file__).parents[1] / "docs" / "published.toml"
GROUPS = {  # Presets that stand side by side, by the beginning of their names.
    "gan/progan": {
        "CelebA-HQ": ("celeba-hq",),
        "CIFAR-10": ("cifar10",),
        "Table 1": ("table1",),
        "Appendix E, 1,000 modes": ("mnist-1k",),
        "For a laptop": ("small",),
    },
}
PREFACE = """\
# Presets

A preset is a whole run: the model's settings and the run's. `ganvas train gan/progan --preset cifar10 --data ...`
takes it as it is, and `--set field=value` changes any setting. This page is written by `scripts/presets_table.py` from
the presets themselves and from `docs/published.toml`, which holds what the sources say; a test compares the two.

The authors of the progressive GAN released it twice. **v1** is the Theano release (branch `original-theano-version`),
which made the tables of the paper; its whole-batch statistic, its pooling after the activation and its joint step on
CIFAR-10 are not in **v2**, the TensorFlow release (branch `master`), which trains CelebA-HQ with larger batches. Both
are at <https://github.com/tkarras/progressive_growing_of_gans>. What this code does otherwise, whatever the preset, is
listed at the top of each model's file.

Presets that end in `fast` or `laptop`, and `small`, are ours and reproduce nothing: they say what they change. `small`
is narrow and short enough for two cores, `cifar10-laptop` learns CIFAR-10 on them in half an hour; `cifar10-fast`
trades fidelity for a quarter of the images.

How to read a cell: `16` is the source's value too. **`16 ≠ 64`**: here 16, in the source (for a preset of ours: in the
preset that it starts from) 64. `3 °`: the source leaves it open.
"""


def main() -> None:
    """Prints the page."""
    print(page(), end="")


def page() -> str:
    """The whole page as Markdown."""
    parts = [PREFACE]
    for entry in catalogue.entries("recipes"):
        presets = catalogue.functions("recipes", entry.name)
        parts.append(f"## {entry.name}\n")
        for title, names in grouped(entry.name, list(presets)).items():
            if title:
                parts.append(f"### {title}\n")
            parts.append("\n".join(f"- `{name}`: {presets[name]}" for name in names) + "\n")
            parts.append(table(entry.name, names))
    return "\n".join(parts)


def grouped(model: str, names: list[str]) -> dict[str, list[str]]:
    """The presets of a model under the titles of their groups; the rest under none."""
    groups = GROUPS.get(model, {})
    found = {title: [name for name in names if name.startswith(begin)] for title, begin in groups.items()}
    rest = [name for name in names if not any(name in members for members in found.values())]
    return {title: members for title, members in {**found, "": rest}.items() if members}


def table(model: str, names: list[str]) -> str:
    """Settings in rows, presets in columns."""
    values = {name: settings(model, name) for name in names}
    sources = {name: published(model, name) for name in names}
    rows = [["setting", *(f"`{name}`" for name in names)], ["---"] * (1 + len(names))]
    for field in values[names[0]]:
        rows.append([f"`{field}`", *(cell(values[name][field], sources[name], field) for name in names)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def cell(value: Any, source: dict[str, Any], field: str) -> str:
    """A value, marked where the source says otherwise or nothing."""
    if field not in source:
        return f"{shown(value)} °"
    return shown(value) if value == source[field] else f"**{shown(value)} ≠ {shown(source[field])}**"


def shown(value: Any) -> str:
    """As a person writes it."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) or "none"
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def settings(model: str, preset: str) -> dict[str, Any]:
    """What a preset runs with: the model's settings, then the run's."""
    recipe = getattr(catalogue.load("recipes", model), preset.replace("-", "_"))()
    return {
        field.name: getattr(part, field.name)
        for part in (recipe.config, recipe.plan)
        for field in dataclasses.fields(part)
    }


def published(model: str, preset: str) -> dict[str, Any]:
    """What the source of a preset says; of a preset of ours, what the preset that it starts from has."""
    tables = tomllib.loads(PUBLISHED.read_text(encoding="utf-8")).get(model, {})
    if "changes" in tables[preset]:
        return settings(model, tables[preset]["changes"])
    values: dict[str, Any] = {}
    at: str | None = preset
    while at is not None:
        values = {**tables[at], **values}
        at = tables[at].get("like")
        values.pop("like", None)
    recipe = getattr(catalogue.load("recipes", model), preset.replace("-", "_"))()
    kinds = {field.name: field.type for part in (recipe.config, recipe.plan) for field in dataclasses.fields(part)}
    return {name: coerce(value, kinds[name], name) for name, value in values.items()}


if __name__ == "__main__":
    main()
