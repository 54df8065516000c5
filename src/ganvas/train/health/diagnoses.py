"""Diagnoses of a game: what its vital signs say, in plain words, since when, and what the literature advises.

Each is a rule over the signs of all check-ups so far, so that a resumed run says what an undisturbed one says. A rule
must hold at several check-ups in a row before it is told; the time told is that of the first of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ganvas.train.health.signs import Signs

COLLAPSED = 0.25  # Variety, as a share of the data's, below which there is little of it ...
VARIED, LATE_KIMG = 0.4, 50.0  # ... where it was above this once, or not by then: every generator begins alike.
PREFERRED = 0.75  # Of pairs, in which a training sample looks more real than a held-out one; 1/2 without overfitting.
COPIED = 0.4  # Of drawn samples; points on a line have a sixth by chance.
VANISHED = 1e-4  # Of the largest gradient that the player has had.
SPEECHLESS = 1e-3  # Spread of verdicts, as a share of their size.
ESCALATED, STARTED = 2.0, 5.0  # Times the size of three check-ups before, and that at the first one.
ESCALATES_FOR = 4  # Check-ups in a row; a single step, as where a network grows by a resolution, is seen at three.
STRAYED = 1 / 255  # Of the range of colours on either side of the middle: half of a whole colour.
LEAKS = 0.8  # Of p: ADA's authors advise to stay below.


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a person should know of a run."""

    name: str
    since_kimg: float
    detail: str
    advice: str

    @property
    def text(self) -> str:
        """In one line: "mode collapse since 42 kimg: variety 12 % of the data's"."""
        return f"{self.name} since {self.since_kimg:.4g} kimg: {self.detail}"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A rule.

    Attributes:
        detail: What the signs of the last check-up say, in words, where the rule holds; "" where it does not.
        persists: Check-ups in a row at which it must hold.
    """

    name: str
    detail: Callable[[Sequence[Signs]], str]
    advice: Callable[[Signs], str]
    persists: int = 2


def findings(history: Sequence[Signs]) -> list[Finding]:
    """What the check-ups so far say of the game as it is now.

    Args:
        history: The signs of each check-up, with its "kimg", in order.
    """
    return [found for one in DIAGNOSES if (found := _found(one, history)) is not None]


def _found(diagnosis: Diagnosis, history: Sequence[Signs]) -> Finding | None:
    streak, detail = 0, ""
    for end in range(len(history), 0, -1):
        words = diagnosis.detail(history[:end])
        if not words:
            break
        streak, detail = streak + 1, detail or words
    if streak < diagnosis.persists:
        return None
    since = history[len(history) - streak]["kimg"]
    return Finding(name=diagnosis.name, since_kimg=since, detail=detail, advice=diagnosis.advice(history[-1]))


def _collapse(history: Sequence[Signs]) -> str:
    now = history[-1]
    variety = now.get("variety", 1.0)
    varied = max(signs.get("variety", 0.0) for signs in history) > VARIED
    if variety >= COLLAPSED or not (varied or now["kimg"] > LATE_KIMG):
        return ""
    return f"variety {100 * variety:.0f} % of the data's"


def _never_varied(history: Sequence[Signs]) -> str:
    """Before it is late enough to call it a collapse."""
    now = history[-1]
    best = max(signs.get("variety", 1.0) for signs in history)
    if best > VARIED or now.get("variety", 1.0) >= COLLAPSED or now["kimg"] > LATE_KIMG:
        return ""
    return f"variety {100 * now['variety']:.0f} % of the data's, {100 * best:.0f} % at best"


def _overfitting(history: Sequence[Signs]) -> str:
    share = history[-1].get("reals_over_held_out", 0.5)
    return f"training samples look more real than held-out ones in {100 * share:.0f} % of pairs" * (share > PREFERRED)


def _copies(history: Sequence[Signs]) -> str:
    share = history[-1].get("copies", 0.0)
    return f"{100 * share:.0f} % of what is drawn lies on a training sample" * (share > COPIED)


def _speechless(history: Sequence[Signs]) -> str:
    now = history[-1]
    spread, share = now.get("verdicts_spread", 1.0), now.get("reals_over_fakes", 1.0)
    return "its verdicts are all the same" * (spread < SPEECHLESS and 0.4 < share < 0.6)


def _vanished(history: Sequence[Signs]) -> str:
    for name, value in history[-1].items():
        largest = max(signs.get(name, 0.0) for signs in history)
        if name.startswith("gradient/") and value < VANISHED * largest:
            return f"that of {name.partition('/')[2]} is {100 * value / largest:.1g} % of what it was"
    return ""


def _escalation(of: Literal["weights", "activations"], history: Sequence[Signs]) -> str:
    if len(history) < 4:
        return ""
    first, before, now = history[0], history[-4], history[-1]
    for name, value in now.items():
        known = name.startswith(f"{of}/") and name in first and name in before
        if known and value > ESCALATED * before[name] and value > STARTED * first[name]:
            return f"those of {name.partition('/')[2]} are {value / first[name]:.0f} times as large as at first"
    return ""


def _leak(history: Sequence[Signs]) -> str:
    p = history[-1].get("augment_p", 0.0)
    return f"p is {p:.2f}" * (p > LEAKS)


def _strayed(history: Sequence[Signs]) -> str:
    error = history[-1].get("inverse_error", 0.0)
    return f"samples come back from their latents changed by up to {error:.2g} of their size" * (error > STRAYED)


def _against_overfitting(signs: Signs) -> str:
    if "augment_p" in signs:
        return "Augmentation follows already; more pictures, or a stronger R1 penalty, would help (Karras et al. 2020)."
    return "--augment ada is made for this (Karras et al. 2020); more pictures help too."


DIAGNOSES = (
    Diagnosis(
        name="mode collapse",
        detail=_collapse,
        advice=lambda signs: (
            "A statistic over the batch in the discriminator (minibatch discrimination, Salimans et al. 2016; standard "
            "deviation, Karras et al. 2018), a gradient penalty, or a lower lr keep generators from it."
        ),
    ),
    Diagnosis(
        name="samples never varied",
        detail=_never_varied,
        advice=lambda signs: (
            "Every generator begins alike; one that stays so may have lost to its discriminator, or move too slowly. A "
            "lower lr of the discriminator, a gradient penalty, or a higher lr of the generator let it begin."
        ),
        persists=12,
    ),
    Diagnosis(name="discriminator overfits", detail=_overfitting, advice=_against_overfitting),
    Diagnosis(
        name="generator copies",
        detail=_copies,
        advice=lambda signs: "Stop earlier, give more pictures, or use --augment ada (Karras et al. 2020).",
    ),
    Diagnosis(
        name="discriminator is blind",
        detail=_speechless,
        advice=lambda signs: (
            "A weaker penalty or a larger clip, or a higher lr for it (two time scales, Heusel et al. 2017)."
        ),
        persists=3,
    ),
    Diagnosis(
        name="gradient vanished",
        detail=_vanished,
        advice=lambda signs: (
            "A non-saturating loss (Goodfellow et al. 2014), or a gradient penalty (Gulrajani et al. 2017), keep "
            "slopes where the discriminator is sure."
        ),
        persists=3,
    ),
    Diagnosis(
        name="weights escalate",
        detail=partial(_escalation, "weights"),
        advice=lambda signs: (
            "A lower lr, a stronger R1 penalty (Mescheder et al. 2018), or spectral normalisation (Miyato et al. 2018) "
            "hold them."
        ),
        persists=ESCALATES_FOR,
    ),
    Diagnosis(
        name="inverse is lost",
        detail=_strayed,
        advice=lambda signs: (
            "What is drawn no longer has the likelihood that is printed. A lower lr, fewer steps, and scales that are "
            "bounded, as sigmoids are, keep the inverse (Behrmann et al. 2021)."
        ),
        persists=1,
    ),
    Diagnosis(
        name="activations escalate",
        detail=partial(_escalation, "activations"),
        advice=lambda signs: (
            "A norm of each layer's output, such as pixelwise normalisation (Karras et al. 2018, section 4.2), a lower "
            "lr, or a penalty on the discriminator's slope keep two players from driving each other up."
        ),
        persists=ESCALATES_FOR,
    ),
    Diagnosis(
        name="augmentation may leak",
        detail=_leak,
        advice=lambda signs: (
            "Near p = 1 generated pictures look turned or tinted: look at the sheets, give more pictures, or lower "
            "augment_cap (Karras et al. 2020, section 2.2)."
        ),
        persists=1,
    ),
)
