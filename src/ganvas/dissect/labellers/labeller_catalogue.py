"""The labeller that a person names, or the one that suits the pictures."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.dissect.labellers import hub_segmenter, rules, segmenter
from ganvas.dissect.labellers.exact_masks import ExactMasks
from ganvas.dissect.labellers.labeller import Labeller
from ganvas.dissect.labellers.mask_folder import is_mask_folder, mask_folder_labeller
from ganvas.dissect.labellers.scenes_labeller import scenes_labeller
from ganvas.dissect.subject import Subject

RULES: Mapping[str, Callable[[], Labeller]] = {
    "colours": rules.colours,
    "brightness": rules.brightness,
    "edges": rules.edges,
    "texture": rules.texture,
}
SCENES = "scenes"
EXACT = "exact"
NAMES = (SCENES, EXACT, *RULES)


def labeller_named(name: str | None, subject: Subject, *, quiet: bool = False) -> Labeller:
    """By its name, or a folder that holds a trained segmenter; by default what suits the pictures of the subject.

    Raises:
        UserError: there is no such labeller, or it is for other pictures.
    """
    if name is None:
        name = _usual(subject)
    if name in RULES:
        return RULES[name]()
    if name == SCENES:
        if subject.channels != 3:
            raise UserError(
                f"The labeller '{SCENES}' knows colour pictures, and {subject.name} has {subject.channels} channel(s). "
                "Give --labeller brightness."
            )
        return scenes_labeller(subject.size, quiet=quiet)
    if name == EXACT:
        return _exact(subject)
    folder = Path(name).expanduser()
    if is_mask_folder(folder):
        return mask_folder_labeller(folder, subject.size, quiet=quiet)
    if hub_segmenter.is_hub_segmenter(folder):
        return hub_segmenter.load(folder)
    if folder.is_dir():
        return segmenter.load(folder)
    raise UserError(
        f"There is no labeller '{name}'.{did_you_mean(name, NAMES)} Labellers: {', '.join(NAMES)}, a folder with "
        "images/ and masks/, the folder of a trained segmenter, or one of a network of the Hugging Face hub."
    )


def _usual(subject: Subject) -> str:
    """What suits the pictures best of what is at hand."""
    if str(subject.data.get("spec", "")).partition(":")[0] != SCENES:
        return "colours"
    return EXACT if subject.reals is not None and subject.reals.masks is not None else SCENES


def _exact(subject: Subject) -> Labeller:
    packed = subject.reals
    if packed is None:
        raise UserError(
            f"{subject.name} draws its pictures, and exact masks are of pictures that were given. Choose another."
        )
    return ExactMasks(packed)
