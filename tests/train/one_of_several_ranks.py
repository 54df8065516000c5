"""One process of test_two_ranks.py: a few steps in float64 at every stage, weights and what is remembered to a file.

``torchrun ... one_of_several_ranks.py KIND FILE``: of the progressive GAN by what its minibatch statistic is of
(groups, whole, classes), or of another model by its name.
"""

import sys
from dataclasses import replace

import torch
from safetensors.torch import save_file

from ganvas.core.ranks import Ranks, joined
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.capabilities import classes_of
from ganvas.losses.game import Batch, Game
from ganvas.models.gan import minibatch_discrimination, ot_gan, progan, r3gan, stylegan2, wgan_gp
from ganvas.models.sound import wavegan
from ganvas.models.translate import cyclegan
from ganvas.models.vae import aae, autoencoder, vae_gan
from ganvas.nn.layers.initialise import initialise
from ganvas.train.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

OTHERS = {
    "domains": lambda: cyclegan.Model(cyclegan.TINY),
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
    "aae": lambda: aae.Model(replace(aae.TINY, num_classes=3)),
}


def main() -> None:
    kind, file = sys.argv[1:]
    torch.set_default_dtype(torch.float64)
    with joined(torch.device("cpu")) as ranks:
        model = OTHERS[kind]() if kind in OTHERS else grown(kind)
        initialise(model, stream(0, "weights"))
        state = new_state(model.double())
        executor = Eager(state, seed=0, ranks=ranks, precision=torch.float32)  # Nothing is lowered.
        for stage in model.schedule().stages():
            for _ in range(2 if kind != "domains" else 6):  # Pools of three are full after the first step.
                set_learning_rate(state, stage.lr)
                whole = whole_batch(model, stage, state.nimg)
                executor.step(shared(whole, ranks), stage)
                state.nimg += 8
                state.step += 1
        if ranks.first:
            save_file(state.tensors() | {}, file)


def grown(statistic: str) -> progan.Model:
    """The progressive GAN with one form of its minibatch statistic, or with classes."""
    group_size, classes = None if statistic == "whole" else 2, 3 if statistic == "classes" else 0
    return progan.Model(replace(progan.TINY, group_size=group_size, num_classes=classes))


def whole_batch(model: Game, stage: Stage, nimg: int) -> Batch:
    """Eight random samples of the model's kind."""
    if model.batch_type is Domains:
        return domains(nimg)
    if model.batch_type is Sounds:
        return Sounds(waves=torch.rand(8, model.config.length, generator=stream(nimg, "reals")) * 2 - 1)
    return pictures(model.config, stage, nimg)


def pictures(config: object, stage: Stage, nimg: int) -> Pictures:
    """Eight random pictures at the resolution of a stage."""
    side = stage.resolution
    return Pictures(
        images=torch.rand(8, 3, side, side, generator=stream(nimg, "reals")) * 2 - 1,
        labels=torch.arange(8) % 3 if classes_of(config) else None,
        fade=torch.tensor(stage.fade, dtype=torch.float32) if stage.fading else None,
    )


def domains(nimg: int) -> Domains:
    """Eight random pictures of each of two domains."""
    a, b = (torch.rand(8, 3, 16, 16, generator=stream(nimg, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b)


def shared(whole: Batch, ranks: Ranks) -> Batch:
    """This rank's rows; a single number is everybody's."""
    return whole.map(lambda tensor: ranks.share(tensor) if tensor.ndim else tensor)


if __name__ == "__main__":
    main()
