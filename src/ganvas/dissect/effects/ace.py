"""A set of units found by optimisation: those that together make a label appear when inserted and go when silenced.

Bau et al. 2019, GAN Dissection, section 3.3 (https://arxiv.org/abs/1811.10597): every unit gets a strength ``alpha`` in
[0, 1], and the average causal effect

    ``delta(alpha) = E[s_c | alpha inserted] - E[s_c | alpha silenced]``

is made large while ``alpha`` is kept small. ``s_c`` is the labeller's belief, which has a gradient.

Two forms differ. The paper writes ``-delta + lambda ||alpha||_2`` with lambda = 100; its code descends
``-delta + 0.005 ||alpha||^2``. Both are here; the paper does not say of how many pixels its ``s_c`` is a sum, and here
lambda is taken as belonging to a picture of 256 x 256 (a guess).

Departs from the code: it reads the effect of inserting at the place where the label *is* (``ploc``), although it
inserts at the place where it could be (``cloc``); here the effect is read where the insertion is.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.seeds import stream
from ganvas.dissect.effects.context import cell_shares
from ganvas.dissect.effects.single_units import RANKING
from ganvas.dissect.instrument import UnitEdit
from ganvas.dissect.labellers.labeller import Differentiable, Labeller
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Inputs, Subject

Form = Literal["code", "paper"]
BATCH = 20  # 2 x 10 accumulated, as in the code.
LR = 0.01
CODE_WEIGHT = 0.005
PAPER_WEIGHT, PAPER_PIXELS = 100.0, 256 * 256
PRESENT = 0.5  # Share of a cell from which on the label is there.
EVERYWHERE = 0.1  # Of the mean popularity, added to that of each place (the code).
FEWEST = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Strengths:
    """The result of an optimisation."""

    label: str
    form: Form
    alpha: Float[Tensor, " units"]
    losses: tuple[float, ...]  # One per update.
    pairs: int

    def strongest(self, count: int) -> list[int]:
        """The units with the largest strengths, most first."""
        return self.alpha.argsort(descending=True)[:count].tolist()


@dataclass(frozen=True, kw_only=True, eq=False)
class Spots:
    """Cells of pictures in which a label is, or could be."""

    inputs: Inputs
    present: Int[Tensor, "k 2"]  # Picture and cell.
    candidates: Int[Tensor, "m 2"]
    popularity: Float[Tensor, " m"]  # Of a candidate's cell, for drawing.
    value: Float[Tensor, " units"]  # What is inserted: the mean where the label is.


def optimised(
    subject: Subject,
    labeller: Labeller,
    place: Place,
    label: str,
    *,
    form: Form = "code",
    pictures: int = 256,
    updates: int = 200,
    start: Float[Tensor, " units"] | None = None,
    seed: int = 0,
    quiet: bool = True,
) -> Strengths:
    """Strengths of the units for a label, by Adam at 0.01, clamped to [0, 1] after each update.

    Args:
        start: Where it begins; 0.5 for all units where left out.

    Raises:
        UserError: the labeller has no gradient, or the label is nowhere in the pictures.
    """
    if not isinstance(labeller, Differentiable):
        raise UserError(
            f"The labeller {labeller.identity} has no gradient, which the optimisation follows. Choose another."
        )
    spots = _spots(subject, labeller, place, label, pictures)
    alpha = torch.full((place.units,), 0.5) if start is None else start.clone()
    alpha.requires_grad_()
    optimizer = torch.optim.Adam([alpha], lr=LR)
    number, generator, losses = labeller.labels.index(label), stream(seed, "dissect", "ace"), list[float]()
    with progress(f"units for {label}", updates, unit="updates", quiet=quiet) as report:
        for update in range(updates):
            delta = _delta(subject, labeller, place, spots, alpha, number, generator)
            loss = penalised(delta, alpha, form, cells=place.size[0] * place.size[1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                alpha.clamp_(0, 1)
            losses.append(loss.item())
            report(update + 1)
    return Strengths(label=label, form=form, alpha=alpha.detach(), losses=tuple(losses), pairs=updates * BATCH)


def penalised(delta: Tensor, alpha: Tensor, form: Form, *, cells: int) -> Tensor:
    """The loss of an effect, in shares of a cell, and of strengths."""
    if form == "code":
        return -delta + CODE_WEIGHT * alpha.square().sum()
    return -delta + PAPER_WEIGHT / PAPER_PIXELS * cells * alpha.norm()


def _delta(
    subject: Subject,
    labeller: Differentiable,
    place: Place,
    spots: Spots,
    alpha: Tensor,
    label: int,
    generator: torch.Generator,
) -> Tensor:
    """The effect on a batch of places: what is there when inserted less what is left when silenced."""
    gone = spots.present[torch.randint(len(spots.present), (BATCH,), generator=generator)]
    added = spots.candidates[torch.multinomial(spots.popularity, BATCH, replacement=True, generator=generator)]
    strength = alpha.view(1, -1, 1, 1)
    left = _belief(subject, labeller, place, spots.inputs, gone, strength, torch.zeros(1, 1, 1, 1), label)
    value = spots.value.view(1, -1, 1, 1)
    there = _belief(subject, labeller, place, spots.inputs, added, strength, value, label)
    return there.mean() - left.mean()


def _belief(
    subject: Subject,
    labeller: Differentiable,
    place: Place,
    inputs: Inputs,
    spots: Int[Tensor, "k 2"],
    strength: Tensor,
    value: Tensor,
    label: int,
) -> Float[Tensor, " k"]:
    """The mean belief in a label in a cell of each picture, with the units edited in that cell."""
    cells = place.size[0] * place.size[1]
    where = F.one_hot(spots[:, 1], cells).float().view(-1, 1, *place.size)
    edit = UnitEdit(place=place, strength=strength * where, value=value)
    drawn, _ = subject.run(tuple(each[spots[:, 0]] for each in inputs), edits=[edit])
    belief = F.adaptive_avg_pool2d(labeller.score(drawn)[:, label : label + 1], place.size).flatten(1)
    return belief.gather(1, spots[:, 1:])[:, 0]


@torch.no_grad()
def _spots(subject: Subject, labeller: Labeller, place: Place, label: str, pictures: int) -> Spots:
    number, kept, masks = labeller.labels.index(label), list[Tensor](), list[Tensor]()
    for drawn, maps in subject.seen(pictures, of=RANKING, keep=[place]):
        kept.append(maps[place.name])
        masks.append(labeller.segment(drawn))
    share = cell_shares(torch.cat(masks), number, place.size)
    present = share > PRESENT
    if present.sum() < FEWEST:
        raise UserError(
            f"'{label}' fills a cell of {place.title} in {int(present.sum())} places of {pictures} pictures, and "
            f"{FEWEST} are needed to find its units. Choose another label, another layer, or more pictures."
        )
    popularity = share.mean(0) + EVERYWHERE * share.mean()
    candidates = (share == 0).nonzero()
    if not len(candidates):
        raise UserError(f"'{label}' is in every cell of every picture, so there is no place to put it.")
    values = torch.cat(kept).flatten(2).double()
    value = (values * share[:, None]).sum((0, 2)) / share.sum()
    return Spots(
        inputs=subject.series(RANKING, 0, pictures),
        present=present.nonzero(),
        candidates=candidates,
        popularity=popularity[candidates[:, 1]].float(),
        value=value.float(),
    )
