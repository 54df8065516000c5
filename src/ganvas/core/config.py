"""Configurations are frozen dataclasses; this reads, changes and writes them without knowing any of them."""

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ganvas.core.errors import UserError, did_you_mean

C = TypeVar("C")


def override(config: C, changes: Mapping[str, Any]) -> C:
    """A copy of ``config`` with some fields changed; values may be text, as typed on a command line."""
    return dataclasses.replace(config, **typed(config, changes))  # type: ignore[type-var]


def typed(config: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of fields of ``config`` with values of the fields' types; an unknown field is a :class:`UserError`."""
    hints = get_type_hints(type(config))
    fields = [field.name for field in dataclasses.fields(config)]
    for name in changes:
        if name not in fields:
            raise UserError(f"There is no field '{name}'.{did_you_mean(name, fields)} Fields: {', '.join(fields)}.")
    return {name: coerce(value, hints[name], name) for name, value in changes.items()}


def parse_changes(texts: Iterable[str]) -> dict[str, str]:
    """``["a=1", "b=x"]`` as a mapping. A text without ``=`` is refused."""
    changes = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UserError(f"--set {text}: a change is written FIELD=VALUE, as in --set resolution=64.")
        changes[name.strip().replace("-", "_")] = value.strip()
    return changes


def to_plain(config: Any) -> dict[str, Any]:
    """The configuration as JSON can hold it."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def from_plain(kind: type[C], plain: Mapping[str, Any]) -> C:
    """The configuration back from JSON; a field of another version of Ganvas is a :class:`UserError`."""
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = [name for name in plain if name not in fields]
    if unknown:
        raise UserError(
            f"The saved configuration has a field '{unknown[0]}' that this version does not know. "
            "It was written by another version of Ganvas; use that one."
        )
    missing = [name for name, field in fields.items() if name not in plain and _required(field)]
    if missing:
        raise UserError(
            f"The saved configuration has no field '{missing[0]}'. "
            "It was edited, or written by another version of Ganvas; use that one."
        )
    return kind(**{name: coerce(value, hints[name], name) for name, value in plain.items()})


def coerce(value: Any, hint: Any, name: str) -> Any:
    """``value`` (text from a command line, or what JSON gave back) as the type ``hint``.

    >>> coerce("3", int, "size"), coerce("4x4", tuple[int, ...], "base"), coerce("8:0.5", dict[int, float], "lr_at")
    (3, (4, 4), {8: 0.5})
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(value, hint, name)
    if origin is Literal:
        return _choice(value, get_args(hint), name)
    if origin is tuple:
        return _tuple(value, hint, name)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(value, hint, name)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_plain(hint, value)
    return _scalar(value, hint, name)


def _union(value: Any, hint: Any, name: str) -> Any:
    """The first member that accepts the value; ``none`` in any case is None where None is a member."""
    members = get_args(hint)
    if type(None) in members and (value is None or (isinstance(value, str) and value.lower() == "none")):
        return None
    for member in members:
        if member is not type(None):
            try:
                return coerce(value, member, name)
            except UserError:
                continue
    raise _refusal(value, hint, name)


def _choice(value: Any, choices: tuple[Any, ...], name: str) -> Any:
    words = [str(choice) for choice in choices]
    if str(value) not in words:
        raise UserError(
            f"{name}={value} is not a choice.{did_you_mean(str(value), words)} Choices: {', '.join(words)}."
        )
    return choices[words.index(str(value))]


def _tuple(value: Any, hint: Any, name: str) -> tuple[Any, ...]:
    kinds, items = get_args(hint), _split(value, hint, name)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    if len(kinds) != len(items):
        raise UserError(f"{name}={value} has {len(items)} values and needs {len(kinds)}, separated by commas.")
    return tuple(coerce(item, kind, name) for item, kind in zip(items, kinds, strict=True))


def _mapping(value: Any, hint: Any, name: str) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        items = [str(item).partition(":") for item in _split(value, hint, name)]
        if any(not colon for _, colon, _ in items):
            raise UserError(f"{name}={value}: a value is written KEY:VALUE, separated by commas, as in 8:16,16:8.")
        pairs = [(key, part) for key, _, part in items]
    key_kind, value_kind = get_args(hint)
    return {coerce(key, key_kind, name): coerce(part, value_kind, name) for key, part in pairs}


def _scalar(value: Any, hint: Any, name: str) -> Any:
    found = None
    if hint is bool:
        words = {
            "true": True,
            "yes": True,
            "1": True,
            "on": True,
            "false": False,
            "no": False,
            "0": False,
            "off": False,
        }
        found = words.get(str(value).lower())
    elif hint is int:
        found = _whole(value)
    elif hint is float:
        found = _number(value)
    elif isinstance(hint, type) and isinstance(value, hint):
        found = value
    if found is None:
        raise _refusal(value, hint, name)
    return found


def _whole(value: Any) -> int | None:
    """``7``, ``"7"``, ``7.0`` and ``"1e3"``; a seed of 60 bits keeps every bit."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,4000}", value.strip()):
        return int(value)
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _number(value: Any) -> float | None:
    """A finite number: ``nan`` and infinities train nothing, and JSON cannot hold them."""
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _split(value: Any, hint: Any, name: str) -> list[Any]:
    """Items of ``4,4``, ``(4, 4)`` or ``4x4``, or of what JSON gave back."""
    if isinstance(value, str):
        text = re.sub(r"(?<=\d)\s*x\s*(?=\d)", ",", value.strip("()[]{} "))
        return [item.strip() for item in text.split(",") if item.strip()]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise _refusal(value, hint, name)


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _refusal(value: Any, hint: Any, name: str) -> UserError:
    kind = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
    articles = {"int": "a whole number", "float": "a finite number", "bool": "true or false"}
    return UserError(f"{name}={value!s} is not {articles.get(kind, f'of the kind {kind}')}.")
