"""One process of test_two_ranks.py: a few steps in float64 at every stage of one model after another.

``torchrun ... one_of_several_ranks.py FOLDER KIND ...`` writes weights, and what is remembered, of these kinds to
FOLDER/KIND.safetensors. A kind is the progressive GAN by what its minibatch statistic is of (groups, whole, classes),
another model, a model that is started from data and drops units at random (calibrated), or one whose processes go apart
for some steps (apart).
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from ganvas.core.ranks import Ranks, joined
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.data.holes.hole_laws import known_law
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.capabilities import Fills, classes_of
from ganvas.losses.game import Batch, Game
from ganvas.losses.likelihoods.line_likelihood import ended
from ganvas.losses.likelihoods.logistic_mixture import whole_colours
from ganvas.models.autoregressive import pixelcnn_pp
from ganvas.models.detect import csp
from ganvas.models.diffusion import edm
from ganvas.models.fill import gated
from ganvas.models.flow import glow, realnvp
from ganvas.models.gan import (
    acgan,
    gan,
    minibatch_discrimination,
    ot_gan,
    progan,
    r3gan,
    ssgan_semi,
    stylegan2,
    wgan_gp,
)
from ganvas.models.graphs import autoregressive, molgan, netgan
from ganvas.models.sound import wavegan
from ganvas.models.style import adaptive
from ganvas.models.text import maligan, scratchgan, seqgan
from ganvas.models.translate import cyclegan
from ganvas.models.vae import aae, autoencoder, vae_gan
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager, LocalSteps
from ganvas.train.feeds.picture_feed import masks
from ganvas.train.past_views import views_of
from ganvas.train.plan import Plan
from ganvas.train.state import State, new_state
from ganvas.train.step import set_learning_rate

OTHERS = {
    "domains": lambda: cyclegan.Model(cyclegan.TINY),
    "adaptive": lambda: adaptive.Model(replace(adaptive.TINY, win_rate=0.5, win_memory=0.5)),  # Both players move.
    "gated": lambda: gated.Model(gated.TINY),
    "domains_batch": lambda: cyclegan.Model(replace(cyclegan.TINY, norm="batch")),
    "stylegan2": lambda: stylegan2.Model(stylegan2.TINY),
    "r3gan": lambda: r3gan.Model(r3gan.TINY.fitted(0.032)),
    "wgan_gp": lambda: wgan_gp.Model(wgan_gp.TINY),
    "ot_gan": lambda: ot_gan.Model(ot_gan.TINY),
    "closeness": lambda: minibatch_discrimination.Model(minibatch_discrimination.TINY),
    "feature_matching": lambda: minibatch_discrimination.Model(
        replace(minibatch_discrimination.TINY, objective="feature_matching")
    ),
    "autoencoder": lambda: autoencoder.Model(replace(autoencoder.TINY, noise=0.1, masked=0.1)),
    "vae_gan": lambda: vae_gan.Model(vae_gan.TINY),
    "wavegan": lambda: wavegan.Model(wavegan.TINY),
    "csp": lambda: csp.Model(csp.TINY),
    "aae": lambda: aae.Model(replace(aae.TINY, num_classes=3)),
    "gan": lambda: gan.Model(gan.TINY),
    "acgan": lambda: acgan.Model(replace(acgan.TINY, num_classes=3)),
    "ssgan_semi": lambda: ssgan_semi.Model(replace(ssgan_semi.TINY, num_classes=3, input_dropout=0.2)),
    "realnvp": lambda: realnvp.Model(realnvp.TINY),
    "glow": lambda: glow.Model(glow.TINY),
    "edm": lambda: edm.Model(edm.TINY),
    "seqgan": lambda: seqgan.Model(seqgan.TINY),
    "maligan": lambda: maligan.Model(maligan.TINY),
    "scratchgan": lambda: scratchgan.Model(scratchgan.TINY),
    "molgan": lambda: molgan.Model(molgan.TINY),
    "netgan": lambda: netgan.Model(netgan.TINY),
    "graph_autoregressive": lambda: autoregressive.Model(autoregressive.TINY),
}
MOVES = {Domains: 6, Lines: 4, Graphs: 4}  # Pools of three are full after the first step; rewards come later.
CALIBRATED = "calibrated"
APART = "apart "  # Before a kind: with local steps and views of the past, once left alone and once killed and resumed.


def main() -> None:
    folder, kinds = Path(sys.argv[1]), sys.argv[2:]
    torch.set_default_dtype(torch.float64)
    with joined(torch.device("cpu")) as ranks:
        for kind in kinds:
            if kind.startswith(APART):
                save_file(apart(kind.removeprefix(APART), ranks), folder / f"{kind}-{ranks.rank}.safetensors")
                continue
            state = calibrated(ranks) if kind == CALIBRATED else trained(kind, ranks)
            if ranks.first:
                save_file(state.tensors() | {}, folder / f"{kind}.safetensors")


def trained(kind: str, ranks: Ranks) -> State:
    """Some steps at every stage."""
    model = OTHERS[kind]() if kind in OTHERS else grown(kind)
    initialise(model, stream(0, "weights"))
    leave_kinks(model)
    state = new_state(model.double())
    executor = Eager(state, seed=0, ranks=ranks, precision=torch.float32)  # Nothing is lowered.
    for stage in model.schedule().stages():
        for _ in range(MOVES.get(model.batch_type, 2)):
            set_learning_rate(state, stage.lr)
            executor.step(shared(whole_batch(model, stage, state.nimg), ranks), stage)
            state.nimg, state.step = state.nimg + 8, state.step + 1
    return state


def apart(kind: str, ranks: Ranks) -> dict[str, torch.Tensor]:
    """The states of two runs with local steps, delays and histories, of which the second is saved and resumed."""
    found = {}
    for name, stop in (("alone", None), ("resumed", 4)):
        state = with_past(kind)
        for step in range(6):
            if step == stop:
                saved, state = state, with_past(kind)
                state.restore(saved.tensors(), saved.numbers())
            state = apart_step(state, ranks)
        found |= {f"{name}/{key}": tensor for key, tensor in state.tensors().items()}
    return found


def apart_step(state: State, ranks: Ranks) -> State:
    """One step; every second one brings the processes together."""
    stage = state.model.schedule().at(state.nimg)
    executor = LocalSteps(state, seed=0, ranks=ranks, precision=torch.float32, steps=2)
    set_learning_rate(state, stage.lr)
    executor.step(shared(whole_batch(state.model, stage, state.nimg), ranks), stage)
    state.nimg, state.step = state.nimg + 8, state.step + 1
    executor.settle(due=False)
    return state


def with_past(kind: str) -> State:
    """The beginning of a run whose first phase sees the others late, and the second one of their past moments."""
    model = OTHERS[kind]()
    initialise(model, stream(0, "weights"))
    state = new_state(model.double())
    first, second = (phase.name for phase in state.phases[:2])
    state.views = views_of(model, state.phases, Plan(delays=(f"{first}:2",), histories=(f"{second}:3",)))
    return state


@torch.no_grad()
def leave_kinks(model: nn.Module) -> None:
    """A flow's masked pixels are 0: with a shift that starts at 0, a ReLU after it has the slope that rounding says."""
    for key, parameter in model.named_parameters():
        if key.endswith("norm.shift") and not parameter.any():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=stream(11, key)))


