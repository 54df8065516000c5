"""The subject of a dissection: a network in which units have places, and the pictures that go with them.

A generator's pictures come out of it, a classifier's or a discriminator's go into it; everything else of this floor is
the same for both. A subject is asked for pictures number ``start`` to ``stop`` of a fixed series, so that a picture
with an edit and the same one without it differ by the edit alone.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganvas.anatomy.loading import default_inputs
from ganvas.anatomy.trace.recorder import tensors
from ganvas.core.errors import UserError
from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, Labels, Latents
from ganvas.data.packed import Packed
from ganvas.dissect.instrument import Instrument, Maps, UnitEdit
from ganvas.dissect.places import Numbered, Place, numbered
from ganvas.losses.capabilities import HasLatents
from ganvas.nn.layers.initialise import initialise
from ganvas.train import trained
from ganvas.train.trained import Trained

BATCH = 64
NOISE_SEED = 0  # Of what a network draws by itself while it runs.
Inputs = tuple[Tensor, ...]
Series = Callable[[str, int, int], Inputs]  # Of a series by its name, the inputs of pictures start ... stop - 1.


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network with its pictures.

    Attributes:
        name: For titles.
        kind: Whether it draws the pictures, or looks at them.
        whose: What is known of its weights.
        network: In whose forward the places are.
        module: What is called with the inputs; the network, or what has it as a part.
        series: The inputs of pictures of a named series, from a number to before another.
        size: Height and width of the pictures.
        data: What a run was trained on, as it says itself; empty for a network of elsewhere.
        reals: The pictures that it looks at.
    """

    name: str
    kind: Literal["draws", "looks"]
    whose: str
    network: nn.Module
    module: nn.Module
    numbering: Numbered
    series: Series
    size: tuple[int, int]
    channels: int
    data: dict[str, Any] = field(default_factory=dict)
    reals: Packed | None = None

    def seen(
        self, count: int, *, of: str, keep: Sequence[Place] = (), edits: Sequence[UnitEdit] = (), start: int = 0
    ) -> Iterator[tuple[Images, dict[str, Maps]]]:
        """Batches of pictures of a series and what the kept places gave for them."""
        for first in range(start, start + count, BATCH):
            with torch.no_grad():
                batch = self.run(self.series(of, first, min(first + BATCH, start + count)), keep=keep, edits=edits)
            yield batch

    def run(
        self, inputs: Inputs, *, keep: Sequence[Place] = (), edits: Sequence[UnitEdit] = ()
    ) -> tuple[Images, dict[str, Maps]]:
        """Pictures of inputs; gradients flow where they are asked for.

        A network that draws noise of its own from torch's global stream draws the same each time, so that a batch with
        an edit and the same batch without it differ by the edit alone. The stream is left as it was.
        """
        with torch.random.fork_rng(devices=[]), Instrument(self.network, keep=keep, edits=edits) as instrument:
            torch.manual_seed(NOISE_SEED)
            output = self.module(*inputs)
        pictures = inputs[0] if self.kind == "looks" else next(tensors(output))
        return pictures.clamp(-1, 1), instrument.maps

    def untrained(self, seed: int = 0) -> "Subject":
        """The same network with a fresh start; the same inputs, the same places.

        Raises:
            UserError: parts of it have weights that nobody knows how to draw.
        """
        module = copy.deepcopy(self.module).requires_grad_(True)  # What is frozen would stay as it is.
        initialise(module, stream(seed, "dissect", "untrained"))
        module.requires_grad_(False)
        names = {id(part): name for name, part in self.module.named_modules()}
        network = module.get_submodule(names[id(self.network)])
        return replace(self, module=module, network=network, whose=f"a fresh start, seed {seed}")


class Decoding(nn.Module):
    """From latents to the pictures of a run at full size, with gradients."""

    def __init__(self, kept: Trained) -> None:
        super().__init__()
        self.model, self.kept = kept.model, kept

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Images:
        drawn = self.kept.require(HasLatents).decode(z, labels, stage=self.kept.stage)
        return self.kept.full_size(drawn)


def of_run(folder: Path, *, part: str | None = None, kimg: float | None = None, seed: int = 0) -> Subject:
    """The generator of a run, or (``part``) one of its networks that look at pictures.

    Raises:
        UserError: there is no such run, it draws points, or has no such part.
    """
    return of_trained(trained.load(folder, kimg=kimg), folder, part=part, seed=seed)


def of_trained(kept: Trained, folder: Path, *, part: str | None = None, seed: int = 0) -> Subject:
    """The same of a run that is loaded already.

    Raises:
        UserError: it draws no pictures, or has no such part.
    """
    if kept.unit != "pictures":
        raise UserError(
            f"{folder} draws {kept.unit}, and a dissection asks where things are in pictures. Give a run of pictures."
        )
    parts = [name for name, _ in kept.model.named_children()]
    if part is not None and part not in dict(kept.model.named_modules()):
        raise UserError(f"{folder} has no part '{part}'. Parts: {', '.join(parts)}.")
    unfused(kept.model)
    whose = f"trained for {kept.kimg:g} kimg"
    if part is not None and part != default_inputs.drawing(parts):
        return _looking(kept, folder, part, whose, seed)
    return _drawing(kept, folder, default_inputs.drawing(parts), whose, seed)


