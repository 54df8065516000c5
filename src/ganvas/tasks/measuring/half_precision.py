"""Whether features in bfloat16 give the Fréchet distance that float32 gives: seen on some pictures before all are."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError
from ganvas.tasks.measuring.picture_options import PictureOptions

if TYPE_CHECKING:
    from ganvas.tasks.measuring.sides import Side

PROBE = 512  # Pictures of a side that are looked at twice.
MOVES = 0.01  # What FID may move by: papers print two decimals.
MOVES_PART = 1e-3  # Of the distance, for other networks, whose features have other units.


def require_agreement(
    task: PictureOptions, sides: Sequence["Side"], networks: Mapping[str, Any], metrics: Sequence[str], *, n: int
) -> list[str]:
    """What bfloat16 changes, a sentence per network; nothing where float32 was asked for.

    Args:
        sides: Those with pictures, one or two; of one, its halves are compared.
        networks: By metric, those that compute in bfloat16.
        metrics: All that are asked for, so that a file of weights finds its network.
        n: Pictures that will be drawn from each side; the first of them are looked at.

    Raises:
        UserError: the distance moves by more than a reader of the number would accept.
    """
    seen = {network.identity: (name, network) for name, network in networks.items() if "features" in network.taps}
    if task.precision == "float32" or not seen or not sides:
        return []
    pictures = [_first(side, n) for side in sides]
    x, y = pictures if len(pictures) == 2 else pictures[0].tensor_split(2)
    whole = _in_float32(task, metrics).of([name for name, _ in seen.values()])[0]
    return [_compared(x, y, whole[name], half) for name, half in seen.values()]


def _in_float32(task: PictureOptions, metrics: Sequence[str]) -> Any:
    from ganvas.metrics.accumulators.feature_networks import Networks
    from ganvas.tasks.measuring.sides import chosen_networks

    return Networks(dataclasses.replace(chosen_networks(task), precision="float32"), metrics)


def _compared(x: Any, y: Any, whole: Any, half: Any) -> str:
    from ganvas.metrics.maths.frechet import frechet_from_features

    before, after = (
        frechet_from_features(*(network.extract(side, ["features"])["features"] for side in (x, y)))
        for network in (whole, half)
    )
    name = whole.identity.partition("@")[0]
    said = f"the Fréchet distance of {name} on {min(len(x), len(y))} pictures of each side"
    limit = MOVES if name == "inception" else MOVES_PART * before
    if not abs(after - before) <= limit:
        raise UserError(
            f"bfloat16 moves {said} from {before:.6g} to {after:.6g}, by more than {limit:.2g}. "
            "Measure in float32: leave --precision out."
        )
    return f"bfloat16 moves {said} from {before:.6g} to {after:.6g}."


def _first(side: "Side", n: int) -> Any:
    import torch

    assert side.batches is not None
    return torch.cat(list(side.batches(0, min(PROBE, n), n)))
