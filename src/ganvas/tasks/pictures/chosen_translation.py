"""A translation as a person has asked for it: which way, and with which noise or in the style of which pictures."""

import hashlib
import itertools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.pixels import to_float
from ganvas.core.seeds import torch_seeded
from ganvas.core.shapes import Images, OtherImages
from ganvas.data.fitting import apply, plan
from ganvas.losses.capabilities import TakesStyle, Translates
from ganvas.tasks.pictures.named_files import NamedFiles
from ganvas.tasks.pictures.work import decoded
from ganvas.train.trained import Trained

WHITE = (255, 255, 255)  # Behind transparent pixels.
MOST = 64  # Pictures whose styles are averaged.


@dataclass(frozen=True, kw_only=True)
class ChosenStyle:
    """What a model makes of the pictures that show a style."""

    numbers: Float[Tensor, "1 s"]
    fingerprint: str  # Of the pictures.


@dataclass(frozen=True, kw_only=True)
class ChosenTranslation:
    """A function of pictures of a run's one kind to pictures of the other.

    Args:
        seed: Of noise, where the model has some; the same at every call, as tiles are of one picture.
        style: In the place of a drawn one.
    """

    trained: Trained
    direction: str
    seed: int = 0
    style: ChosenStyle | None = None

    @torch.no_grad()
    def __call__(self, images: Images) -> OtherImages:
        if self.style is not None:
            given = self.style.numbers.expand(len(images), -1)
            return self.trained.require(TakesStyle).styled(images, given, self.direction)
        with torch_seeded(self.seed, self.trained.device):
            return self.trained.require(Translates).translate(images, self.direction)


@torch.no_grad()
def style_of_pictures(trained: Trained, source: str, direction: str) -> ChosenStyle:
    """The style of one picture, or the mean of several, brought to the size that the run was trained at.

    Raises:
        UserError: the model takes no style, or there are no pictures.
    """
    model = trained.require(TakesStyle)
    config = trained.model.config
    kind = config.other_picture if direction == model.directions[0] else config.picture
    pixels = (decoded(file.name, file.read(), kind.channels) for file in itertools.islice(NamedFiles(source), MOST))
    rows = np.concatenate([apply(plan(one.shape[:2], kind.size, "crop"), one[None], WHITE) for one in pixels])
    images = to_float(torch.from_numpy(rows).permute(0, 3, 1, 2).to(trained.device))
    found = model.style_of(images, direction)
    return ChosenStyle(numbers=found.mean(0, keepdim=True), fingerprint=hashlib.sha256(rows.tobytes()).hexdigest()[:16])
