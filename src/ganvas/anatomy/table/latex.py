r"""A network's table in LaTeX that compiles as it is: escaped, as wide as a page at most, and broken over pages.

A ``table*`` of booktabs, which is a ``table`` where there is one column and spans both where there are two; over
``PAGE`` lines a longtable. No engine is at hand when the table is written, so that widths are added up from those of
Computer Modern's letters (Times and its kin are narrower): what would not fit beside ``\textwidth`` of LaTeX's own
classes is set smaller, and then wraps its text. The first line names the packages.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

PAGE = 50  # Lines of rows, sums and notes that fit on a page of the article class at 10 pt, below caption and heading.
_SAID = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\`{}",
    "×": r"$\times$",
    "–": "--",
    "…": r"\dots{}",
}
_BREAKS = "._/:"  # Where a long name may go on in the next line, and
_RUN = 16  # after so many letters without one of these.
# Widths of letters in thousandths of the size they stand in (the metrics of cmr10, rounded up to a few groups).
_WIDTHS = {
    **dict.fromkeys(".,:;!'il", 280),
    **dict.fromkeys("I_ j-ftrs[]", 395),
    **dict.fromkeys("()cez", 445),
    **dict.fromkeys("Mmw@%#", 1000),
    "W": 1030,
    "…": 1380,
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ&+=×<>\\", 785),
}
_LETTER = 556  # All others.


@dataclass(frozen=True)
class _Page:
    """A size of type on an upright or a turned page.

    Attributes:
        room_em: What goes beside each other at least in the article class at 10, 11 and 12 pt.
        gap_em: Half of the space between two columns.
    """

    size: str
    turned: bool
    room_em: float
    gap_em: float


_UPRIGHT = (_Page(r"\footnotesize", False, 38.5, 0.45), _Page(r"\scriptsize", False, 42.0, 0.35))
_TURNED = (_Page(r"\footnotesize", True, 54.0, 0.45), _Page(r"\scriptsize", True, 62.0, 0.35))
_TINY = (_Page(r"\tiny", True, 72.0, 0.3),)
_SHARE = 0.3  # Text wraps upright if every column of it keeps so much of its width; else the page is turned.


@dataclass(frozen=True)
class Layout:
    """How a table is set: on which page and, for each column, the width in em at which its text wraps, or None."""

    page: _Page
    wrapped_em: tuple[float | None, ...]

    def lines(self, row: Sequence[str]) -> int:
        """Lines of type that a row takes."""
        pairs = zip(row, self.wrapped_em, strict=True)
        return max(1 if w is None else math.ceil(_em(cell) / (0.8 * w)) for cell, w in pairs)


def layout(rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> Layout:
    """The largest type in which rows fit: upright, wrapped, on a turned page, wrapped there; tiny at last."""
    for pages in (_UPRIGHT, _TURNED, _TINY):
        for wrap in (False, True):
            for page in pages:
                made = _fitted(rows, numeric, page, wrap=wrap)
                if made is not None:
                    return made
    return Layout(_TINY[-1], (None,) * len(numeric))


def _fitted(rows: Sequence[Sequence[str]], numeric: Sequence[bool], page: _Page, *, wrap: bool) -> Layout | None:
    """The layout on one page, or None where the table does not fit it."""
    widths = [max(map(_em, column)) for column in zip(*rows, strict=True)]
    left = page.room_em - 2 * page.gap_em * (len(widths) - 1) - sum(widths)
    if left >= 0:
        return Layout(page, (None,) * len(widths))
    least = [max(_em(piece) for cell in column for piece in _pieces(cell)) + 0.3 for column in zip(*rows, strict=True)]
    can = [i for i, n in enumerate(numeric) if wrap and not n and least[i] < widths[i]]
    if not page.turned:
        least = [max(few, _SHARE * all_) for few, all_ in zip(least, widths, strict=True)]
    # The widest column alone if that is enough, then the two widest, and so on.
    spare: dict[int, float] = {}
    for i in sorted(can, key=lambda i: -widths[i]):
        spare[i] = widths[i] - least[i]
        if sum(spare.values()) >= -left:
            break
    else:
        return None
    kept = 1 + left / sum(spare.values())
    return Layout(page, tuple(least[i] + kept * spare[i] if i in spare else None for i in range(len(widths))))


def _pieces(cell: str) -> list[str]:
    """What stays in one line: words, and names up to where they may break."""
    return re.findall(rf"[^\s{_BREAKS}]{{1,{_RUN}}}[{_BREAKS}]?|[{_BREAKS}]", cell) or [""]


def _em(text: str) -> float:
    return sum(_WIDTHS.get(character, _LETTER) for character in text) / 1000


def latex(
    *,
    title: str,
    heading: Sequence[str],
    numeric: Sequence[bool],
    body: Sequence[Sequence[str]],
    sums: Sequence[Sequence[str]],
    notes: Sequence[str],
) -> str:
    """The table as text of LaTeX; everything given is plain text.

    Args:
        title: The caption, and in other letters the label.
        numeric: Columns that end flush right and never wrap.
        sums: Rows below the last rule.
        notes: Sentences below a table of one page, and in the caption of a longer one.
    """
    set_as = layout([heading, *body, *sums], numeric)
    wraps = [width is not None for width in set_as.wrapped_em]
    turned = set_as.page.turned
    below = " ".join(notes)
    lines = sum(map(set_as.lines, [*body, *sums])) + math.ceil(_em(below) / _UPRIGHT[0].room_em)
    long = turned or lines > PAGE
    packages = ["array"] * any(wraps) + ["booktabs"] + ["longtable"] * long + ["pdflscape"] * turned
    parts = _Parts(
        title=escape(title, breaks=True),
        label=rf"\label{{tab:{_slug(title) or 'network'}}}",
        columns=_columns(set_as, numeric),
        count=len(heading),
        head=[r"\toprule", _line(heading, wraps), r"\midrule"],
        rows=[_line(row, wraps) for row in body],
        ends=[r"\midrule", *(_line(row, wraps) for row in sums)],
        notes=escape(below, breaks=True),
    )
    type_ = [set_as.page.size, rf"\setlength{{\tabcolsep}}{{{set_as.page.gap_em}em}}"]
    drawn = _long(parts, type_) if long else _short(parts, type_)
    if turned:
        drawn = [r"\begin{landscape}", *drawn, r"\end{landscape}"]
    return "\n".join([rf"% Needs \usepackage{{{','.join(packages)}}}", *drawn]) + "\n"


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """A table's lines of LaTeX."""

    title: str
    label: str
    columns: str
    count: int
    head: list[str]
    rows: list[str]
    ends: list[str]
    notes: str


