"""Widths of lines of Helvetica, by Adobe's published metrics.

Helvetica and Helvetica-Bold are two of the fourteen fonts that every PDF reader has, and Arial and Liberation Sans
share their widths, so that a figure laid out with these numbers fits in each format. What Helvetica lacks (Greek,
a few signs of mathematics) comes from Symbol, which every PDF reader has as well.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

Weight = Literal["normal", "bold"]
Face = Literal["helvetica", "symbol"]

ASCENT, DESCENT = 0.74, 0.21  # Of the letters, in parts of the size; capitals are 0.718 high.
CAPITAL = 0.718

_ASCII = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 "
    "584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584"
)
_ASCII_BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 "
    "584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 "
    "333 611 556 778 556 556 500 389 280 389 584"
)
# A character and its width in both weights; then those that are wider in bold.
_MORE = (
    "×584 ÷584 ±584 ·278 –556 —1000 …1000 •350 °400 §556 ©737 ®737 ½834 ¼834 ¾834 ß611 æ889 Æ1000 ø611 Ø778 £556 €556 "
    "¹333 ²333 ³333 ‘222 ’222 “333 ”333 «556 »556 µ556 ¬584 ì278 í278 î278 ï278 ¢556 ¥556 ¤556 ¡333 ¿611 ª370 º365"
)
_MORE_BOLD = "‘278 ’278 “500 ”500 µ611"
# A character, its code in the Symbol font, and its width there.
_SYMBOL = (
    "α61:631 β62:549 γ67:411 δ64:494 ε65:439 ζ7A:494 η68:603 θ71:521 κ6B:549 λ6C:549 μ6D:576 ν6E:521 ξ78:493 π70:549 "
    "ρ72:549 σ73:603 τ74:439 φ66:521 χ63:549 ψ79:686 ω77:686 Γ47:603 Δ44:612 Θ51:741 Λ4C:686 Σ53:592 Φ46:763 Ω57:768 "
    "∞A5:713 ≤A3:549 ≥B3:549 ≈BB:549 ≠B9:549 −2D:549 √D6:549 ∇D1:713 ∂B6:494 ∑E5:713 ∈CE:713 →AE:987 ←AC:987 ↔AB:1042 "
    "↑AD:603 ↓AF:603"
)


def _table(text: str) -> dict[str, int]:
    return {word[0]: int(word[1:]) for word in text.split()}


SYMBOL = {word[0]: (int(word[1:3], 16), int(word[4:])) for word in _SYMBOL.split()}
"""Character: code and width."""
RAISED = dict(zip("⁰⁴⁵⁶⁷⁸⁹⁻", "0456789–", strict=True))  # ¹²³ are in Helvetica itself.
RAISED_SIZE, RAISE = 0.6, 0.33

_PRINTED = [chr(code) for code in range(32, 127)]
_WIDTHS: dict[Weight, dict[str, int]] = {
    "normal": dict(zip(_PRINTED, map(int, _ASCII.split()), strict=True)) | _table(_MORE),
    "bold": dict(zip(_PRINTED, map(int, _ASCII_BOLD.split()), strict=True)) | _table(_MORE) | _table(_MORE_BOLD),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """Letters of one font, one size and one height: what a PDF shows at once."""

    text: str
    face: Face = "helvetica"
    scale: float = 1.0  # Of the text's size.
    rise: float = 0.0  # Above the baseline, in parts of the text's size.
    width: float = 0.0  # In parts of the text's size.


def text_width(text: str, size: float, *, weight: Weight = "normal") -> float:
    """The advance of one line in points, without kerning: ``size * sum(widths) / 1000``.

    >>> text_width("Canvas", 10), text_width("Canvas", 10, weight="bold")
    (33.9, 35.57)
    """
    return round(size * sum(run.width for run in runs(text, weight=weight)), 6)


def runs(text: str, *, weight: Weight = "normal") -> list[Run]:
    """The line cut where the font changes. A character that none of the fonts has becomes a question mark."""
    found: list[Run] = []
    for character in text:
        run = _letter(character, weight)
        if found and (run.face, run.rise) == (found[-1].face, found[-1].rise):
            last = found.pop()
            run = Run(
                text=last.text + run.text, face=run.face, scale=run.scale, rise=run.rise, width=last.width + run.width
            )
        found.append(run)
    return found


@cache
def _letter(character: str, weight: Weight) -> Run:
    widths = _WIDTHS[weight]
    character = " " if character.isspace() else character  # One that does not break is as wide.
    if character in widths:
        return Run(text=character, width=widths[character] / 1000)
    if character in SYMBOL:
        return Run(text=character, face="symbol", width=SYMBOL[character][1] / 1000)
    if character in RAISED:
        plain = RAISED[character]
        return Run(text=plain, scale=RAISED_SIZE, rise=RAISE, width=RAISED_SIZE * widths[plain] / 1000)
    base = unicodedata.normalize("NFD", character)[0]  # An accent does not widen its letter.
    if base in widths and ord(character) < 256:
        return Run(text=character, width=widths[base] / 1000)
    return Run(text="?", width=widths["?"] / 1000)


def fitted(text: str, width: float, size: float, *, weight: Weight = "normal") -> str:
    """The text, shortened by an ellipsis in its middle where it is wider than ``width`` points.

    >>> fitted("encoder.block", 200, 8), fitted("encoder.blocks.17.conv", 60, 8)
    ('encoder.block', 'encode…7.conv')
    """
    if text_width(text, size, weight=weight) <= width:
        return text
    low, high = 0, len(text) - 1  # Letters kept: the most that fit.
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if text_width(_short(text, kept), size, weight=weight) <= width else (low, kept - 1)
    return _short(text, low)


def wrapped(text: str, width: float, size: float, *, weight: Weight = "normal") -> list[str]:
    """Lines of at most ``width`` points, broken at blanks that may break; a wider word is a line of its own.

    >>> wrapped("no bound without clipping", 40, 8)
    ['no bound', 'without', 'clipping']
    """
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, weight=weight) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _short(text: str, kept: int) -> str:
    return text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