def of_network(
    network: nn.Module,
    name: str,
    whose: str,
    shape: Sequence[int],
    *,
    data: Packed | None = None,
    spec: str = "",
    seed: int = 0,
) -> Subject:
    """Any network: one that draws from normal noise of a shape, or (``data``) one that looks at pictures.

    Args:
        shape: Of its input, with the batch.
        spec: Where the pictures are from.

    Raises:
        UserError: it fails, or draws no pictures.
    """
    unfused(network)
    if data is not None:
        return _of_pictures(network, name, whose, data, seed, {"spec": spec})

    def series(of: str, start: int, stop: int) -> Inputs:
        rows = [torch.randn(*shape[1:], generator=stream(seed, "dissect", of, row)) for row in range(start, stop)]
        return (torch.stack(rows),)

    given = series("numbering", 0, 2)
    numbering = numbered(network.eval(), given, {}, name=name)
    with torch.no_grad():
        picture = next(tensors(network(*given)), torch.empty(0))
    if picture.dim() != 4 or picture.shape[1] not in (1, 3):
        raise UserError(
            f"{name} gives {'x'.join(map(str, picture.shape)) or 'a scalar'} and not pictures of 1 or 3 channels. A "
            "network that looks at pictures is given some with --data."
        )
    return Subject(
        name=name,
        kind="draws",
        whose=whose,
        network=network,
        module=network,
        numbering=numbering,
        series=series,
        size=(picture.shape[2], picture.shape[3]),
        channels=picture.shape[1],
    )


def unfused(module: nn.Module) -> None:
    """Resampling apart from its convolutions, as in the graphs of every other verb: the same values, the same names."""
    for part in module.modules():
        if isinstance(vars(part).get("fused"), bool):
            vars(part)["fused"] = False


def _drawing(kept: Trained, folder: Path, part: str | None, whose: str, seed: int) -> Subject:
    kept.require(HasLatents)
    module = Decoding(kept).eval()
    series = _latent_series(kept, seed)
    network = kept.model.get_submodule(part) if part is not None else module
    called = _called(module, network, series("numbering", 0, 2))
    if called is None:
        network = module
        called = _called(module, network, series("numbering", 0, 2))
        assert called is not None
    args, kwargs, output = called
    name = f"{folder.name} ({kept.name}:{part})" if network is not module else f"{folder.name} ({kept.name})"
    picture = next(tensors(output))
    return Subject(
        name=name,
        kind="draws",
        whose=whose,
        network=network,
        module=module,
        numbering=numbered(network, args, kwargs, name=name),
        series=series,
        size=(picture.shape[2], picture.shape[3]),
        channels=picture.shape[1],
        data=kept.data,
    )


def _latent_series(kept: Trained, seed: int) -> Series:
    """Latents (and classes) by number: each batch has a stream of its own, so that a series has no end."""
    model = kept.require(HasLatents)

    def series(of: str, start: int, stop: int) -> Inputs:
        rows = range(start, stop)
        blocks = sorted({row // BATCH for row in rows})
        drawn = [model.latents(BATCH, stream(seed, "dissect", of, block)) for block in blocks]
        at = torch.tensor([row - blocks[0] * BATCH for row in rows])
        z: Latents = torch.cat(drawn)[at]
        labels: list[Labels] = [
            found for block in blocks if (found := kept.labels(BATCH, seed=seed + block, label=None)) is not None
        ]
        return (z, torch.cat(labels)[at]) if labels else (z,)

    return series


def _looking(kept: Trained, folder: Path, part: str, whose: str, seed: int) -> Subject:
    network = kept.model.get_submodule(part)
    return _of_pictures(network, f"{folder.name} ({kept.name}:{part})", whose, kept.reals(quiet=True), seed, kept.data)


def _of_pictures(network: nn.Module, name: str, whose: str, packed: Packed, seed: int, data: dict[str, Any]) -> Subject:
    """A network that looks at the pictures of a source."""

    def series(of: str, start: int, stop: int) -> Inputs:
        order = torch.randperm(len(packed), generator=stream(seed, "dissect", of)).numpy()
        rows = order[[row % len(packed) for row in range(start, stop)]]
        return (to_float(torch.from_numpy(packed.read(rows)).permute(0, 3, 1, 2)).contiguous(),)

    given = series("numbering", 0, 2)
    return Subject(
        name=name,
        kind="looks",
        whose=whose,
        network=network.eval(),
        module=network,
        numbering=numbered(network, given, {}, name=name),
        series=series,
        size=(given[0].shape[2], given[0].shape[3]),
        channels=given[0].shape[1],
        data=data,
        reals=packed,
    )


@torch.no_grad()
def _called(
    module: nn.Module, network: nn.Module, inputs: Inputs
) -> tuple[tuple[Any, ...], dict[str, Any], Any] | None:
    """What a part of a module is given when the module is called, and what the module gives; None if it is not."""
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    hook = network.register_forward_pre_hook(lambda _, args, kwargs: seen.append((args, kwargs)), with_kwargs=True)
    try:
        output = module(*inputs)
    finally:
        hook.remove()
    return (*seen[0], output) if seen else None
