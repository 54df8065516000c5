"""The augmentation of a run: chosen by its plan, put into the model, told on the progress line."""

from ganvas.core.errors import UserError
from ganvas.losses.augmentation import (
    AdaptiveAugmentation,
    Augmentation,
    DiffAugmentation,
    NoAugmentation,
    ShowsAugmented,
)
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.game import Game
from ganvas.train.plan import Plan


def augmentation_of(plan: Plan) -> Augmentation:
    """What the plan asks for, at the beginning of a run."""
    if plan.augment == "diff":
        return DiffAugmentation(plan.augment_policies)
    if plan.augment == "ada":
        return AdaptiveAugmentation(target=plan.augment_target, kimg=plan.augment_kimg, cap=plan.augment_cap)
    return NoAugmentation()


def is_augmentable(model: Game) -> bool:
    """Whether it shows pictures to a discriminator through an augmentation."""
    return isinstance(model, ShowsAugmented) and model.batch_type is Pictures


def require_augmentable(model: Game, plan: Plan, name: str) -> None:
    """Refuses an augmentation that the model would not use.

    Raises:
        UserError: it has no discriminator of pictures, or none that looks through an augmentation.
    """
    if plan.augment == "none" or is_augmentable(model):
        return
    why = (
        "does not show pictures to a discriminator through an augmentation"
        if model.batch_type is Pictures
        else "does not learn single pictures here"
    )
    raise UserError(f"--augment {plan.augment}: {name} {why}, so there is nothing to augment. Leave it out.")


def augmented(model: Game, plan: Plan) -> Game:
    """The model with the augmentation of the plan, before its first step; one that takes none stays as it is."""
    if isinstance(model, ShowsAugmented):
        device = next(model.parameters()).device
        chosen = augmentation_of(plan)
        model.augmentation = chosen.to(device) if isinstance(chosen, AdaptiveAugmentation) else chosen
    return model


def augmentation_numbers(model: Game) -> dict[str, float]:
    """What a line of log.jsonl says of it; reads the device."""
    if not isinstance(model, ShowsAugmented):
        return {}
    return {f"augment_{name}": float(value) for name, value in model.augmentation.numbers().items()}


def augmentation_note(numbers: dict[str, float]) -> str:
    """What stands beside the bar, of a line of log.jsonl: "augment p 0.12"; "" without an adaptive augmentation."""
    p = numbers.get("augment_p")
    return "" if p is None else f"augment p {p:.2f}"