def _columns(set_as: Layout, numeric: Sequence[bool]) -> str:
    kinds = (
        rf">{{\raggedright\arraybackslash}}p{{{w:.1f}em}}" if w is not None else "r" if n else "l"
        for w, n in zip(set_as.wrapped_em, numeric, strict=True)
    )
    return f"{{@{{}}{''.join(kinds)}@{{}}}}"


def _short(parts: _Parts, type_: Sequence[str]) -> list[str]:
    return [
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{parts.title}.}}",
        parts.label,
        r"\par\smallskip",
        *type_,
        rf"\begin{{tabular}}{parts.columns}",
        *parts.head,
        *parts.rows,
        *parts.ends,
        r"\bottomrule",
        r"\end{tabular}",
        rf"\par\smallskip{{\raggedright {parts.notes}\par}}",
        r"\end{table*}",
    ]


def _long(parts: _Parts, type_: Sequence[str]) -> list[str]:
    """A longtable: the heading on every page, and the notes in the caption, for they would stand alone on the last."""
    # A \midrule at which no page ends: the sums stay with the last row.
    line = rf"\multispan{{{parts.count}}}\leaders\hrule height\lightrulewidth\hfill\cr"
    rule = rf"\noalign{{\nobreak\vskip\aboverulesep}}{line}\noalign{{\nobreak\vskip\belowrulesep}}"
    goes_on = rf"\multicolumn{{{parts.count}}}{{@{{}}r@{{}}}}{{\emph{{Continued on the next page}}}} \\"
    return [
        r"\begingroup",
        *type_,
        r"\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{parts.columns}",
        rf"\caption[{parts.title}]{{{parts.title}. {parts.notes}}}{parts.label} \\",
        *parts.head,
        r"\endfirsthead",
        *parts.head,
        r"\endhead",
        r"\midrule",
        goes_on,
        r"\endfoot",
        r"\bottomrule",  # And nothing more: longtable loses heading and foot beside a taller last foot.
        r"\endlastfoot",
        *parts.rows[:-1],
        *(row + "*" for row in parts.rows[-1:]),
        rule,
        *(row + "*" for row in parts.ends[1:-1]),
        parts.ends[-1],
        r"\end{longtable}",
        r"\endgroup",
    ]


def escape(text: str, *, breaks: bool = False) -> str:
    """Text as LaTeX shows it; with ``breaks`` a line may end inside of names, where ``_pieces`` ends one.

    Letters that a bare LaTeX has no shape for are given by their number.
    """
    said = []
    run = 0  # Letters since the last place where a line may end.
    for before, character, after in zip(" " + text, text, text[1:] + " ", strict=False):
        shown = _SAID.get(character, character)
        if character.isspace():
            shown = " "
        elif ord(character) > 255 and character not in _SAID:
            shown = f"U+{ord(character):04X}"
        elif character == before and character in "-',":
            shown = "{}" + shown  # Two of them would become another sign.
        ends = character in _BREAKS or (run + 1 == _RUN and after not in _BREAKS)
        run = 0 if ends or character.isspace() else run + 1
        said.append(shown + r"\allowbreak{}" * (breaks and ends and not after.isspace()))
    return "".join(said)


def _line(row: Sequence[str], wrapped: Sequence[bool]) -> str:
    return " & ".join(escape(cell, breaks=w) for cell, w in zip(row, wrapped, strict=True)) + r" \\"


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split())
