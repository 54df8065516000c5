import pytest

from ganvas.nn.programs.size_expression import SizeExpression


@pytest.mark.parametrize(
    "text",
    [
        "s0",
        "2*s6",
        "Symbol('s77', positive=True, integer=True)",
        "Mul(Integer(2), Symbol('s6', positive=True, integer=True))",
        "FloorDiv(Add(Symbol('s0', integer=True), Integer(-1)), Integer(2))",
        "Pow(Symbol('s0', positive=True, integer=True), Integer(2))",
        "s0**2 + (s1 - 1)//2",
        "Eq(Mod(Symbol('u0', integer=True), Integer(4)), Integer(0))",
        "Max(1, s0) <= 7",
        "Float('1.5', precision=53)",
        "Pow(Symbol('s0', integer=True), Rational(1, 2))",
    ],
)
def test_a_size_of_numbers_symbols_and_operators_passes(text):
    assert SizeExpression().refuses(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "__import__('os').system('x')",
        "s0 + 0*__import__('os').system('x')",
        "Symbol('s0').__class__",
        "Symbol('x; import os')",
        "Symbol(Symbol('s0'))",
        "[s0 for s0 in ()]",
        "(lambda: 1)()",
        "exec('1')",
        "open",
        "open(1)",
        "exit(s0)",
        "S('1+1')",
        "sympify('1')",
        "Add(*s0)",
        "Integer(**s0)",
        "Symbol('s0', cls=open)",
        "s0 if s1 else s2",
        "s0[0]",
        "'x'",
        "9" * 30,
        "9**9**9",
        "9**s0",
        "Pow(Integer(9), Integer(999999999))",
        "LShift(1, 999999999999)",
        "Pow(Pow(Pow(Pow(Integer(9), 64), 64), 64), 64)",
        "((((s0**64)**64)**64)**64)",
        "u99999999999",
        "(" * 3000,
        "-" * 3900 + "1",
        "s0\n+1\x00",
    ],
)
def test_anything_that_could_run_or_never_end_is_refused(text):
    assert "a size" in SizeExpression().refuses(text)
