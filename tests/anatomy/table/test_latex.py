"""Tables in LaTeX: they compile with the packages they name, fit the page, and show every name as it is."""

import re
import shutil
import subprocess
from collections import OrderedDict

import pytest
import torch
from torch import nn

from ganvas.anatomy.loading.load import load
from ganvas.anatomy.table import latex as latex_file
from ganvas.anatomy.table.formats import to_latex
from ganvas.anatomy.table.latex import PAGE, escape, latex, layout
from ganvas.anatomy.table.table import COLUMNS, table
from ganvas.anatomy.trace.trace import trace

ENGINE = next(filter(shutil.which, ("pdflatex", "tectonic")), None)
needs_an_engine = [
    pytest.mark.slow,
    pytest.mark.skipif(ENGINE is None, reason="needs a TeX engine: pdflatex (texlive-latex-recommended) or tectonic"),
]
ODD = r"a_b%c&d#e~f^g$h\i{j}<k>|l--m`n"
LARGE = {"resolution": 1024}


def made(name, changes=None, **options):
    loaded = load(name, changes=changes) if changes else load(name)
    return to_latex(table(trace(loaded.model, *loaded.inputs, name=loaded.name), **options))


def chain(count, name="conv"):
    """As many convolutions in a row."""
    return nn.Sequential(OrderedDict((f"{name}{i}", nn.Conv2d(8, 8, 3, padding=1)) for i in range(count)))


def of(model, *, name="net", shape=(1, 8, 16, 16), **options):
    return to_latex(table(trace(model, shape, name=name), **options))


def document(text, options=""):
    packages = re.match(r"% Needs (\\usepackage\{[a-z,]+\})\n", text)[1]
    label = re.search(r"\\label\{(tab:[a-z0-9-]+)\}", text)[1]
    start = rf"\documentclass[{options}]{{article}}{packages}"
    return rf"{start}\begin{{document}}Table~\ref{{{label}}}.{text}\end{{document}}"


