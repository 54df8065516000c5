"""Pictures that a run never saw, beside as many that it learnt from: among them a picture has neighbours."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.data.packed import Packed
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.synthetic import MadeScenes
from ganvas.train.trained import Trained


def fresh_scenes(kept: Trained, *, most: int | None = None) -> str:
    """Scenes of another seed than those of the training: as many, or ``most``.

    Raises:
        UserError: the run was trained on something else.
    """
    spec = str(kept.data["spec"])
    source = open_source(spec, size=(kept.height, kept.width)) if spec.partition(":")[0] == "scenes" else None
    if not isinstance(source, MadeScenes):
        raise UserError(
            f"The run was trained on {spec}, and which pictures of the kind it never saw is not known. Name them: "
            "--held-out SRC."
        )
    count = source.count if most is None else min(source.count, most)
    return MadeScenes(count, (source.height, source.width), seed=source.seed + 1, time=source.time).location


def held_out(kept: Trained, spec: str, *, quiet: bool) -> Packed:
    """Pictures of a source, prepared as the training pictures were.

    Raises:
        UserError: they are the training pictures.
    """
    packed = kept.prepared(spec, quiet=quiet)
    if packed.fingerprint == kept.data["fingerprint"]:
        raise UserError(f"--held-out {spec}: these are the pictures that the run was trained on. Name others.")
    return packed


def some_of(packed: Packed, count: int, seed: int) -> UInt8[Tensor, "n h w c"]:
    """So many pictures at random."""
    order = torch.randperm(len(packed), generator=stream(seed, "memorisation"))[:count]
    return torch.from_numpy(packed.read(order.numpy()))


def rows_of_colours(pictures: UInt8[Tensor, "n h w c"]) -> Float[Tensor, "n d"]:
    """A row of colours from -1 to 1 for every picture."""
    return to_float(pictures).flatten(1)
