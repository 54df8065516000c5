"""Makes text_curve.svg, text_curve.md and text_lines.md: models of text on the temperature curve of a language model.

python docs/figures/text_figures.py [--runs FOLDER] [--only PART ...]

Trains the language model and the other models on lines of an oracle, and the language model and WGAN-GP on the help
texts of Python, where FOLDER holds no such runs yet: about 12 minutes of one processor core.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.gates.gate_text import GAMES, NETWORKS, ORACLE

from ganvas.core.curve_scores import CurvePosition, Scored
from ganvas.core.number_text import with_error
from ganvas.data.text.packed_text import PackedText, prepare_text
from ganvas.metrics.text.temperature_curve import TEMPERATURES, place_by, scored
from ganvas.metrics.text.text_judge import TextJudge
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.tasks.train import Train, train
from ganvas.train.trained import Trained, load

HERE = Path(__file__).parent
PYDOC = "pydoc"
DRAWN, SEED = 2000, 0
WIDTH, HEIGHT = 480.0, 300.0
QUIET = ("sample_kimg=1000", "measure_kimg=-1")
LATENT = ("wgan_gp", "arae")  # Know no likelihood, so that none of held-out lines is measured.
SAID = {
    "beyond": "lies beyond the curve",
    "on": "is not told apart from the curve",
    "short": "falls short of the curve",
    "outside": "is outside of the curve's qualities",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=Path, help="where the runs are kept; removed where left out")
    arguments.add_argument("--only", nargs="*", choices=list(PARTS), help="some of the figures")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.only or PARTS:
            PARTS[name](given.runs or Path(temporary))


def trained(runs: Path, name: str, source: str, **how: Any) -> Trained:
    """The run of a model, trained where it is not there yet."""
    model, out = name.partition("-")[0], runs / name
    if not (out / "run.json").exists():
        sources = {"data": f"{source}::train", "held_out": f"{source}::held-out"}
        if model in LATENT:
            del sources["held_out"]
        settings = (*QUIET, *how.pop("set", ()))
        train(Train(model=f"text/{model}", out=out, threads=1, estimate=False, set=settings, **sources, **how))
    return load(out)


def curve(runs: Path) -> None:
    """Quality and coverage of the language model by temperature, and of each game."""
    models = {"mle": trained(runs, "mle", ORACLE, kimg=60, set=(*NETWORKS, "lr=0.005"))}
    for name, (kimg, settings) in GAMES.items():
        models[name] = trained(runs, name, ORACLE, kimg=kimg, set=settings)
    judge = TextJudge(models["mle"].real_lines(), _held_out(models["mle"], f"{ORACLE}::held-out"), seed=SEED)
    curve_ = [score_of(judge, models["mle"], temperature) for temperature in TEMPERATURES]
    games = {name: score_of(judge, models[name]) for name in GAMES}
    real = scored(judge.floor(DRAWN))
    _draw(curve_, games, real)
    _tabulate(curve_, games, real)


def score_of(judge: TextJudge, model: Trained, temperature: float | None = None) -> Scored:
    """Of drawn lines: nats per token by the oracle, and bits per held-out token by n-grams of the lines."""
    return scored(judge.scores(model.sample_tokens(DRAWN, seed=SEED, temperature=temperature)))


def _draw(curve_: Sequence[Scored], games: dict[str, Scored], real: Scored) -> None:
    drawn = [Curve(name="MLE by T", x=[one.quality for one in curve_], y=[one.coverage for one in curve_], marks=True)]
    for name, one in [*games.items(), ("real lines", real)]:
        drawn.append(Curve(name=name, x=[one.quality], y=[one.coverage], marks=True))
    axes = Axes(
        title="bits per held-out token, by n-grams of drawn lines (coverage)",
        x_title="nats per drawn token, by the oracle (quality)",
        size=8.0,
    )
    items = chart(drawn, (2, 2, WIDTH - 4, HEIGHT - 4), axes=axes)
    title = "Quality and coverage of a language model by temperature, and of games of text; less is better of both"
    write(Drawing(width=WIDTH, height=HEIGHT, items=tuple(items), title=title), HERE / "text_curve.svg")


def _tabulate(curve_: Sequence[Scored], games: dict[str, Scored], real: Scored) -> None:
    rows = ["| model | quality: oracle NLL | coverage: reverse score | by the curve |", "| --- | --- | --- | --- |"]
    for temperature, one in zip(TEMPERATURES, curve_, strict=True):
        rows.append(_row(f"`text/mle` at {temperature:g}", one, ""))
    for name, one in games.items():
        rows.append(_row(f"`text/{name}`", one, _words(place_by(curve_, one))))
    rows.append(_row("real lines", real, "the floor"))
    (HERE / "text_curve.md").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _row(name: str, one: Scored, words: str) -> str:
    values = [with_error(one.quality, one.quality_error), with_error(one.coverage, one.coverage_error)]
    return f"| {' | '.join([name, *values, words])} |"


def _words(position: CurvePosition) -> str:
    if position.verdict == "outside":
        return SAID["outside"]
    return f"{SAID[position.verdict]} ({with_error(position.gain, position.error)} bits)"


def lines(runs: Path) -> None:
    """Lines of the language model at three temperatures and of WGAN-GP, beside real ones."""
    sizes = ("length=16",)
    mle = trained(runs, "mle-pydoc", PYDOC, kimg=60, set=("hidden=128", "embedding=32", *sizes))
    wgan = trained(runs, "wgan_gp-pydoc", PYDOC, preset="small")
    held_out = _held_out(mle, f"{PYDOC}::held-out")
    columns = {"real, held out": held_out.alphabet.decode(held_out.read(slice(0, 12)))}
    for temperature in (1.0, 0.7, 0.4):
        columns[f"`text/mle`, T = {temperature:g}"] = mle.sample_lines(12, seed=SEED, temperature=temperature)
    columns["`text/wgan_gp`"] = wgan.sample_lines(12, seed=SEED)
    rows = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    rows += [f"| {' | '.join(_code(line) for line in row)} |" for row in zip(*columns.values(), strict=True)]
    (HERE / "text_lines.md").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _code(line: str) -> str:
    """A line that keeps its signs in a table."""
    kept = line.replace("`", "'").replace("|", "¦").replace("\\", "/")
    return f"`{kept}`" if kept.strip() else "(blank)"


def _held_out(model: Trained, source: str) -> PackedText:
    return prepare_text(source, model.line, alphabet=model.alphabet, quiet=True)


PARTS: dict[str, Callable[[Path], None]] = {"curve": curve, "lines": lines}

if __name__ == "__main__":
    main()
