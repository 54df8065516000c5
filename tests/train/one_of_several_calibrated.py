"""One process of test_calibrated_ranks.py: PixelCNN++ started from data, a few steps in float64, weights to a file.

``torchrun ... one_of_several_calibrated.py FILE``
"""

import sys
from dataclasses import replace

import torch
from safetensors.torch import save_file

from ganvas.core.ranks import joined
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.logistic_mixture import whole_colours
from ganvas.models.autoregressive.pixelcnn_pp import TINY, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

STEPS = 4


def main() -> None:
    torch.set_default_dtype(torch.float64)
    with joined(torch.device("cpu")) as ranks:
        model = Model(replace(TINY, dropout=0.5))
        initialise(model, stream(0, "weights"))
        state = new_state(model.double())
        stage = model.schedule().at(0)
        set_learning_rate(state, stage.lr)
        model.calibrate(Pictures(images=pictures(0)))
        state.restart_averages()
        executor = Eager(state, seed=0, ranks=ranks, precision=torch.float32)  # Nothing is lowered.
        for step in range(STEPS):
            executor.step(Pictures(images=ranks.share(pictures(step))), stage)
            state.nimg, state.step = state.nimg + 8, state.step + 1
        if ranks.first:
            save_file(state.tensors(), sys.argv[1])


def pictures(step: int) -> torch.Tensor:
    """Eight random pictures of whole colours, the same on every rank."""
    return whole_colours(torch.rand(8, 3, 8, 8, generator=stream(step, "reals")) * 2 - 1)


if __name__ == "__main__":
    main()