def compiled(tmp_path, source, runs=3):
    """The engine's log, after as many runs as a longtable asks for."""
    (tmp_path / "page.tex").write_text(source, encoding="utf-8")
    options = ["--keep-logs"] if ENGINE == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    for _ in range(1 if ENGINE == "tectonic" else runs):
        ran = subprocess.run([ENGINE, *options, "page.tex"], cwd=tmp_path, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout[-2000:]
    return (tmp_path / "page.log").read_text(encoding="utf-8", errors="replace")


def complaints(log):
    """Warnings, and boxes that stand out by more than a point."""
    wide = [box for box in re.findall(r"Overfull.*", log) if float(re.search(r"([\d.]+)pt", box)[1]) > 1]
    return wide + re.findall(r"(?:LaTeX|Package \w+) Warning.*", log)


class Tied(nn.Module):
    """One convolution under a name that LaTeX chokes on, used twice: notes and the module column repeat it."""

    def __init__(self):
        super().__init__()
        self.add_module(ODD, nn.Conv2d(8, 8, 3, padding=1))
        self.add_module(ODD + " unused", nn.Linear(2, 2))

    def forward(self, x):
        conv = getattr(self, ODD)
        return conv(torch.relu(conv(x)))


def fullest():
    """The longest table that is still set on one page."""
    texts = [of(chain(count)) for count in range(PAGE - 15, PAGE)]
    short = [text for text in texts if "longtable" not in text]
    assert 0 < len(short) < len(texts)
    return short[-1]


TABLES = {
    "ProGAN's generator": lambda: made("gan/progan:generator", LARGE),
    "ProGAN's discriminator": lambda: made("gan/progan:discriminator", LARGE),
    "three pages": lambda: made("resnet50"),
    "gates and dilation": lambda: made("gated_generator"),
    "a row per module": lambda: made("unet", depth=1),
    "all columns": lambda: made("unet", columns=list(COLUMNS)),
    "all columns over pages": lambda: made("densenet121", columns=list(COLUMNS)),
    "as many rows as a page takes": lambda: fullest(),
    "long names": lambda: of(
        chain(5, "encoder_of_the_first_stage_" * 3), columns=["layer", "module", "params", "macs"]
    ),
    "odd names": lambda: of(Tied(), name=ODD, columns=list(COLUMNS)),
    "one column": lambda: of(chain(2), columns=["params"]),
}


@pytest.mark.parametrize("which", [pytest.param(name, marks=needs_an_engine) for name in TABLES])
def test_a_table_compiles_with_the_packages_it_names_and_fits_the_page(which, tmp_path):
    assert complaints(compiled(tmp_path, document(TABLES[which](), "10pt"))) == []


@pytest.mark.parametrize("options", [pytest.param(o, marks=needs_an_engine) for o in ("11pt", "12pt", "twocolumn")])
def test_a_table_fits_the_pages_of_other_classes(options, tmp_path):
    log = compiled(tmp_path, document(made("gan/progan:discriminator", LARGE), options))
    assert [said for said in complaints(log) if "Float too large" not in said] == []


@pytest.mark.parametrize(
    "size", [pytest.param(s, marks=needs_an_engine) for s in ("footnotesize", "scriptsize", "tiny")]
)
def test_no_letter_is_wider_than_is_reckoned_with(size, tmp_path):
    letters = [chr(code) for code in range(33, 127)] + list("×–…")
    ask = "".join(rf"\settowidth{{\w}}{{{escape(c)}}}\typeout{{width {ord(c)} \the\w}}" for c in letters)
    ask = rf"\{size}\typeout{{em \the\fontdimen6\font}}{ask}"
    source = rf"\documentclass{{article}}\newlength{{\w}}\begin{{document}}{ask}\end{{document}}"
    log = compiled(tmp_path, source, runs=1)
    em = float(re.search(r"^em ([\d.]+)pt", log, re.M)[1])
    found = {chr(int(code)): float(pt) / em for code, pt in re.findall(r"^width (\d+) ([\d.]+)pt", log, re.M)}
    assert set(found) == set(letters)
    # Computer Modern's narrowest letters grow with smaller type; the room for that type is reckoned as much smaller.
    most = {"footnotesize": 1.0, "scriptsize": 1.02, "tiny": 1.06}[size]
    assert [c for c, width in found.items() if width > most * latex_file._em(c)] == []


def test_every_letter_that_latex_reads_is_escaped():
    assert escape(r"a_b & 50% of $x^2 ~ {#1} \o <3×3> –") == (
        r"a\_b \& 50\% of \$x\textasciicircum{}2 \textasciitilde{} \{\#1\} \textbackslash{}o "
        r"\textless{}3$\times$3\textgreater{} --"
    )
    assert escape("a--b|c`d\ne") == r"a-{}-b\textbar{}c\`{}d e"  # Neither a dash nor a quotation mark nor a paragraph.
    assert escape("größe α") == "größe U+03B1"  # Bare pdflatex knows the letters of Latin-1.
    assert escape("a.b_c. d", breaks=True) == r"a.\allowbreak{}b\_\allowbreak{}c. d"
    assert escape("a" * 20, breaks=True) == "a" * 16 + r"\allowbreak{}" + "a" * 4


@pytest.mark.slow
@pytest.mark.parametrize("which", ["ProGAN's generator", "three pages", "odd names", "all columns"])
def test_every_row_has_as_many_cells_and_nothing_is_unescaped(which):
    text = TABLES[which]()
    body = [line for line in text.splitlines() if re.search(r"(?<!\\)&", line) and line.endswith((r"\\", r"\\*"))]
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in body}) == 1
    # With commands and escaped letters taken away, none that LaTeX reads as its own is left.
    rest = text.removeprefix(re.match(r"% Needs .*\n", text)[0])
    rest = re.sub(r"\\(begin|end)\{\w+\*?\}|\\[&%$#_{}\\`]|\$\\times\$|\\[a-zA-Z]+", "", rest)
    assert not re.search(r"[%#$_^~\\]", rest)
    assert rest.count("{") == rest.count("}")
    assert text.isascii()
    for name in re.findall(r"\\begin\{(\w+\*?)\}", text):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") == 1


def test_what_is_wide_is_set_smaller_then_wrapped_then_turned():
    def size(text, numbers):
        set_as = layout([["x" * text, *["0"] * numbers]], [False] + [True] * numbers)
        return set_as.page.size, set_as.page.turned, set_as.wrapped_em[0] is not None

    # 40 letters of 0.53 em, three of 0.5 and three gaps of 0.9 are 25 em; 66 letters 39 em; 38.5 and 42 are there.
    assert size(40, 3) == (r"\footnotesize", False, False)
    assert size(66, 3) == (r"\scriptsize", False, False)
    assert size(90, 3) == (r"\footnotesize", False, True)
    assert size(200, 12)[1] is True  # Less than a third would be left for it.
    words = layout([["word " * 30, "0"]], [False, True])
    assert (words.page.turned, words.wrapped_em[1]) == (False, None)
    assert 15 < words.wrapped_em[0] < 38.5


def test_wrapped_rows_count_as_many_lines_as_they_take():
    rows = [["word " * 60, "0"]] * (PAGE - 10)  # 60 words of 5 letters in 38 em: at least 3 lines each.
    assert layout(rows, [False, True]).lines(rows[0]) >= 3
    text = latex(title="net", heading=["A", "B"], numeric=[False, True], body=rows, sums=[], notes=[])
    assert r"\begin{longtable}" in text


def test_a_table_without_rows_or_letters_in_its_title_is_still_one():
    text = latex(title="%", heading=["A"], numeric=[False], body=[], sums=[], notes=[])
    assert r"\label{tab:network}" in text
    assert r"\caption{\%.}" in text
