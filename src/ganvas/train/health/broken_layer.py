"""The first layer of a game whose output is not finite: where a nan of its losses comes from."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.game import Batch, Game


def first_broken_layer(model: Game, batch: Batch, *, seed: int) -> str:
    """The layer in words, "discriminator.score (Conv2d), whose weights are not finite"; "" where every one is sound.

    All losses are computed once more, in the order of the phases. Spectral norms and running statistics go on by that,
    so the model is not to be trained any further.
    """
    found: list[str] = []
    rng = stream(seed, "broken layer", device=batch.device)
    with torch_seeded(seed, batch.device), _watched(model, found):
        for phase in model.phases():
            if not found:
                phase.loss(batch.with_rng(rng))
    return found[0] if found else ""


@contextmanager
def _watched(model: nn.Module, found: list[str]) -> Iterator[None]:
    """While inside, every layer whose output is not finite is noted, in the order in which they compute."""
    names = {module: name for name, module in model.named_modules()}

    def look(module: nn.Module, given: object, output: object) -> None:
        if isinstance(output, Tensor) and output.is_floating_point() and not output.isfinite().all():
            broken = any(not weight.isfinite().all() for weight in module.parameters())
            found.append(f"{names[module]} ({type(module).__name__})" + ", whose weights are not finite" * broken)

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(look) for module in leaves]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
