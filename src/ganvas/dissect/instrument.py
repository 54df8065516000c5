"""Looking into a network while it runs, and changing what its units say: on functions as well as on modules.

``x <- x (1 - a) + v a`` at a place, where ``a`` says how strongly and where, and ``v`` what instead (Bau et al. 2019,
GAN Dissection, section 3.2, https://arxiv.org/abs/1811.10597): v = 0 is ablation, a large v insertion. Edits of one
place follow one another, so that their strengths compose as ``1 - (1 - a1)(1 - a2)``.

Nothing of the network is replaced: a mode of torch sees the functions that run, counts them from the beginning of each
forward, and puts the edited value in the place of the one that a function gave. What ran before it is untouched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from ganvas.core.errors import UserError
from ganvas.dissect.places import Place, counts, same_operation

Maps = Float[Tensor, "n units rows columns"]


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitEdit:
    """A change of some units: both tensors are broadcast over pictures, units and places.

    Attributes:
        strength: ``a``, from 0 (as it was) to 1 (as ``value`` says).
        value: ``v``.
    """

    place: Place
    strength: Float[Tensor, "#n #units #h #w"]
    value: Float[Tensor, "#n #units #h #w"]

    def of(self, maps: Maps) -> Maps:
        """The edited maps; where the strength is 0, what was there to the bit."""
        strength, value = self.strength.to(maps), self.value.to(maps)
        changed = maps * (1 - strength) + value * strength
        if strength.requires_grad:  # A strength of 0 has a gradient too.
            return changed
        return torch.where(strength == 0, maps, changed)


def units_mask(place: Place, units: Sequence[int]) -> Float[Tensor, "1 units 1 1"]:
    """1 at the units, 0 elsewhere.

    Raises:
        UserError: the layer has no such unit.
    """
    wrong = [unit for unit in units if not 0 <= unit < place.units]
    if wrong:
        raise UserError(
            f"Layer {place.name} ({place.label}) has no unit {wrong[0]}: its {place.units} units are 0 to "
            f"{place.units - 1}."
        )
    mask = torch.zeros(1, place.units, 1, 1)
    mask[0, list(units)] = 1.0
    return mask


def ablated(place: Place, units: Sequence[int], *, value: Float[Tensor, " units"] | None = None) -> UnitEdit:
    """Units set to 0 everywhere, or to a value for each unit of the layer, such as its mean."""
    instead = torch.zeros(1, 1, 1, 1) if value is None else value.view(1, -1, 1, 1)
    return UnitEdit(place=place, strength=units_mask(place, units), value=instead)


def inserted(
    place: Place, units: Sequence[int], value: Float[Tensor, " units"], where: Float[Tensor, "#n 1 h w"]
) -> UnitEdit:
    """Units set to ``value`` (one for each unit of the layer) where ``where`` is 1."""
    return UnitEdit(place=place, strength=units_mask(place, units) * where, value=value.view(1, -1, 1, 1))


class Instrument(TorchFunctionMode):
    """Keeps and edits the maps of a network while it is entered.

    ``maps`` holds what each kept place gave in the last forward, after its edits.

    Args:
        network: Whose forward is counted; it may be a part of what runs, and run several times.
    """

    def __init__(self, network: nn.Module, *, keep: Sequence[Place] = (), edits: Sequence[UnitEdit] = ()) -> None:
        super().__init__()
        self.network = network
        self.kept = {place.call: place for place in keep}
        self.edits: dict[int, list[UnitEdit]] = {}
        for edit in edits:
            self.edits.setdefault(edit.place.call, []).append(edit)
        self.wanted = set(self.kept) | set(self.edits)
        self.maps: dict[str, Maps] = {}
        self.count = -1
        self.running = 0
        self.hooks: list[RemovableHandle] = []

    def __enter__(self) -> "Instrument":
        self.hooks = [
            self.network.register_forward_pre_hook(self._begin),
            self.network.register_forward_hook(self._end, always_call=True),
        ]
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for hook in self.hooks:
            hook.remove()
        self.running = 0

    def _begin(self, *_: Any) -> None:
        self.running += 1
        if self.running == 1:
            self.count = -1

    def _end(self, *_: Any) -> None:
        self.running = max(self.running - 1, 0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if not self.running or not counts(output):
            return output
        self.count += 1
        return self._seen(func, args, output) if self.count in self.wanted else output

    def _seen(self, func: Any, args: Any, output: Any) -> Any:
        edits = self.edits.get(self.count, [])
        place = self.kept.get(self.count) or edits[0].place
        if not isinstance(output, Tensor) or output.dim() != 4 or not same_operation(func, place):
            raise UserError(
                f"The network runs other operations from one pass to the next, so layer {place.name} is not found "
                "again. Name a layer before the point where its paths part."
            )
        changed = output
        for edit in edits:
            changed = edit.of(changed)
        if edits and args and output is args[0]:  # Written in place: whoever reads it later reads it there.
            changed = output.copy_(changed)
        if self.count in self.kept:
            self.maps[place.name] = changed
        return changed
