"""Label accuracy: the share of pictures in which a classifier sees the class that the generator was asked for.

Odena et al. 2017, Conditional Image Synthesis with Auxiliary Classifier GANs. https://arxiv.org/abs/1610.09585

A conditional generator may ignore its labels, or draw one class for another; distances between sets do not tell, as
long as each class is drawn as often as it should be. The classifier is one of the domain (`ganvas features train`); it
errs too, so its share on real pictures with their own labels stands beside the value.

Standard error: binomial, ``sqrt(p (1 - p) / (n - 1))``.

Departs from the paper: the classifier is of the user's own classes and not Inception; each class has its own value.
"""

import math
from collections.abc import Sequence

from jaxtyping import Float, Int64
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result

NAME = "label_accuracy"
TITLE = "Label accuracy"
BETTER = "higher"
SEES = "labelled pictures"
MINIMUM = 2
COST = "every picture through the classifier"
COMMAND = "ganvas measure RUN --classifier FILE"

ERROR_METHOD = "binomial"


def label_accuracy(
    asked: Int64[Tensor, " n"],
    logits: Float[Tensor, "n k"],
    *,
    classes: Sequence[str],
    asked_of: Sequence[str],
    seed: int,
    protocol: str,
) -> list[Result]:
    """The share over all pictures ("label_accuracy") and, of several classes, of each ("label_accuracy.cat").

    Args:
        asked: The class that each picture was asked to be of, an index into ``asked_of``.
        logits: What the classifier says of each picture.
        classes: The classifier's, by name.
        asked_of: The generator's, by name.
        protocol: How the pictures came about, and which classifier looks.

    Raises:
        UserError: fewer than ``MINIMUM`` pictures, or a class that the classifier does not know was asked for.
    """
    if len(asked) < MINIMUM:
        raise UserError(f"{TITLE} needs at least {MINIMUM} pictures, and there are {len(asked)}.")
    wanted = sorted(int(one) for one in asked.unique())
    unknown = [asked_of[one] for one in wanted if asked_of[one] not in classes]
    if unknown:
        raise UserError(
            f"The classifier knows the classes {', '.join(classes)}, and {unknown[0]} is asked for. Train one on the "
            "pictures that the run has learnt from: ganvas features train SRC -o FILE."
        )
    names = [classes[one] for one in logits.argmax(1).tolist()]
    right = [name == asked_of[one] for name, one in zip(names, asked.tolist(), strict=True)]
    results = [_share(NAME, right, seed=seed, protocol=protocol)]
    for one in wanted if len(wanted) > 1 else ():
        of_class = [hit for hit, label in zip(right, asked.tolist(), strict=True) if label == one]
        results.append(_share(f"{NAME}.{asked_of[one]}", of_class, seed=seed, protocol=protocol))
    return results


def _share(metric: str, right: Sequence[bool], *, seed: int, protocol: str) -> Result:
    n = len(right)
    share = sum(right) / n
    return Result(
        metric=metric,
        value=share,
        standard_error=math.sqrt(share * (1 - share) / (n - 1)) if n > 1 else None,
        error_method=ERROR_METHOD,
        n=n,
        seed=seed,
        better=BETTER,
        protocol=protocol,
    )
