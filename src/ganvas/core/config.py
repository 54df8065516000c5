"""Configurations are frozen dataclasses; this reads, changes and writes them without knowing any of them."""

import dataclasses
import json
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ganvas.core.errors import UserError, did_you_mean

C = TypeVar("C")


def override(config: C, changes: Mapping[str, Any]) -> C:
    """A copy of ``config`` with some fields changed; values may be text, as typed on a command line."""
    hints = get_type_hints(type(config))
    fields = [field.name for field in dataclasses.fields(config)]  # type: ignore[arg-type]
    for name in changes:
        if name not in fields:
            raise UserError(f"There is no field '{name}'.{did_you_mean(name, fields)} Fields: {', '.join(fields)}.")
    typed = {name: coerce(value, hints[name], name) for name, value in changes.items()}
    return dataclasses.replace(config, **typed)  # type: ignore[type-var]


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
    unknown = [name for name in plain if name not in hints]
    if unknown:
        raise UserError(
            f"The saved configuration has a field '{unknown[0]}' that this version does not know. "
            "It was written by another version of Ganvas; use that one."
        )
    return kind(**{name: coerce(value, hints[name], name) for name, value in plain.items()})


def coerce(value: Any, hint: Any, name: str) -> Any:
    """``value`` (text from a command line, or what JSON gave back) as the type ``hint``.

    >>> coerce("3", int, "size"), coerce("4,4", tuple[int, ...], "base"), coerce("8:0.5", dict[int, float], "lr_at")
    (3, (4, 4), {8: 0.5})
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None or (isinstance(value, str) and value.lower() == "none" and type(None) in arguments):
            return None
        for choice in (argument for argument in arguments if argument is not type(None)):
            try:
                return coerce(value, choice, name)
            except UserError:
                continue
        raise _refusal(value, hint, name)
    if origin is Literal:
        for choice in arguments:
            if value == choice or str(value) == str(choice):
                return choice
        known = ", ".join(map(str, arguments))
        raise UserError(
            f"{name}={value} is not a choice.{did_you_mean(str(value), map(str, arguments))} Choices: {known}."
        )
    if origin is tuple:
        items = _split(value)
        kinds = [arguments[0]] * len(items) if len(arguments) == 2 and arguments[1] is Ellipsis else list(arguments)
        if len(kinds) != len(items):
            raise UserError(f"{name}={value} has {len(items)} values and needs {len(kinds)}, separated by commas.")
        return tuple(coerce(item, kind, name) for item, kind in zip(items, kinds, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        pairs = value.items() if isinstance(value, Mapping) else [item.partition(":")[::2] for item in _split(value)]
        return {coerce(k, arguments[0], name): coerce(v, arguments[1], name) for k, v in pairs}
    return _scalar(value, hint, name)


def _scalar(value: Any, hint: Any, name: str) -> Any:
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
        if str(value).lower() in words:
            return words[str(value).lower()]
    elif hint is int:
        try:
            if float(value) == int(float(value)) and not isinstance(value, bool):
                return int(float(value))
        except (TypeError, ValueError, OverflowError):
            pass
    elif hint is float:
        try:
            if not isinstance(value, bool):
                return float(value)
        except (TypeError, ValueError):
            pass
    elif (hint is str and isinstance(value, str)) or (isinstance(hint, type) and isinstance(value, hint)):
        return value
    raise _refusal(value, hint, name)


def _split(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [item.strip() for item in value.strip("()[]{}").replace("x", ",").split(",") if item.strip()]
    return list(value)


def _refusal(value: Any, hint: Any, name: str) -> UserError:
    kind = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
    article = {"int": "a whole number", "float": "a number", "bool": "true or false"}.get(kind, f"of the kind {kind}")
    return UserError(f"{name}={value!s} is not {article}.")
