"""JSON from files, checked against a description of its kinds before anything is done with it.

A description is a type hint: ``bool``, ``int``, ``float``, ``str``, ``None``, ``list[...]``, ``dict[str, ...]``,
unions, ``Literal``, a ``TypedDict``, and ``Annotated`` with a :class:`Limit` or :data:`ONE_FIELD`. What has passed
stays plain JSON, and the type checker knows its fields::

    class Numbers(TypedDict):
        nimg: Annotated[int, InRange(0)]

    numbers = require(Numbers, parse(file.read_bytes(), str(file)), str(file))
"""

import json
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol, TypeVar, Union, get_args, get_origin, is_typeddict

from ganvas.core.errors import UserError

T = TypeVar("T")
ADVICE = "It was edited, or is damaged: restore it."
LARGEST = 2**63 - 1  # Whole numbers beyond 64 bits count nothing that there is.
ONE_FIELD = "one field"  # Of a TypedDict whose fields are choices: just one of them is there.
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "null"}


@typing.runtime_checkable
class Limit(Protocol):
    """What a value must be beyond its kind."""

    def refuses(self, value: Any, /) -> str:
        """What it should be, in words; empty where it is."""
        ...


@dataclass(frozen=True)
class InRange:
    """Bounds of a number, both included."""

    lowest: float
    highest: float = LARGEST

    def refuses(self, value: float, /) -> str:
        if self.lowest <= value <= self.highest:
            return ""
        above = "" if self.highest == LARGEST else f" and at most {self.highest}"
        return f"at least {self.lowest}{above}"


@dataclass(frozen=True)
class Matching:
    """A pattern that a whole text has."""

    pattern: str
    what: str  # In words, as it stands in a message: "a name".

    def refuses(self, value: str, /) -> str:
        return "" if re.fullmatch(self.pattern, value) else self.what


def parse(text: str | bytes, where: str, *, advice: str = ADVICE) -> Any:
    """JSON as Python's values.

    Args:
        where: What the text is of, for messages.

    Raises:
        UserError: it is no JSON, or holds what no reader of ours could use: numbers without end, nesting beyond
            Python's stack, halves of a surrogate pair.
    """
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(plain, parse_constant=_no_number, parse_float=_finite)
        if re.search(r"\\u[dD][89a-fA-F]", plain):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UserError as error:
        raise UserError(f"{where} is not whole JSON ({error}). {advice}") from None
    except RecursionError:
        raise UserError(f"{where} is not whole JSON (nested too deeply). {advice}") from None
    except ValueError as error:
        raise UserError(f"{where} is not whole JSON ({_short(error)}). {advice}") from None
    return value


def require(
    kind: type[T] | types.GenericAlias, value: Any, where: str, *, strict: bool = False, advice: str = ADVICE
) -> T:
    """``value`` itself, where it is of the kind.

    Args:
        where: The file, for messages; the name of the field that is wrong is added.
        strict: Refuses fields that a ``TypedDict`` does not know; else they are passed over.

    Raises:
        UserError: a field is missing, or of another kind, or out of its bounds.
    """
    try:
        fault = _fault(kind, value, "", strict)
    except RecursionError:
        fault = ("", "is nested too deeply")
    if fault:
        name, what = fault
        raise UserError(f"{where}: {f'{chr(39)}{name}{chr(39)}' if name else 'it'} {what}. {advice}")
    return value


def _fault(kind: Any, value: Any, name: str, strict: bool) -> tuple[str, str] | None:
    """The field at fault, and what is wrong with it; None where all is right."""
    origin = get_origin(kind)
    if kind is Any:
        return None
    if origin is typing.Annotated:
        return _annotated(kind, value, name, strict)
    if origin in (Union, types.UnionType):
        faults = [_fault(one, value, name, strict) for one in get_args(kind)]
        return None if None in faults else _closest(faults, name, kind, value)
    if origin is Literal:
        known = any(value == one and type(value) is type(one) for one in get_args(kind))
        return None if known else _wrong(name, value, f"one of {', '.join(map(str, get_args(kind)))}")
    if origin in (list, dict):
        return _container(origin, get_args(kind)[-1], value, name, strict)
    if is_typeddict(kind):
        return _fields(kind, value, name, strict)
    return _scalar(kind, value, name)


