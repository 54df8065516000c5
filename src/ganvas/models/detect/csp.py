"""CSP: finds people by their centres and heights, without windows that are slid over the picture.

Liu, Liao, Ren, Hu, Yu: High-level Semantic Feature Detection: A New Perspective for Pedestrian Detection (CVPR 2019),
https://arxiv.org/abs/1904.02948. Detectors that lay thousands of boxes ("anchors") over a picture ask of each whether
it fits, and their sizes must suit the data. Here every cell of a map says whether a centre lies in it, and how tall
what is there is: a question about the picture, as corners and edges are.

``head="anchors"`` puts anchors on the same features instead, for comparison: boxes of ``anchors`` heights at every
cell, which learn to tell themselves apart (focal loss) and to move (Lin et al. 2017, https://arxiv.org/abs/1708.02002).

Departs from the paper, and from its authors' code (https://github.com/liuwei16/CSP):
- The backbone starts at random; theirs has seen ImageNet, and its first layers are frozen.
- Whole pictures are zoomed at random within their own size, instead of crops around a person; objects that are cut by
  more than half, or lower than ``least_height``, are ignored; theirs count as background where they are cut.
- Boxes are cut at the picture's borders; theirs are pushed in. Suppression takes exact areas, without a pixel more.
- Near the upper and left border their code learns no heights; see :func:`ganvas.losses.boxes.centres.centre_targets`.
- The average of the weights is short at first and grows old with the run (``average_ramp``): theirs starts from a
  network that knows ImageNet, and need not forget its start.
- ``box="size"`` learns widths as well, for objects that are not 0.41 as wide as tall.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.boxes.anchors import anchor_targets, focal_loss, laid_anchors, move_loss, moved_anchors
from ganvas.losses.boxes.centres import boxes_of_centres, centre_loss, centre_targets, offset_loss, size_loss
from ganvas.losses.game import Terms
from ganvas.losses.games.box_game import BoxGame
from ganvas.networks.centre_network import DEEPEST, STRIDE, CentreNetwork, padded_to_depth


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are those for CityPersons."""

    height: int = 640  # Of the pictures that it is trained on; it finds people in pictures of any size.
    width: int = 1280
    channels: int = 3
    category: str = ""  # Of a file of several; empty takes the only one, or people.
    backbone: Literal["resnet50", "small"] = "resnet50"
    base_width: int = 16  # Channels of the small backbone.
    features: int = 256
    l2_gain: float = 10.0
    head: Literal["centres", "anchors"] = "centres"
    box: Literal["height", "size"] = "height"
    aspect: float = 0.41  # Width by height, where widths are not learnt.
    anchors: int = 4  # Heights of anchors, from the least on, each 1.6 times the one before.
    least_height: float = 50.0  # Pixels: lower objects are ignored, in training and in measures.
    centre_weight: float = 0.01
    size_weight: float = 1.0
    offset_weight: float = 0.1
    zoom: tuple[float, float] = (0.4, 1.5)  # Between which pictures are enlarged at random; (1, 1) leaves them.
    brightness: tuple[float, float] = (0.5, 2.0)  # Half of the pictures are made as many times as bright.
    least_score: float = 0.1
    most_overlap: float = 0.5  # Of two boxes that are both kept.
    batch_size: int = 8
    lr: float = 2e-4
    beta1: float = 0.9
    beta2: float = 0.999
    average: float = 0.999  # Of the weights that detect: the paper's mean teacher.
    average_ramp: float = 0.05  # Its half-life is at most this share of the samples shown; 0 is no limit.

    def __post_init__(self) -> None:
        at_least(self, 1, "base_width", "features", "anchors", "batch_size")
        at_least(self, 2 * STRIDE, "least_height")
        at_least(self, 0, "centre_weight", "size_weight", "offset_weight", "average_ramp")
        above(self, 0, "lr", "aspect", "l2_gain")
        fractions(self, "beta1", "beta2", "average", "least_score", "most_overlap")
        assert self.picture
        for name in ("zoom", "brightness"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise UserError(f"{name}={low},{high} must be two numbers above 0, the lower one first.")

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures that it is trained on."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=DEEPEST)


TINY = Config(
    height=32,
    width=32,
    backbone="small",
    base_width=2,
    features=3,
    least_height=8,
    batch_size=4,
    average=0.5,
)


class Model(BoxGame[Config]):
    """One network that says of every cell whether a centre lies in it, or which of its anchors fit."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        anchored = config.head == "anchors"
        self.network = CentreNetwork(
            config.channels,
            backbone=config.backbone,
            base_width=config.base_width,
            features=config.features,
            l2_gain=config.l2_gain,
            logits=config.anchors if anchored else 1,
            numbers=4 * config.anchors if anchored else self.sides + 2,
        )

    @property
    def sides(self) -> int:
        """Of a box that are learnt."""
        return 2 if self.config.box == "size" else 1

    def terms(self, batch: BoxedPictures) -> Terms:
        """Losses of centres, sizes and offsets (eq. 1 to 4); of anchors, of their scores and moves."""
        config, (logits, numbers) = self.config, self.network(batch.images)
        if config.head == "anchors":
            anchors, scores, moves = self._anchored(logits, numbers)
            wanted = anchor_targets(anchors, batch.corners, batch.kinds)
            return {"score": focal_loss(scores, wanted), "move": move_loss(moves, wanted)}
        size = (logits.shape[2], logits.shape[3])
        targets = centre_targets(batch.corners, batch.kinds, size, stride=STRIDE, widths=self.sides == 2)
        return {
            "centre": config.centre_weight * centre_loss(logits[:, 0], targets),
            "size": config.size_weight * size_loss(numbers[:, : self.sides], targets),
            "offset": config.offset_weight * offset_loss(numbers[:, self.sides :], targets),
        }

    def candidates(self, images: Images) -> tuple[Float[Tensor, "n k 4"], Float[Tensor, "n k"]]:
        """The box and the score of every cell, or of every anchor."""
        logits, numbers = self.network(padded_to_depth(images))
        if self.config.head == "anchors":
            anchors, scores, moves = self._anchored(logits.float(), numbers.float())
            return moved_anchors(anchors, moves), torch.sigmoid(scores)
        sizes, offsets = numbers[:, : self.sides], numbers[:, self.sides :]
        aspect = self.config.aspect if self.sides == 1 else None
        boxes = boxes_of_centres(sizes.float(), offsets.float(), stride=STRIDE, aspect=aspect)
        return boxes.flatten(1, 2), torch.sigmoid(logits.float()).flatten(1)

    def _anchored(self, logits: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The anchors (a, 4) of maps, their scores (n, a) and moves (n, a, 4)."""
        config = self.config
        anchors = laid_anchors(
            (logits.shape[2], logits.shape[3]),
            stride=STRIDE,
            least_height=config.least_height,
            heights=config.anchors,
            aspect=config.aspect,
            device=logits.device,
        )
        moves = numbers.unflatten(1, (config.anchors, 4)).permute(0, 3, 4, 1, 2).flatten(1, 3)
        return anchors, logits.permute(0, 2, 3, 1).flatten(1), moves
