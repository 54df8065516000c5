"""The difference of configurations: what was set unlike in several runs, and what is alike in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.report.web.comparison.compared import Compared

NONE = "–"  # Of a model that has no such setting.
OF_THE_DATA = ("spec", "count", "height", "width", "channels", "fit", "fingerprint")


@dataclass(frozen=True, kw_only=True)
class ComparedSetting:
    """One setting, with what it is in each run."""

    part: str  # "model", "run", "data", "machine" or "versions".
    name: str
    values: Sequence[str]

    @property
    def apart(self) -> bool:
        """Whether runs differ in it."""
        return len(set(self.values)) > 1


def settings_of(models: Sequence[Compared]) -> list[ComparedSetting]:
    """All settings of all runs, in the order of the first run that has each."""
    parts = {
        "run": [{"model": one.run.model, "preset": one.run.preset} | dict(one.run.plan) for one in models],
        "model": [one.run.config for one in models],
        "data": [_data(one.run.data) for one in models],
        "machine": [one.run.machine for one in models],
        "versions": [one.run.versions for one in models],
    }
    return [setting for part, tables in parts.items() for setting in _settings(part, tables)]


def _settings(part: str, tables: Sequence[Mapping[str, Any]]) -> list[ComparedSetting]:
    names = dict.fromkeys(name for table in tables for name in table)
    return [
        ComparedSetting(
            part=part, name=name, values=[_written(table[name]) if name in table else NONE for table in tables]
        )
        for name in names
    ]


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    held_out = data.get("held_out")
    known = {name: data[name] for name in OF_THE_DATA if name in data}
    return known | ({"held out": held_out.get("spec")} if isinstance(held_out, dict) else {})


def _written(value: Any) -> str:
    """
    >>> _written([4, 4]), _written({"8": 0.5}), _written(None), _written(2e-4)
    ('4, 4', '8: 0.5', 'none', '0.0002')
    """
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_written, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_written(item)}" for key, item in value.items())
    return str(value)
