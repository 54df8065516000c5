"""Checks of sources of pictures before they are packed: as far as the headers of the files show what is wrong."""

from collections.abc import Mapping
from typing import Any

from ganvas.core.errors import UserError
from ganvas.data.conversion import broken_refusal
from ganvas.data.fitting import plan
from ganvas.data.packing import make_rules
from ganvas.data.shards.sharded_pictures import GREY
from ganvas.data.sound.sound_source import SoundSurvey
from ganvas.data.survey import Survey, survey
from ganvas.losses.capabilities import Conditional, NeedsClasses, SizesPoints, TakesHiddenLabels, classes_of
from ganvas.train.kinds.kind import SourceRequest

DRAWN_AT_ANY_SIZE = ("scenes", "street", "triangles")  # Sources that are drawn at the size that is asked for.


def check_source(spec: str, request: SourceRequest, *, size: tuple[int, int], channels: int) -> Survey:
    """The survey of a source that can be packed at a size.

    Raises:
        UserError: a header shows what packing would refuse: a broken file, or pictures that do not fit.
    """
    rules = make_rules(
        size=size, channels=channels, fit=request.fit, background=request.background, broken=request.broken
    )
    found = survey(spec, quiet=request.quiet)
    if found.broken and rules.broken == "refuse":
        raise broken_refusal(*found.broken[0])
    if not found.count:
        raise UserError(f"{spec} holds no picture that can be read: all {len(found.broken)} are broken.")
    if found.kind not in DRAWN_AT_ANY_SIZE:
        for have in found.sizes:
            plan(have, size, rules.fit)
    return found


def conditional_classes(found: Survey | SoundSurvey, request: SourceRequest, config: Any) -> int:
    """How many classes ``--conditional`` asks for.

    Raises:
        UserError: the model has none, or the source has none, or one.
    """
    unit, other = ("sounds", "sound/gansynth") if isinstance(found, SoundSurvey) else ("pictures", "gan/progan")
    if not isinstance(config, Conditional):
        raise UserError(
            f"--conditional: this model draws {unit} without labels. Leave it out; {other} draws given classes."
        )
    if not found.labels:
        why = f" {found.about_labels}" if found.about_labels else ""
        raise UserError(
            f"--conditional needs labels, and {request.data} has none.{why} One sub-folder per class gives them."
        )
    if len(found.labels) == 1:
        raise UserError(
            f"--conditional needs at least two classes, and all {unit} of {request.data} are of one, "
            f"{next(iter(found.labels))}. Leave it out."
        )
    return len(found.labels)


def require_classes(labels: Mapping[str, int] | None, config: Any, request: SourceRequest) -> None:
    """Labels that the model's classes can take, and hidden ones only where it learns from them.

    Args:
        labels: Pictures by class; None or empty without labels.

    Raises:
        UserError: the source has none, or another number of classes; or labels are to be hidden from a model that needs
            them, or all labels of some class.
    """
    classes = classes_of(config)
    if classes and (not labels or len(labels) > classes):
        has = f"has {len(labels)} classes" if labels else "has no labels"
        raise UserError(f"num_classes={classes}, but {request.data} {has}. Leave it out, or use --conditional.")
    if labels and len(labels) < classes:
        raise UserError(
            f"num_classes={classes}, but {request.data} has {len(labels)} classes: the others would never be learnt. "
            "Leave it out, and use --conditional, which counts them."
        )
    if not classes and isinstance(config, NeedsClasses) and config.needs_classes:
        also = " and --labelled N, if few are to be told" if isinstance(config, TakesHiddenLabels) else ""
        has = f"{request.data} has {len(labels)}" if labels else f"{request.data} has no labels: a folder per class"
        raise UserError(f"This model learns from classes, and none are asked for. {has}. Add --conditional{also}.")
    if request.labelled is not None:
        require_told(
            request.labelled, sum((labels or {}).values()), classes, hides=isinstance(config, TakesHiddenLabels)
        )


def require_told(told: int, pictures: int, classes: int, *, hides: bool) -> None:
    """So many labels that a model can be told and others be hidden from it.

    Args:
        told: Of how many pictures the class is told.
        pictures: With labels.
        hides: Whether the model also learns from pictures whose class is hidden.

    Raises:
        UserError: it does not, or some class would not be told of any picture, or more are to be told than there are.
    """
    if not hides:
        what = "needs the class of every picture" if classes else "has no classes"
        raise UserError(f"--labelled {told} hides classes, and this model {what}. Leave it out.")
    if not classes:
        raise UserError(f"--labelled {told} tells some classes, and no classes are learnt. Add --conditional.")
    if not classes <= told <= pictures:
        raise UserError(
            f"--labelled {told} tells the class of so many pictures; there are {pictures:,} with labels, of {classes} "
            f"classes, each of which must be told once. Give {classes} to {pictures}."
        )


def refuse_other(request: SourceRequest) -> None:
    """A second source where there is one kind of pictures."""
    if request.other is not None:
        raise UserError(f"--other {request.other}: this model learns pictures of one source. Leave it out.")


def refuse_targets(request: SourceRequest) -> None:
    """What belongs to samples where none of it is learnt."""
    for option, given in (("--target", request.target), ("--held-out-target", request.held_out_target)):
        if given is not None:
            raise UserError(f"{option} {given}: this model learns no pairs. Leave it out.")


def refuse_dims(config: object, request: SourceRequest) -> None:
    """Dimensions of points where there are pictures."""
    if isinstance(config, SizesPoints) and config.dims:
        raise UserError(
            f"dims={config.dims} is of points, but {request.data} holds pictures. Leave dims out, or name points."
        )


def refuse_the_same(first: str, second: str, request: SourceRequest) -> None:
    """Held-out samples that are those of training.

    Args:
        first: What tells the training samples from others: a fingerprint, or the source as it was given.
        second: The same of the held-out ones.
    """
    if first == second:
        raise UserError(
            f"--held-out {request.held_out} holds the samples that are trained on. Name samples that are kept apart."
        )


def channels_of(found: Survey) -> int:
    """1 where every picture is grey, else 3."""
    return 1 if found.modes and set(found.modes) <= GREY else 3
