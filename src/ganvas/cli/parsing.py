"""From the words of a command line to a task: the parser is made of the table of verbs, one verb at a time."""

import dataclasses
import os
import shutil
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_origin, get_type_hints

import tyro
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, subcommand

from ganvas.core.errors import UserError, did_you_mean
from ganvas.tasks import verbs
from ganvas.tasks.verbs import Verb, VerbGroup

PROGRAM = "ganvas"
DESCRIPTION = "From a folder of pictures to a generative model, and from the model to understanding."
CONFIG = (OmitArgPrefixes, OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff)
LEAST_COLUMNS = 40  # In fewer than six the parser's tables never end.
ARGUMENT: Any = type(tyro.conf.arg())  # What a field's annotation says of its option.
LENGTHS = {"epochs", "epoch", "num-epochs", "steps", "num-steps", "max-steps", "iterations", "iters", "niter", "nimg"}


def parse(words: Sequence[str]) -> Any:
    """The task that was asked for; help and mistakes end the program, as parsers do.

    Raises:
        UserError: there is no such command, or an option of `ganvas train` is one of other tools.
    """
    _widen()
    if not words or words[0].startswith("-"):
        return _parsed(_union(verbs.first_words()), PROGRAM, words, description=DESCRIPTION)
    verb = verbs.find(words)
    if verb is None:
        return _of_group(verbs.group_named(words[0]), words[1:])
    rest = words[len(verb.name.split()) :]
    if verb.name == "train":
        _refuse_foreign_options(verb, rest)
    return _parsed(verb.task, f"{PROGRAM} {verb.name}", rest)


def _parsed(task: Any, program: str, words: Sequence[str], *, description: str | None = None) -> Any:
    return tyro.cli(task, prog=program, description=description, args=list(words), config=CONFIG)


def _of_group(group: VerbGroup | None, words: Sequence[str]) -> Any:
    assert group is not None
    if not words and group.default is not None:
        return group.default
    named = {verb.name.partition(" ")[2]: verb.task for verb in verbs.members(group)}
    actions = Union[tuple(Annotated[task, subcommand(name)] for name, task in named.items())]  # noqa: UP007
    return _parsed(actions, f"{PROGRAM} {group.name}", words, description=group.summary)


def _union(names: Sequence[str]) -> Any:
    """All verbs as one choice, a group as one of them."""
    known = {verb.name: verb for verb in verbs.VERBS}
    tasks = [known[name].task if name in known else _described(verbs.group_named(name)) for name in names]
    return Union[tuple(Annotated[task, subcommand(name)] for name, task in zip(names, tasks, strict=True))]  # noqa: UP007


def _described(group: VerbGroup | None) -> Any:
    assert group is not None
    return dataclasses.make_dataclass(group.name.title(), [], namespace={"__doc__": group.summary})


def _widen() -> None:
    """Tells whoever draws tables that no terminal is narrower than so; it breaks the lines itself."""
    if shutil.get_terminal_size().columns < LEAST_COLUMNS:
        os.environ["COLUMNS"] = str(LEAST_COLUMNS)


def _refuse_foreign_options(verb: Verb, words: Sequence[str]) -> None:
    """Other tools have an option for each setting, and count epochs."""
    known = {name for field in _options(verb.task) for name in (field, field.replace("_", "-"))}
    for word, after in zip(words, [*words[1:], "-"], strict=True):
        name, _, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name and name not in known | {"help"}:
            value = value or ("VALUE" if after.startswith("-") else after)
            raise UserError(f"`{PROGRAM} {verb.name}` has no option --{name}. {_remedy(name, value, known)}")


def _options(task: type) -> list[str]:
    """What may be given on a command line, by its name there: not what tasks give one another."""
    hints = get_type_hints(task, include_extras=True)
    notes = {name: hint.__metadata__ if get_origin(hint) is Annotated else () for name, hint in hints.items()}
    shown = [field.name for field in dataclasses.fields(task) if tyro.conf.Suppress not in notes[field.name]]
    return [_name_of(name, notes[name]) for name in shown]


def _name_of(field: str, notes: Sequence[Any]) -> str:
    """A field's name as an option, which `tyro.conf.arg(name=...)` may say: --from, a word that Python keeps."""
    said = [note.name for note in notes if isinstance(note, ARGUMENT) and note.name is not None]
    return said[0] if said else field


def _remedy(name: str, value: str, known: set[str]) -> str:
    if name.replace("_", "-") in LENGTHS:
        return "The length of a run is counted in thousands of pictures shown, such as --kimg 500."
    near = did_you_mean(f"--{name}", [f"--{option}" for option in sorted(known)]).strip()
    setting = f"--set {name.replace('-', '_')}={value}"
    return f"{near} Settings are given as {setting}; `ganvas models MODEL` lists the model's.".strip()
