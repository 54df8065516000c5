"""Neighbours of a drawn picture: the nearest training pictures, beside the nearest of as many that were held out."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.number_text import number
from ganvas.dissect.latents.held_out import fresh_scenes, held_out, rows_of_colours, some_of
from ganvas.report.pictures.grid import grid, png
from ganvas.report.web import page
from ganvas.report.web.page import Html, element
from ganvas.train.trained import Trained

MOST = 2048  # Pictures of either kind.
NEAREST = 4
SIDE = 96  # Pixels of the screen, at least.


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbourhood:
    """Pictures among which neighbours are looked for."""

    seen: UInt8[Tensor, "n h w c"]
    unseen: UInt8[Tensor, "n h w c"] | None
    why_none: str  # That nothing was held out.


def neighbourhood(kept: Trained) -> Neighbourhood:
    """The training pictures of a run and, of one on scenes, as many fresh ones.

    Raises:
        UserError: the training pictures are not there any more.
    """
    packed = kept.reals(quiet=True)
    try:
        fresh = held_out(kept, fresh_scenes(kept, most=MOST), quiet=True)
    except UserError:
        why = f"Of {kept.data['spec']} it is not known which pictures the run never saw; name them to the command."
        return Neighbourhood(seen=some_of(packed, MOST, 0), unseen=None, why_none=why)
    count = min(len(packed), len(fresh), MOST)
    return Neighbourhood(seen=some_of(packed, count, 0), unseen=some_of(fresh, count, 0), why_none="")


def neighbours_view(drawn: UInt8[np.ndarray, "h w c"], among: Neighbourhood, command: str) -> Html:
    """The nearest of both kinds, with their distances."""
    row = rows_of_colours(torch.from_numpy(drawn)[None])
    figures, said = [], []
    for name, pictures in (("training", among.seen), ("held-out", among.unseen)):
        if pictures is None:
            continue
        exact = "donot_use_mm_for_euclid_dist"  # A picture is at no distance from itself.
        apart = torch.cdist(row, rows_of_colours(pictures), compute_mode=exact)[0]
        best = apart.topk(min(NEAREST, len(apart)), largest=False)
        told = ", ".join(number(float(one), digits=3) for one in best.values)
        figures.append(page.figure(_picture(pictures[best.indices], name), f"Nearest {name} pictures, at {told}"))
        said.append(float(best.values[0]))
    return page.join(
        element("div", *figures, class_="fields"),
        page.note(among.why_none or _verdict(said[0], said[-1], len(among.seen))),
        page.command(command),
    )


def _verdict(seen: float, unseen: float, count: int) -> str:
    """One picture proves little, and the verb counts over many."""
    nearer = "a training picture" if seen < unseen else "a held-out picture"
    return (
        f"By pixels, {nearer} is the nearest of {count:,} of either kind. Of a model that has not memorised its data, "
        "half of what it draws is nearer to either; over many pictures this counts them:"
    )


def _picture(pictures: UInt8[Tensor, "k h w c"], name: str) -> Html:
    row = grid(pictures.numpy(), columns=len(pictures), scale=max(SIDE // pictures.shape[1], 1))
    return page.picture(png(row), f"The nearest {name} pictures")
