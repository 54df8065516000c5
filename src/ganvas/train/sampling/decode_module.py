"""The generator of a run as one module from latents to pictures, for exporters, which take nothing else."""

from torch import Tensor, nn

from ganvas.train.trained import Trained


class DecodeModule(nn.Module):
    """``trained.decode`` as a forward: at the resolution and fade that the run has reached, at full size."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.model = trained.model
        self.trained = trained

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.trained.decode(z, labels)