def _annotated(kind: Any, value: Any, name: str, strict: bool) -> tuple[str, str] | None:
    inner, *limits = get_args(kind)
    fault = _fault(inner, value, name, strict)
    if fault:
        return fault
    for limit in limits:
        if limit == ONE_FIELD and len(value) != 1:
            return _wrong(name, value, "an object of just one field")
        if isinstance(limit, Limit) and (what := limit.refuses(value)):
            return _wrong(name, value, what)
    return None


def _container(kind: type, inner: Any, value: Any, name: str, strict: bool) -> tuple[str, str] | None:
    if not isinstance(value, kind):
        return _wrong(name, value, "a list" if kind is list else "an object")
    items = enumerate(value) if isinstance(value, list) else value.items()
    for key, item in items:
        if fault := _fault(inner, item, f"{name}.{key}".lstrip("."), strict):
            return fault
    return None


def _fields(kind: Any, value: Any, name: str, strict: bool) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return _wrong(name, value, "an object")
    hints, required = _described(kind)
    for field in required:
        if field not in value:
            return f"{name}.{field}".lstrip("."), "is missing"
    for field, item in value.items():
        if field in hints:
            if fault := _fault(hints[field], item, f"{name}.{field}".lstrip("."), strict):
                return fault
        elif strict:
            return f"{name}.{_short(field)}".lstrip("."), "is not known to this version"
    return None


def _scalar(kind: Any, value: Any, name: str) -> tuple[str, str] | None:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        kind = int
    if type(value) is not (type(None) if kind is None else kind):
        return _wrong(name, value, _WORDS[type(None) if kind is None else kind])
    if kind is int and abs(value) > LARGEST:
        return _wrong(name, value, "a whole number of at most 64 bits")
    return None


@cache
def _described(kind: Any) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The hints of a TypedDict's fields, and the names of those that must be there, in their order."""
    hints = typing.get_type_hints(kind, include_extras=True)
    bare = {name: get_args(hint)[0] if _optional(hint) else hint for name, hint in hints.items()}
    return bare, tuple(name for name in bare if name in kind.__required_keys__)


def _optional(hint: Any) -> bool:
    return get_origin(hint) in (typing.NotRequired, typing.Required)


def _closest(faults: list[Any], name: str, kind: Any, value: Any) -> tuple[str, str]:
    """Of several choices, the one whose bounds alone are left, or whose fault lies deepest; else all of them."""
    for one, fault in zip(get_args(kind), faults, strict=True):
        if get_origin(one) is typing.Annotated and _fault(get_args(one)[0], value, name, strict=False) is None:
            return fault
    deepest = max(faults, key=lambda fault: len(fault[0]))
    if len(deepest[0]) > len(name):
        return deepest
    return _wrong(name, value, " or ".join(_word(one) for one in get_args(kind)))


def _word(kind: Any) -> str:
    kind = get_args(kind)[0] if get_origin(kind) is typing.Annotated else kind
    return _WORDS.get(kind) or ("a list" if get_origin(kind) is list else "an object")


def _wrong(name: str, value: Any, should: str) -> tuple[str, str]:
    return name, f"is {_short(_json(value))} and should be {should}"


def _json(value: Any) -> str:
    """A value as a message shows it; what is large only by its kind."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, int) and abs(value) > LARGEST:
        return "a number beyond 64 bits"
    return json.dumps(value)


def _short(text: object) -> str:
    return str(text)[:80]


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UserError(f"{text[:20]} is too large")
    return number


def _no_number(text: str) -> Any:
    raise UserError(f"{text} is no number of JSON")
