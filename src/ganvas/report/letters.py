"""How wide a line of Helvetica is, by Adobe's published metrics.

Helvetica and Helvetica-Bold are two of the fourteen fonts that every PDF reader has, and Arial and Liberation Sans
share their widths, so that a figure laid out with these numbers fits in each format. What Helvetica lacks (Greek,
a few signs of mathematics) comes from Symbol, which every PDF reader has as well.
"""

import unicodedata
from dataclasses import dataclass
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
_MORE = {  # Of both weights, but for the few in _MORE_BOLD.
    "×": 584,
    "÷": 584,
    "±": 584,
    "·": 278,
    "–": 556,
    "—": 1000,
    "…": 1000,
    "•": 350,
    "°": 400,
    "§": 556,
    "©": 737,
    "®": 737,
    "½": 834,
    "¼": 834,
    "¾": 834,
    "ß": 611,
    "æ": 889,
    "Æ": 1000,
    "ø": 611,
    "Ø": 778,
    "£": 556,
    "€": 556,
    "¹": 333,
    "²": 333,
    "³": 333,
    "‘": 222,
    "’": 222,
    "“": 333,
    "”": 333,
    "«": 556,
    "»": 556,
    "µ": 556,
    "¬": 584,
}
_MORE_BOLD = {"‘": 278, "’": 278, "“": 500, "”": 500, "µ": 611}
SYMBOL = {  # Character: (code in the Symbol font, width).
    "α": (0x61, 631),
    "β": (0x62, 549),
    "γ": (0x67, 411),
    "δ": (0x64, 494),
    "ε": (0x65, 439),
    "ζ": (0x7A, 494),
    "η": (0x68, 603),
    "θ": (0x71, 521),
    "κ": (0x6B, 549),
    "λ": (0x6C, 549),
    "μ": (0x6D, 576),
    "ν": (0x6E, 521),
    "ξ": (0x78, 493),
    "π": (0x70, 549),
    "ρ": (0x72, 549),
    "σ": (0x73, 603),
    "τ": (0x74, 439),
    "φ": (0x66, 521),
    "χ": (0x63, 549),
    "ψ": (0x79, 686),
    "ω": (0x77, 686),
    "Γ": (0x47, 603),
    "Δ": (0x44, 612),
    "Θ": (0x51, 741),
    "Λ": (0x4C, 686),
    "Σ": (0x53, 592),
    "Φ": (0x46, 763),
    "Ω": (0x57, 768),
    "∞": (0xA5, 713),
    "≤": (0xA3, 549),
    "≥": (0xB3, 549),
    "≈": (0xBB, 549),
    "≠": (0xB9, 549),
    "−": (0x2D, 549),
    "√": (0xD6, 549),
    "∇": (0xD1, 713),
    "∂": (0xB6, 494),
    "∑": (0xE5, 713),
    "∈": (0xCE, 713),
    "→": (0xAE, 987),
    "←": (0xAC, 987),
    "↔": (0xAB, 1042),
    "↑": (0xAD, 603),
    "↓": (0xAF, 603),
}
RAISED = dict(zip("⁰⁴⁵⁶⁷⁸⁹⁻", "0456789–", strict=True))  # ¹²³ are in Helvetica itself.
RAISED_SIZE, RAISE = 0.6, 0.33

_WIDTHS: dict[Weight, dict[str, int]] = {
    "normal": dict(zip(map(chr, range(32, 127)), map(int, _ASCII.split()), strict=True)) | _MORE,
    "bold": dict(zip(map(chr, range(32, 127)), map(int, _ASCII_BOLD.split()), strict=True)) | _MORE | _MORE_BOLD,
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
    (33.9, 35.02)
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


def fitted(text: str, width: float, size: float) -> str:
    """The text, shortened by an ellipsis in its middle where it is wider than ``width`` points.

    >>> fitted("encoder.block", 200, 8), fitted("encoder.blocks.17.conv", 60, 8)
    ('encoder.block', 'encoder….conv')
    """
    if text_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shorter = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
        if text_width(shorter, size) <= width:
            return shorter
    return "…"
