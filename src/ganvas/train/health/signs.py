"""The vital signs of a game at one moment: what its discriminator tells apart, how varied its samples are, and so on.

Every one is a plain number. All but the gradients are taken in evaluation mode, from streams and specimens of their
own, so that training goes on as if nobody had looked.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.schedule import Stage
from ganvas.core.shapes import PerSample, Samples
from ganvas.losses.capabilities import HasLatents, Inverts, Judges
from ganvas.losses.game import Game
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.train.augmented import augmentation_numbers
from ganvas.train.health.specimens import Rows, Specimens
from ganvas.train.monitors import enlarge
from ganvas.train.sampling.drawn import drawn_labels, drawn_samples
from ganvas.train.state import Player, State

SENT_BACK = 64  # Samples whose way to a latent and back is looked at.
LOST = 1e6  # What an inverse that leads nowhere counts as.
COPIED_WITHIN = 0.25  # Of the usual distance from a training sample to the next one: what is nearer is a copy.

Signs = dict[str, float]
OtherSamples = Float[Tensor, " m"]  # One value per sample of another set.


def vital_signs(state: State, stage: Stage, specimens: Specimens | None, *, seed: int, counts: Sequence[int]) -> Signs:
    """All signs that the model has the means for.

    Args:
        specimens: What drawn samples and verdicts are held against; None does not look at them.
        counts: Samples of the data by class, for a model with classes; empty for others.
    """
    found = of_weights(state.players) | of_gradients(state.players) | augmentation_numbers(state.model)
    if specimens is not None and isinstance(state.model, Inverts):
        with at_rest(state.model), torch.no_grad():
            found |= of_inverse(state.model, specimens)
    if specimens is not None and isinstance(state.model, HasLatents) and isinstance(state.model, Judges):
        with at_rest(state.model), torch.no_grad(), watched_layers(state.players) as layers:
            fakes = _fakes(state.model, stage, specimens, seed=seed, counts=counts)
            cut = partial(_whole_groups, state.model)
            held_out = specimens.held_out
            held_out = None if held_out is None else state.model.judge(cut(held_out), stage=stage)
            train, fake = (state.model.judge(cut(samples), stage=stage) for samples in (specimens.train, fakes))
            found |= of_verdicts(train, fake, held_out) | of_fakes(fakes, specimens) | layers
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _whole_groups(model: Game, samples: Samples) -> Float[Tensor, "m *shape"]:
    """As many samples as make whole groups of those that the model compares: 48 of 50 in groups of 4."""
    group = math.lcm(*(layer.group_size or 1 for layer in model.modules() if isinstance(layer, MinibatchStdDev)))
    return samples[: max(len(samples) // group, 1) * group]


def of_inverse(model: Inverts, specimens: Specimens) -> Signs:
    """How far samples are from where they were after the way to their latents and back, at the worst of them.

    As a share of the largest number among the samples: of pictures, half of the range of colours. A way back that is
    no number at all counts as a share of :data:`LOST`.
    """
    samples = specimens.train[:SENT_BACK]
    error = model.inverse_error(samples).nan_to_num(nan=math.inf).max() / samples.abs().max().clamp_min(1e-12)
    return {"inverse_error": min(float(error), LOST)}


@contextmanager
def at_rest(model: Game) -> Iterator[Game]:
    """The model in evaluation mode while inside: nothing of it moves."""
    try:
        yield model.eval()
    finally:
        model.train()


@contextmanager
def watched_layers(players: Sequence[Player]) -> Iterator[Signs]:
    """While inside, the largest root mean square of what a layer of each player says is noted: "activations/D".

    What says one number of a sample is left out: the level of a critic means nothing.
    """
    largest: Signs = {}

    def hook(key: str) -> Callable[[nn.Module, object, object], None]:
        def look(module: nn.Module, given: object, output: object) -> None:
            if isinstance(output, Tensor) and output.is_floating_point() and output.numel() > len(output):
                size = float(output.detach().square().mean(dtype=torch.float64).sqrt())
                largest[key] = max(largest.get(key, 0.0), size)

        return look

    layers = [
        (f"activations/{player.key}", layer)
        for player in players
        for layer in player.module.modules()
        if not list(layer.children())
    ]
    handles = [layer.register_forward_hook(hook(key)) for key, layer in layers]
    try:
        yield largest
    finally:
        for handle in handles:
            handle.remove()


def told_apart(above: PerSample, below: OtherSamples) -> float:
    """``P(a > b) + P(a = b) / 2`` of two sets of verdicts: 1/2 where they are alike, whatever their level.

    >>> told_apart(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 2.0]))
    0.875
    """
    differences = above[:, None] - below
    return float((differences > 0).double().mean() + 0.5 * (differences == 0).double().mean())


def of_verdicts(train: PerSample, fake: PerSample, held_out: OtherSamples | None) -> Signs:
    """How surely the discriminator tells reals from fakes, and training samples from held-out ones."""
    everything = torch.cat([train, fake])
    found = {
        "reals_over_fakes": told_apart(train, fake),
        "verdicts_spread": float(everything.std() / everything.abs().mean().clamp_min(1e-12)),
    }
    if held_out is not None:
        found |= {
            "held_out_over_fakes": told_apart(held_out, fake),
            "reals_over_held_out": told_apart(train, held_out),
        }
    return found


def of_fakes(fakes: Samples, specimens: Specimens) -> Signs:
    """How varied drawn samples are beside as many training ones, and how many of them are copies.

    Variety is the lesser of two ratios, drawn to real: of the mean distance between two samples, which falls when all
    become one, and of the median distance to the next, which falls when few are drawn again and again.
    """
    drawn, real, gallery = specimens.rows(fakes), specimens.rows(specimens.train), specimens.gallery
    pairs = _share(torch.pdist(drawn).mean(), torch.pdist(real).mean())
    nexts = _share(_next_distances(drawn).median(), _next_distances(real).median())
    usual = torch.cdist(real, gallery).topk(2, largest=False).values[:, 1].median()  # The nearest is the sample itself.
    copies = torch.cdist(drawn, gallery).amin(1) < COPIED_WITHIN * usual
    return {"variety": min(pairs, nexts), "copies": float(copies.double().mean())}


def of_weights(players: list[Player]) -> Signs:
    """The norm of all weights of each player."""
    return {f"weights/{player.key}": _norm(list(player.parameters.values())) for player in players}


def of_gradients(players: list[Player]) -> Signs:
    """The norm of the gradient of each player's last move, where it has one."""
    grads = {player.key: [p.grad for p in player.parameters.values() if p.grad is not None] for player in players}
    return {f"gradient/{key}": _norm(listed) for key, listed in grads.items() if listed}


def _next_distances(rows: Rows) -> PerSample:
    """From each row to the nearest other one."""
    return torch.cdist(rows, rows).fill_diagonal_(math.inf).amin(1)


def _share(part: Tensor, whole: Tensor) -> float:
    return float(part / whole.clamp_min(torch.finfo(whole.dtype).tiny))


def _norm(tensors: Sequence[Tensor]) -> float:
    norms = torch.stack([tensor.detach().norm(dtype=torch.float64) for tensor in tensors])
    return float(norms.norm())


def _fakes(model: Game, stage: Stage, specimens: Specimens, *, seed: int, counts: Sequence[int]) -> Samples:
    """As many as there are training specimens, at their size: a model that still grows draws smaller ones."""
    n = len(specimens.train)
    labels = drawn_labels(n, seed=seed, counts=counts) if counts else None
    fakes = torch.cat(list(drawn_samples(model, n, seed=seed, purpose="health", labels=labels, stage=stage)))
    return enlarge(fakes, specimens.train.shape[-2] // fakes.shape[-2]) if fakes.ndim == 4 else fakes
