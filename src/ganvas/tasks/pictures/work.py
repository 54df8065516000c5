"""Work that verbs share which change pictures file by file."""

import numpy as np
from jaxtyping import UInt8

from ganvas.core.errors import UserError
from ganvas.data.colour import to_channels
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.fitting import written
from ganvas.data.pictures import decode
from ganvas.losses.capabilities import Shifts, SizesPictures
from ganvas.train.trained import Trained


def require_memory(gigabytes: float) -> None:
    """That something is allowed.

    Raises:
        UserError: nothing is.
    """
    if not gigabytes > 0:
        raise UserError(f"--memory {gigabytes:g} must be above 0: the gigabytes that a tile of a picture may take.")


def decoded(name: str, data: bytes, channels: int) -> UInt8[np.ndarray, "h w c"]:
    """The pixels of a file, its bytes given, with so many channels, upright, transparent ones on white.

    Raises:
        UserError: it cannot be read.
    """
    try:
        pixels = decode(data)
    except BrokenPicture as reason:
        raise UserError(
            f"{name} {reason}. Remove it, or mend it: `ganvas data describe SRC --full` lists all such files."
        ) from None
    return to_channels(pixels[None], channels, (255, 255, 255))[0]


def stride_of(trained: Trained) -> int:
    """By whose multiples a picture may be shifted.

    Raises:
        UserError: the model takes pictures of one size alone.
    """
    if not isinstance(trained.model, Shifts):
        config = trained.model.config
        size = f" of {written(config.picture.size)} pixels" if isinstance(config, SizesPictures) else ""
        raise UserError(
            f"{trained.name} takes pictures{size} alone. Bring yours to that size: --fit crop, pad or stretch."
        )
    return trained.model.tile_stride
