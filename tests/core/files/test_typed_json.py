from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest

from ganvas.core.errors import UserError
from ganvas.core.files.typed_json import ONE_FIELD, InRange, Matching, parse, require


class Part(TypedDict, total=False):
    number: int
    parts: "list[Tree]"


Tree = Annotated[Part, ONE_FIELD]


class Root(TypedDict):
    tree: Tree


class Whole(TypedDict):
    nimg: Annotated[int, InRange(0)]
    rate: Annotated[float, InRange(0, 1)]
    name: Annotated[str, Matching(r"[a-z/]+", "a name of letters")]
    kind: Literal["a", 1]
    best: list[dict[str, float]]
    label: NotRequired[int | str | None]
    free: NotRequired[Any]


GOOD = {"nimg": 3, "rate": 0.5, "name": "gan/x", "kind": "a", "best": [{"kimg": 1}], "free": {"x": [None]}}


def test_what_is_of_its_kind_is_given_back_as_it_is():
    assert require(Whole, GOOD, "f") is GOOD
    for label in (1, "one", None):
        require(Whole, GOOD | {"label": label}, "f")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nimg": "x"}, r"^f: 'nimg' is \"x\" and should be a whole number\. It was edited"),
        ({"nimg": True}, r"'nimg' is true and should be a whole number"),
        ({"nimg": 3.0}, r"'nimg' is 3\.0 and should be a whole number"),
        ({"nimg": -1}, r"'nimg' is -1 and should be at least 0"),
        ({"nimg": 10**30}, r"'nimg' is a number beyond 64 bits"),
        ({"rate": 2}, r"'rate' is 2 and should be at least 0 and at most 1"),
        ({"rate": False}, r"'rate' is false and should be a whole number|should be a number"),
        ({"name": "gan\n"}, r"'name' is .* and should be a name of letters"),
        ({"kind": True}, r"'kind' is true and should be one of a, 1"),
        ({"best": {}}, r"'best' is an object of 0 and should be a list"),
        ({"best": [{"kimg": 1}, {"kimg": []}]}, r"'best\.1\.kimg' is a list of 0 and should be a number"),
        ({"label": 1.5}, r"'label' is 1\.5 and should be a whole number or text or null"),
    ],
)
def test_another_kind_is_an_error_that_names_the_field(change, message):
    with pytest.raises(UserError, match=message):
        require(Whole, GOOD | change, "f")


def test_a_missing_field_is_named_and_an_unknown_one_only_matters_where_asked():
    with pytest.raises(UserError, match=r"f: 'nimg' is missing"):
        require(Whole, {key: value for key, value in GOOD.items() if key != "nimg"}, "f")
    require(Whole, GOOD | {"extra": 1}, "f")
    with pytest.raises(UserError, match=r"'extra' is not known"):
        require(Whole, GOOD | {"extra": 1}, "f", strict=True)
    with pytest.raises(UserError, match=r"f: it is a list of 0 and should be an object"):
        require(Whole, [], "f")


def test_choices_hold_one_field_at_every_depth():
    require(Root, {"tree": {"parts": [{"number": 1}, {"parts": []}]}}, "f")
    with pytest.raises(
        UserError, match=r"'tree\.parts\.0' is an object of 2 and should be an object of just one field"
    ):
        require(Root, {"tree": {"parts": [{"number": 1, "parts": []}]}}, "f")
    deep: Any = {"number": 1}
    for _ in range(10_000):
        deep = {"parts": [deep]}
    with pytest.raises(UserError, match="nested too deeply"):
        require(Root, {"tree": deep}, "f")


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000, b"NaN", b"[-Infinity]", b"1e999"),
        *(b'"\\ud800"', b'{"\\uDFFF": 1}', b"\0" * 100),
    ],
)
def test_what_is_no_json_is_an_error_that_names_the_file(text):
    with pytest.raises(UserError, match=r"^x\.json is not whole JSON"):
        parse(text, "x.json")


def test_json_comes_as_it_stands():
    assert parse(b'{"a": [1, 2.5, null, "\\ud83d\\ude00"]}', "f") == {"a": [1, 2.5, None, "\U0001f600"]}
