"""The gradient noise scale: how many samples a batch needs until its gradient says more than chance.

McCandlish, Kaplan, Amodei and others: An Empirical Model of Large-Batch Training (2018),
https://arxiv.org/abs/1812.06162. With the gradient G of the whole data and the covariance S of that of one sample,
``B_simple = tr(S) / |G|^2``. A batch that is much smaller could be larger at hardly more steps, one that is much larger
could be smaller; B_simple is the critical batch where one step of SGD on a quadratic bowl is all there is to it. Of
games it is a measurement, and no theory.

Both numbers come from two batch sizes (appendix A of the paper): batches of a run, and all of them together. They
are drawn at one state of the networks, whose gradients so differ by chance alone, and each from a pass of its own over
the data, so that they are independent however few samples there are. Every phase is measured, and each of its terms by
itself, because a gradient penalty has a scale of its own and may drown that of what it holds in check.

Departs from the paper: it splits the batch of a step in two and averages over many steps; here training goes on as if
nobody had measured.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.number_text import number, with_error
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.losses.game import Phase, Terms
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.train.feeds.feed import Feed
from ganvas.train.health.signs import Signs
from ganvas.train.state import State
from ganvas.train.step import let_move, means_of_terms, new_streams, seed_streams, terms_of

SEEN = 2.0  # Standard errors that |G|^2 must be above 0, or the noise hides the gradient.
NEVER_TRAINED_ON = 2**30  # The first pass over the data that batches come from: no run gets so far.
WHOLE_BATCH = (BatchNorm2d, MinibatchDiscrimination)  # Layers that couple all its samples.

Gram = Float[Tensor, "m m"]  # Products of the gradients of m batches with each other, float64.


@dataclass(frozen=True, kw_only=True)
class NoiseScale:
    """What the gradients of equally large batches say.

    Attributes:
        signal: ``|G|^2``, unbiased: it may come out below 0.
        noise: ``tr(S)`` of one sample, unbiased.
        scale: ``noise / signal`` in samples; None where the noise hides the gradient.
        error: Its standard error, by the jackknife over batches.
        beyond: Samples whose mean gradient was not told from 0, where there is no scale: it is about as large or more.
    """

    signal: float
    noise: float
    scale: float | None
    error: float | None
    beyond: int | None


def noise_scale(gram: Gram, batch_size: int) -> NoiseScale:
    """``|G|^2``, the mean product of two different batches' gradients, and ``tr(S) = b / (m - 1) sum |g_i - g|^2``.

    The same as from the squared norms of the gradients of b and of m b samples. The ratio is that of the two means: a
    mean of ratios would be biased.

    Args:
        gram: Of three batches or more.
        batch_size: Samples of each, b.
    """
    signal, noise = _moments(gram.sum(), gram.trace(), len(gram), batch_size)
    without = gram.sum() - 2 * gram.sum(1) + gram.diagonal()
    less_signal, less_noise = _moments(without, gram.trace() - gram.diagonal(), len(gram) - 1, batch_size)
    if not signal > SEEN * _jackknife(less_signal):
        beyond = batch_size * len(gram)
        return NoiseScale(signal=float(signal), noise=float(noise), scale=None, error=None, beyond=beyond)
    error = float(_jackknife(less_noise / less_signal))
    return NoiseScale(signal=float(signal), noise=float(noise), scale=float(noise / signal), error=error, beyond=None)


def _moments(total: Tensor, own: Tensor, count: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """Signal and noise of ``count`` batches, of the sum of all their products and of that of squares alone."""
    return (total - own) / (count * (count - 1)), batch_size / (count - 1) * (own - total / count)


def _jackknife(without: Float[Tensor, " m"]) -> Tensor:
    """The standard error of a statistic, of its values without one batch each."""
    return ((len(without) - 1) * without.var(correction=0)).sqrt()


def unit_of(model: nn.Module, batch_size: int) -> int:
    """How many samples have a gradient together: 1, a group of minibatch standard deviation, or the whole batch.

    Batch norm and minibatch discrimination couple a whole batch: then the scale holds for batches of this size, because
    in larger ones the gradient itself would be another.
    """
    layers = list(model.modules())
    if any(isinstance(layer, WHOLE_BATCH) for layer in layers):
        return batch_size
    groups = [layer.group_size or batch_size for layer in layers if isinstance(layer, MinibatchStdDev)]
    return min(max(groups, default=1), batch_size)


@dataclass(frozen=True, kw_only=True)
class NoiseProbe:
    """Measures the noise scale of every phase of a run, and of each of its terms.

    Costs about ``count`` steps and the memory of as many gradients. All ranks take part, each with its share.

    Attributes:
        count: Batches, three or more.
        samples: Of the data: a pass is as long.
    """

    feed: Feed
    count: int
    samples: int
    seed: int
    ranks: Ranks
    precision: torch.dtype

    def signs(self, state: State, stage: Stage) -> Signs:
        """Signal, noise and scale by phase, "noise_scale/D", and by term where there are several, with the unit."""
        rows: dict[str, list[list[Tensor]]] = {}
        unit = unit_of(state.model, stage.batch_size)
        for index in range(self.count):
            position = (NEVER_TRAINED_ON + state.step * self.count + index) * self.samples
            with unmoved(state.model):
                for phase, terms in self._judged(state, stage, position):
                    unit = stage.batch_size if any(term.ndim == 0 for term in terms.values()) else unit
                    for name, gradient in self._gradients(state, phase, terms).items():
                        rows.setdefault(name, []).append(gradient)
        signs = {"noise_unit": float(unit)}
        for name, gradients in rows.items():
            signs |= _named(name, noise_scale(gram(gradients), stage.batch_size))
        return signs

    def _judged(self, state: State, stage: Stage, position: int) -> Iterator[tuple[Phase, Terms]]:
        """Every phase with its terms on the batch at a position, whether or not its turn has come."""
        batch = replace(self.feed.batch(position, stage), ranks=self.ranks)
        streams = new_streams(state.phases, batch.device)
        seed_streams(streams, state.phases, seed=derive_seed(self.seed, "noise scale"), nimg=position)
        with torch_seeded(derive_seed(self.seed, "noise scale", position), batch.device):
            for phase, stream in zip(state.phases, streams, strict=True):
                let_move(state.model, state.player_of(phase).parameters.values())
                yield phase, terms_of(phase, batch.with_rng(stream.loss), self.precision)

    def _gradients(self, state: State, phase: Phase, terms: Terms) -> dict[str, list[Tensor]]:
        """The gradient of a phase by what its player moves, over all ranks; of each term too where it has several."""
        parameters = list(state.player_of(phase).parameters.values())
        found: dict[str, list[Tensor]] = {}
        for name, mean in means_of_terms(phase, terms).items():
            found[name] = _gradient(mean * phase.weight, parameters)
            self.ranks.average_(found[name])
        total = [torch.stack(parts).sum(0) for parts in zip(*found.values(), strict=True)]
        return {phase.name: total} | (found if len(found) > 1 else {})


@contextmanager
def unmoved(model: nn.Module) -> Iterator[None]:
    """While inside, losses may move running statistics and the vectors of spectral norms; they are put back after."""
    before = [buffer.clone() for buffer in model.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(model.buffers(), before, strict=True):
                buffer.copy_(value)


def gram(rows: Sequence[Sequence[Tensor]]) -> Gram:
    """Products of gradients with each other, each given as one tensor per parameter; summed in float64."""
    total = torch.zeros(len(rows), len(rows), dtype=torch.float64)
    for parts in zip(*rows, strict=True):
        flat = torch.stack(parts).reshape(len(rows), -1).double()
        total += (flat @ flat.T).cpu()
    return total


def _gradient(mean: Tensor, parameters: Sequence[Tensor]) -> list[Tensor]:
    """Of one term; 0 where a parameter has no part in it."""
    if not mean.requires_grad:
        return [torch.zeros_like(parameter) for parameter in parameters]
    found = torch.autograd.grad(mean, parameters, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if part is None else part.detach() for p, part in zip(parameters, found, strict=True)]


def _named(name: str, found: NoiseScale) -> Signs:
    """As numbers of a check-up: a scale with its error, or what it lies beyond."""
    signs = {f"signal/{name}": found.signal, f"noise/{name}": found.noise}
    if found.scale is not None and found.error is not None:
        return signs | {f"noise_scale/{name}": found.scale, f"noise_scale_error/{name}": found.error}
    return signs | {f"noise_scale_beyond/{name}": float(found.beyond or 0)}


def noise_note(signs: Signs) -> str:
    """Beside the bar: "noise scale of D 310 ± 40, of G beyond 512"; "" where it was not measured."""
    phases = [name.partition("/")[2] for name in signs if name.startswith("signal/") and name.count("/") == 1]
    told = [f"of {phase} {_scale_text(phase, signs)}" for phase in phases]
    return f"noise scale {', '.join(told)}" if told else ""


def _scale_text(phase: str, signs: Signs) -> str:
    if f"noise_scale/{phase}" in signs:
        return with_error(signs[f"noise_scale/{phase}"], signs[f"noise_scale_error/{phase}"])
    return f"beyond {number(signs[f'noise_scale_beyond/{phase}'])}"
