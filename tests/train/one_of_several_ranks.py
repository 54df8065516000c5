"""One process of test_two_ranks.py: a few steps of the progressive GAN in float64 at every stage, weights to a file.

``torchrun ... one_of_several_ranks.py groups|whole|classes FILE``
"""

import sys
from dataclasses import replace

import torch
from safetensors.torch import save_file

from ganvas.core.ranks import joined
from ganvas.core.seeds import stream
from ganvas.losses.batches.pictures import Pictures
from ganvas.models.gan.progan import TINY, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate


def main() -> None:
    statistic, file = sys.argv[1:]
    config = replace(
        TINY, group_size=None if statistic == "whole" else 2, num_classes=3 if statistic == "classes" else 0
    )
    torch.set_default_dtype(torch.float64)
    with joined(torch.device("cpu")) as ranks:
        model = Model(config)
        initialise(model, stream(0, "weights"))
        state = new_state(model.double())
        executor = Eager(state, seed=0, ranks=ranks, precision=torch.float32)  # Nothing is lowered.
        for stage in config.growth().stages():
            for _ in range(2):
                side = stage.resolution
                reals = torch.rand(8, 3, side, side, generator=stream(state.nimg, "reals")) * 2 - 1
                labels = torch.arange(8) % 3 if config.num_classes else None
                set_learning_rate(state, stage.lr)
                executor.step(
                    Pictures(
                        images=ranks.share(reals),
                        labels=None if labels is None else ranks.share(labels),
                        fade=torch.tensor(stage.fade, dtype=torch.float32) if stage.fading else None,
                    ),
                    stage,
                )
                state.nimg += 8
                state.step += 1
        if ranks.first:
            save_file(state.tensors() | {}, file)


if __name__ == "__main__":
    main()
