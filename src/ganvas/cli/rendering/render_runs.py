"""Runs as the command line shows them: trained, drawn from, used on pictures, reported, compared; and the catalogue."""

from ganvas.cli.rendering.forms import counted, form, table
from ganvas.core.number_text import number, with_error
from ganvas.core.progress import duration, say
from ganvas.tasks.catalogues.models import Catalogue
from ganvas.tasks.comparing.compare import CompareResult
from ganvas.tasks.launch import JobFile
from ganvas.tasks.pictures.detect import Detected
from ganvas.tasks.pictures.inpaint import Inpainted
from ganvas.tasks.pictures.segment import Segmented
from ganvas.tasks.pictures.translate import Translated
from ganvas.tasks.report import ReportResult
from ganvas.tasks.sample import Drawn
from ganvas.tasks.searching.batch_result import BatchRow, CriticalBatchResult
from ganvas.tasks.searching.search import SearchResult
from ganvas.tasks.train import TrainResult

OF_PICTURES = ("resolution", "base", "channels", "features", "features_max", "network")  # Points have no use for them.


@form.register
def _(result: TrainResult) -> None:
    if result.settings and not result.seconds and not result.kimg:
        for part in ("config", "plan"):
            settings = result.settings[part]
            unused = OF_PICTURES if settings.get("dims") else ()
            table(part, ("setting", "value"), [(k, str(v)) for k, v in settings.items() if k not in unused])
        if result.picture_size:
            say(f"Pictures of {result.picture_size[0]}x{result.picture_size[1]} pixels (height x width).")
        return
    done = "finished" if result.finished else "stopped; the same command resumes"
    say(f"{result.run}: {done} at {result.kimg:,.6g} kimg after {duration(result.seconds)} of training.")


@form.register
def _(result: JobFile) -> None:
    say(result.text if result.path is None else f"{result.path}: submit it with `sbatch {result.path}`.")


@form.register
def _(result: Drawn) -> None:
    say(
        f"{result.path}: {result.pictures} {result.unit} of {result.model} at {result.kimg:g} kimg, seed {result.seed}."
    )


@form.register
def _(result: Translated) -> None:
    count = counted(result.pictures, "picture")
    found = f", {result.found:,} of them from an earlier time" if result.found else ""
    say(f"{result.path}: {count}{found}, {result.direction} by {result.model} at {result.kimg:g} kimg.")
    _say_renewed(result.renewed)
    if result.scores:
        rows = [(name, f"{one['psnr']:.2f}", f"{one['ssim']:.4f}") for name, one in result.scores.items()]
        table("against the truth", ("translator", "psnr (dB)", "ssim"), rows)


@form.register
def _(result: Segmented) -> None:
    count = counted(result.pictures, "picture")
    found = f", {result.found:,} of them from an earlier time" if result.found else ""
    say(f"{result.path}: {count} of {result.classes} classes{found}, by {result.model} at {result.kimg:g} kimg.")
    _say_renewed(result.renewed)
    if result.scores:
        columns = {"value": result.scores} | ({"colour table": result.floor} if result.floor else {})
        rows = [(name, *(f"{column[name]:.4f}" for column in columns.values())) for name in result.scores]
        table("", ("score", *columns), rows)


@form.register
def _(result: Detected) -> None:
    count = counted(result.pictures, "picture")
    drawn = f", drawn in {result.drawn}" if result.drawn is not None else ""
    empty = f", nothing in {result.empty:,}" if result.empty else ""
    say(
        f"{result.path}: {result.boxes:,} of {result.category} in {count}{empty}{drawn}, by {result.model} at "
        f"{result.kimg:g} kimg."
    )
    if result.results:
        rows = [(one.metric, with_error(one.value, one.standard_error), one.better) for one in result.results]
        table("", ("metric", "value", "better"), rows)
    if result.untold:
        say(f"{counted(result.untold, 'picture')} not in the file of --truth left out of the measures.")
    if result.curve is not None:
        say(f"{result.curve}: what is missed over false boxes per picture.")


@form.register
def _(result: Inpainted) -> None:
    count = counted(result.pictures, "picture")
    before = f", {result.before:,} of them before this command" if result.before else ""
    white = {"hole": " White was the hole.", "known": " White was what is known.", None: ""}[result.white]
    say(f"{result.path}: {count}{before}, filled by {result.model} at {result.kimg:g} kimg.{white}")
    _say_renewed(result.renewed)
    if result.untouched:
        say(f"The masks of {len(result.untouched):,} are empty; those pictures are as they were.")
    if result.recoded:
        say(f"{len(result.recoded):,} are written as PNG, because their own format would have changed every pixel.")
    if result.results:
        floor = {found["metric"]: found["value"] for found in result.floor}
        rows = [(one["metric"], f"{one['value']:.4g}", f"{floor[one['metric']]:.4g}") for one in result.results]
        table("against the truth", ("metric", "filled", "harmonic filling"), rows)


@form.register
def _(result: ReportResult) -> None:
    say(f"{result.path}: {result.bytes / 1e6:.1f} MB; open it in a browser.")


@form.register
def _(result: CompareResult) -> None:
    say(f"{result.page}: {len(result.models)} models; open it in a browser. Beside it: {result.json}, {result.csv}.")


@form.register
def _(result: SearchResult) -> None:
    if result.page is None:
        table(f"{result.settings} settings", ("setting", "drawn from"), list(result.ranges.items()))
        return
    done = f"{result.tried} of {result.settings} settings"
    say(f"{result.page}: {done}{'; the same command resumes' if result.stopped else ''}.")


@form.register
def _(result: CriticalBatchResult) -> None:
    from ganvas.tasks.searching.batch_figure import told

    heads = ("batch", "rate", "settings", "steps", "kimg", "came there")
    table(f"Until {result.metric} is {number(result.target)}", heads, [_batch_row(row) for row in result.rows])
    if result.done:
        say(told(result))
    if any(row.at_the_edge for row in result.rows):
        say("* The best rate is the last that was tried on that side: --factors further out may need fewer steps.")
    done = f"{result.done} of {result.planned} branches"
    say(f"{result.out}: {done}{'; the same command resumes' if result.stopped else ''}.")


def _batch_row(row: BatchRow) -> tuple[str, ...]:
    settings = ", ".join(f"{name}={number(value)}" for name, value in row.settings.items())
    rate = "" if row.factor is None else f"x{row.factor:g}{'*' if row.at_the_edge else ''}"
    steps, kimg = ("-" if one is None else number(one) for one in (row.steps, row.kimg))
    return str(row.batch_size), rate, settings, steps, kimg, f"{row.reached} of {row.branches}"


@form.register
def _(result: Catalogue) -> None:
    if not result.settings:
        rows = [(model["name"], f"{model['summary']}\n{model['paper']}") for model in result.models]
        table("models", ("name", "what it is, and its paper"), rows)
        return
    say(f"{result.models[0]['name']}: {result.models[0]['summary']} {result.models[0]['paper']}")
    if result.presets:
        table("presets", ("--preset", "what it is, and its source"), list(result.presets.items()))
    table("settings", ("--set", "default"), [(name, str(value)) for name, value in result.settings.items()])


def _say_renewed(files: int) -> None:
    """That files of an earlier time were not kept."""
    if files:
        say(f"Made again, because what they were made of has changed since: {counted(files, 'file')}.")
