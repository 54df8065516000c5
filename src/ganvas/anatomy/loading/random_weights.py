"""Real weights for a network that was loaded as shapes alone, drawn from one seed."""

import torch
from torch import nn

from ganvas.anatomy.loading.load import Loaded
from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import start_unset


def with_weights(loaded: Loaded, *, seed: int = 0) -> nn.Module:
    """The network with the weights that its code gives it; those of a file as the file has them.

    torch's own layers draw from the global stream when they are made: it is set by the seed meanwhile, and as before
    afterwards. Operators of Ganvas are then started by their ``reset``; in a network that somebody else's code made,
    which may have loaded weights, only those that are still nan.

    Raises:
        UserError: the weights do not fit into memory, or making the network failed.
    """
    if loaded.build is None:
        return loaded.model
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, "weights"))
            model = loaded.build()
    except (RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(f"{loaded.name} cannot be made with weights: {reason}.") from error
    generator = stream(seed, "initialise")
    if not loaded.fresh:
        start_unset(model, generator)
    else:
        for module in model.modules():
            reset = getattr(module, "reset", None)
            if callable(reset):
                reset(generator)
    for mine, given in zip(model.modules(), loaded.model.modules(), strict=False):
        if isinstance(getattr(given, "fused", None), bool):
            mine.fused = given.fused  # type: ignore[assignment]
    return model
