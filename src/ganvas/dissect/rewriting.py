"""Rewriting of one association of a layer: what it gives for one kind of input changes, and little else does.

Bau et al. 2020, Rewriting a Deep Generative Model (https://arxiv.org/abs/2007.15646): the weights W of a layer, outputs
by inputs, are a memory that answers a key k (what it reads at a place) with a value W k. For it to answer k* with v*,

    ``W' = W + (v* - W k*) (C^-1 k*)^T / (k*^T C^-1 k*)``,    ``C = E[k k^T]``,

is a change of rank one, exact at k*, and of all that are exact there the one with the least ``E |W' k - W k|^2``.

Here k* is the mean key of the places where a label is, and v* is what leaves some units at 0 there: they are silenced
where the label is and go on elsewhere, where clearing their weights silences them everywhere.

Departs from the paper: a key is the whole patch that a convolution reads, kernel and all, and the solution is the
closed form. (The paper ties a key to one place of the input and descends on the pictures.)
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.dissect.effects.context import cell_shares
from ganvas.dissect.effects.shares import Effect, drawn_shares, effects
from ganvas.dissect.effects.single_units import HELD_OUT, RANKING
from ganvas.dissect.labellers.labeller import Labeller
from ganvas.dissect.permanent import UnitSet, layer_before, path_of
from ganvas.dissect.subject import Subject

PRESENT = 0.5  # Share of a cell from which on the label is there.
FEWEST = 64  # Places with the label.
RIDGE = 1e-3  # Of the mean second moment of a key's numbers, added to C so that it has an inverse.
CLOSE = 1e-4  # Of the largest output: what is rounding.

Weights = Float[Tensor, "m d"]
Key = Float[Tensor, " d"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rewritten:
    """A module with one association rewritten, and what became of its pictures."""

    module: nn.Module
    label: str
    places: int  # Where the label is, which the key is the mean of.
    effects: tuple[Effect, ...]  # On every label, on pictures that the key was not found on.

    def on(self, label: str) -> Effect:
        """The effect on one label."""
        return next(effect for effect in self.effects if effect.label == label)


def rank_one(weights: Weights, second: Float[Tensor, "d d"], key: Key, value: Float[Tensor, " m"]) -> Weights:
    """The weights that answer a key with a value, at the least cost to keys of a second moment."""
    way = torch.linalg.solve(second, key)
    return weights + torch.outer(value - weights @ key, way) / (key @ way)


@torch.no_grad()
def rewritten(
    subject: Subject, labeller: Labeller, chosen: UnitSet, label: str, *, pictures: int, held_out: int
) -> Rewritten:
    """A copy of the subject's module in which units are at 0 where a label is, by a change of rank one.

    Raises:
        UserError: the layer before the units is no plain convolution, or the label is hardly anywhere.
    """
    name = layer_before(subject, chosen.place)
    layer = subject.network.get_submodule(name)
    keys, there = _keys(subject, labeller, chosen, label, layer, pictures)
    weight = _weight(layer, chosen)
    scale, bias = _affine(layer, weight, chosen)
    units = list(chosen.units)
    flat = keys.double().transpose(1, 2).flatten(0, 1)
    second = flat.T @ flat / len(flat)
    second += RIDGE * second.diagonal().mean() * torch.eye(len(second), dtype=second.dtype)
    own = scale * weight.flatten(1).double()[units]
    changed = rank_one(own, second, flat[there.flatten()].mean(0), -bias[units])
    module = copy.deepcopy(subject.module)
    new = _weight(module.get_submodule(path_of(subject)).get_submodule(name), chosen)
    new[units] = (changed / scale).to(new.dtype).view_as(new[units])
    return Rewritten(
        module=module,
        label=label,
        places=int(there.sum()),
        effects=tuple(_effects(subject, module, labeller, held_out)),
    )


def _keys(
    subject: Subject, labeller: Labeller, chosen: UnitSet, label: str, layer: nn.Module, pictures: int
) -> tuple[Float[Tensor, "n d cells"], Bool[Tensor, "n cells"]]:
    """What the layer reads at each place, and where the label is."""
    seen: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    number, there, size = labeller.labels.index(label), list[Tensor](), chosen.place.size
    try:
        for drawn, _ in subject.seen(pictures, of=RANKING):
            there.append(cell_shares(labeller.segment(drawn), number, size) > PRESENT)
    finally:
        hook.remove()
    where = torch.cat(there)
    if where.sum() < FEWEST:
        raise UserError(
            f"'{label}' fills a cell of {chosen.place.title} in {int(where.sum())} places of {pictures} pictures, and "
            f"{FEWEST} are needed to know what the layer reads there. Choose another label, another layer, or more "
            "pictures."
        )
    side = _weight(layer, chosen).shape[-1]
    return torch.cat([F.unfold(part, side, padding=side // 2) for part in seen]), where


def _weight(layer: nn.Module, chosen: UnitSet) -> Float[Tensor, "m c k k"]:
    """Of a convolution that gives the units.

    Raises:
        UserError: it is none.
    """
    for parameter in layer.parameters():
        if parameter.dim() == 4 and len(parameter) == chosen.place.units and parameter.shape[2] == parameter.shape[3]:
            return parameter
    raise _no_convolution(chosen)


def _affine(layer: nn.Module, weight: Tensor, chosen: UnitSet) -> tuple[float, Float[Tensor, " m"]]:
    """By how much the layer scales its weights, and what it adds: found by trying, whoever wrote it.

    Raises:
        UserError: it is not a convolution that keeps the size.
    """
    tried = torch.randn(2, weight.shape[1], *chosen.place.size, generator=torch.Generator().manual_seed(0))
    added = layer(torch.zeros_like(tried))
    given, plain = layer(tried) - added, F.conv2d(tried, weight, padding=weight.shape[-1] // 2)
    if given.shape != plain.shape:
        raise _no_convolution(chosen)
    scale = float((given * plain).sum() / plain.square().sum())
    everywhere = added[:1, :, :1, :1]  # A bias: the same at every place.
    apart = max(float((given - scale * plain).abs().max()), float((added - everywhere).abs().max()))
    if apart > CLOSE * float(given.abs().max()):
        raise _no_convolution(chosen)
    return scale, everywhere.flatten().double()


def _no_convolution(chosen: UnitSet) -> UserError:
    return UserError(
        f"The units of {chosen.place.title} cannot be rewritten for one label: what gives them is no plain convolution "
        "that keeps the size. Choose another layer, or silence them everywhere (leave --where out)."
    )


def _effects(subject: Subject, module: nn.Module, labeller: Labeller, held_out: int) -> Sequence[Effect]:
    network = module.get_submodule(path_of(subject))
    after = replace(subject, module=module, network=network)
    before, then = (drawn_shares(one, labeller, held_out, of=HELD_OUT) for one in (subject, after))
    return effects(before, then, labeller.labels)
