"""Sizes in exported programs, which are text that sympy evaluates: only numbers, symbols and known functions pass."""

import ast
import re

LONGEST = 4000
MOST_DIGITS = 18
MOST_POWERS = 3  # Of powers of powers, the digits grow beyond any memory.
LARGEST_EXPONENT = 64
SYMBOL = re.compile(r"[a-z]{1,4}\d{1,5}")
POWERS = ("Pow", "PowByNatural", "FloatPow", "LShift", "RShift")
FUNCTIONS = re.compile(
    "Symbol|Integer|Float|Rational|Add|Mul|Mod|Max|Min|Abs|floor|ceiling|And|Or|Not|Eq|Ne|Lt|Le|Gt|Ge|Equality"
    "|Unequality|StrictLessThan|LessThan|StrictGreaterThan|GreaterThan|Piecewise|ExprCondPair|FloorDiv|ModularIndexing"
    "|Where|PythonMod|CleanDiv|CeilToInt|FloorToInt|CeilDiv|FloatTrueDiv|IntTrueDiv|TruncToFloat|TruncToInt|RoundToInt"
    f"|RoundDecimal|ToFloat|Identity|{'|'.join(POWERS)}"
)
WORDS = ("true", "false", "oo", "int_oo")
ASSUMED = ("positive", "negative", "nonnegative", "nonzero", "integer", "real", "finite", "extended_real", "precision")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


class SizeExpression:
    """Text that names a size, as ``Mul(Integer(2), Symbol('s6', positive=True, integer=True))`` or ``2*s6``."""

    def refuses(self, value: str, /) -> str:
        """Empty for what cannot run anything and ends soon."""
        try:
            whole = ast.parse(value, mode="eval").body if len(value) <= LONGEST else None
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            whole = None
        if whole is None or not _harmless(whole) or _powers(whole) > MOST_POWERS:
            return "a size: numbers, symbols such as s0, and operators"
        return ""


def _harmless(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return _number(node.value)
    if isinstance(node, ast.Name):
        return node.id in WORDS or SYMBOL.fullmatch(node.id) is not None
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.UnaryOp):
        return _harmless(node.operand)
    if isinstance(node, ast.BinOp):
        small = not isinstance(node.op, ast.Pow) or _small(node.right)
        return isinstance(node.op, _OPERATORS) and small and _harmless(node.left) and _harmless(node.right)
    if isinstance(node, ast.Compare):
        known = all(isinstance(one, _COMPARISONS) for one in node.ops)
        return known and all(_harmless(one) for one in (node.left, *node.comparators))
    return False


def _call(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Name) or not FUNCTIONS.fullmatch(node.func.id):
        return False
    if not all(word.arg in ASSUMED and isinstance(word.value, ast.Constant) for word in node.keywords):
        return False
    if node.func.id in ("Symbol", "Float"):
        return len(node.args) == 1 and _quoted(node.args[0], node.func.id)
    small = node.func.id not in POWERS or (len(node.args) == 2 and _small(node.args[1]))
    return small and all(_harmless(one) for one in node.args)


def _quoted(node: ast.expr, kind: str) -> bool:
    """The name of a symbol, or the digits of a number, in quotes."""
    pattern = SYMBOL if kind == "Symbol" else re.compile(rf"-?[\d.]{{1,{MOST_DIGITS}}}(e[+-]?\d\d?)?")
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(pattern.fullmatch(node.value))


def _number(value: object) -> bool:
    return isinstance(value, (bool, float)) or (isinstance(value, int) and len(str(value)) <= MOST_DIGITS)


def _small(node: ast.expr) -> bool:
    """An exponent: a small whole number, as itself or as ``Integer(2)``, or a fraction of two."""
    if isinstance(node, ast.UnaryOp):
        return _small(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Integer", "Rational"):
        return all(_small(one) for one in node.args)
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) <= LARGEST_EXPONENT


def _powers(whole: ast.expr) -> int:
    calls = sum(isinstance(node, ast.Name) and node.id in POWERS for node in ast.walk(whole))
    return calls + sum(isinstance(node, ast.Pow) for node in ast.walk(whole))