def calibrated(ranks: Ranks) -> State:
    """PixelCNN++, started from the same data on every rank."""
    model = pixelcnn_pp.Model(replace(pixelcnn_pp.TINY, dropout=0.5))
    initialise(model, stream(0, "weights"))
    state = new_state(model.double())
    stage = model.schedule().at(0)
    set_learning_rate(state, stage.lr)
    model.calibrate(Pictures(images=small_pictures(0)))
    state.restart_averages()
    executor = Eager(state, seed=0, ranks=ranks, precision=torch.float32)
    for step in range(4):
        executor.step(Pictures(images=ranks.share(small_pictures(step))), stage)
        state.nimg, state.step = state.nimg + 8, state.step + 1
    return state


def small_pictures(step: int) -> torch.Tensor:
    """Eight random pictures of whole colours, the same on every rank."""
    return whole_colours(torch.rand(8, 3, 8, 8, generator=stream(step, "reals")) * 2 - 1)


def grown(statistic: str) -> progan.Model:
    """The progressive GAN with one form of its minibatch statistic, or with classes."""
    group_size, classes = None if statistic == "whole" else 2, 3 if statistic == "classes" else 0
    return progan.Model(replace(progan.TINY, group_size=group_size, num_classes=classes))


def whole_batch(model: Game, stage: Stage, nimg: int) -> Batch:
    """Eight random samples of the model's kind."""
    if model.batch_type is Domains:
        return domains(model.config, nimg)
    if model.batch_type is Sounds:
        return Sounds(waves=torch.rand(8, model.config.length, generator=stream(nimg, "reals")) * 2 - 1)
    if model.batch_type is Lines:
        line = model.config.line
        return Lines(tokens=ended(torch.randint(line.alphabet, (8, line.length), generator=stream(nimg, "reals"))))
    if model.batch_type is Graphs:
        return Graphs(tables=tables(model.config.graph, stream(nimg, "reals")))
    if model.batch_type is BoxedPictures:
        corner = torch.rand(8, 2, 2, generator=stream(nimg, "boxes")) * 12
        kinds = torch.arange(16).view(8, 2) % 3 - 1
        images = pictures(model.config, stage, nimg).images
        return BoxedPictures(images=images, corners=torch.cat([corner, corner + 12], -1), kinds=kinds)
    if isinstance(model, Fills):
        return with_holes(pictures(model.config, stage, nimg), model, nimg)
    return pictures(model.config, stage, nimg)


def pictures(config: Any, stage: Stage, nimg: int) -> Pictures:
    """Eight random pictures at the resolution of a stage."""
    size = [side // stage.shrink for side in config.picture.size]
    return Pictures(
        images=torch.rand(8, config.picture.channels, *size, generator=stream(nimg, "reals")) * 2 - 1,
        labels=torch.arange(8) % 3 if classes_of(config) else None,
        fade=torch.tensor(stage.fade, dtype=torch.float32) if stage.fading else None,
    )


def with_holes(batch: Pictures, model: Fills, nimg: int) -> Pictures:
    """The pictures with what the model is to fill in."""
    law, positions = known_law(model.holes), torch.arange(nimg, nimg + 8)
    height, width = batch.images.shape[2:]
    return replace(batch, mask=masks(law, positions, (height, width), seed=0).to(batch.images))


def tables(graph: GraphSize, rng: torch.Generator) -> torch.Tensor:
    """Eight random graphs without absent nodes."""
    edges = torch.randint(graph.edge_kinds + 1, (8, graph.nodes, graph.nodes), generator=rng).triu(1)
    kinds = torch.randint(1, graph.node_kinds + 1, (8, graph.nodes), generator=rng)
    return edges + edges.mT + torch.diag_embed(kinds)


def domains(config: Any, nimg: int) -> Domains:
    """Eight random pictures of each of two domains."""
    a, b = (torch.rand(8, 3, *config.picture.size, generator=stream(nimg, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b)


def shared(whole: Batch, ranks: Ranks) -> Batch:
    """This rank's rows; a single number is everybody's."""
    return whole.map(lambda tensor: ranks.share(tensor) if tensor.ndim else tensor)


if __name__ == "__main__":
    main()
