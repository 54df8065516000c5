"""The examination of a model that translates: how far its translations are from real pictures of the other kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import torch

from ganvas.core.pixels import to_bytes, to_float
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.seeds import torch_seeded
from ganvas.core.shapes import Bytes, Images
from ganvas.data.packed import Packed
from ganvas.losses.capabilities import Translates
from ganvas.metrics import swd
from ganvas.metrics.maths.pairs.colour_transport import ColourTransport, colour_moments
from ganvas.metrics.measuring import draws, flow
from ganvas.metrics.measuring.flow import DrawnSet, PassSettings, Reference, against, refer
from ganvas.train.monitors import MEASURE_BATCH, Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players
from ganvas.train.state import State

METRICS = {"swd": flow.QUICK.get("swd")}


class TranslatedExamination(Examination):
    """Sliced Wasserstein distance of translations to real pictures of the kind that they are to be, each way.

    Beside it stands, where both kinds have as many channels, that of the linear map between the colours of both, which
    needs no training. The distance sees whether translations look like the other kind and not whether they are of the
    same place: a model that makes one night of every day and one that exchanges all days pass. The cycle losses stand
    in the log.

    Args:
        ways: For each direction the pictures that are translated, and those that the translations are held against.
    """

    def __init__(self, plan: Plan, ways: Mapping[str, tuple[Packed, Packed]]) -> None:
        self.plan, self.ways = plan, ways
        self.n = min([plan.measure_n, *(len(side) for sides in ways.values() for side in sides)])
        self.settings = PassSettings(seed=plan.seed)
        self._references: dict[str, Reference] = {}
        self._linear: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """Too few pictures."""
        least = swd.MINIMUM
        return (
            "" if self.n >= least else f"needs at least {least} pictures of both kinds to measure; there are {self.n}."
        )

    @property
    def metrics(self) -> Sequence[str]:
        """One distance for each direction."""
        return [f"swd.{direction}" for direction in self.ways]

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """The averaged model's translations against the other kind, and the other kind against itself."""
        results: list[Result] = []
        floor: list[Result] = []
        device = next(state.model.parameters()).device
        with averaged_players(state) as model, torch_seeded(self.plan.seed, device):  # Some translate with noise.
            assert isinstance(model, Translates)
            for direction in self.ways:
                found = against(
                    self._reference(direction),
                    self._translations(model, direction),
                    self.settings,
                    metrics=METRICS,
                    n=self.n,
                )
                results += _of(direction, found.results)
                floor += _of(direction, found.floor)
        if self._linear is None:
            self._linear = [result for direction in self.ways for result in self._of_linear_colours(direction)]
        return [*results, *self._linear], floor

    def _of_linear_colours(self, direction: str) -> list[Result]:
        """The distance of pictures in the colours of the other kind."""
        source, target = self.ways[direction]
        if source.channels != target.channels:
            return []
        moments = [
            colour_moments(map(to_float, self._reals(side).batches(0, self.n, self.n)), side.channels)
            for side in (source, target)
        ]
        transport, given = ColourTransport(*moments), self._reals(source)

        def batches(start: int, stop: int, of: int) -> Iterator[Bytes]:
            return (to_bytes(transport(to_float(part))) for part in given.batches(start, stop, of))

        shown = DrawnSet(batches=batches, treated=source.treated)
        found = against(self._reference(direction), shown, self.settings, metrics=METRICS, n=self.n)
        return _of(f"{direction}.linear_colours", found.results)

    def _reference(self, direction: str) -> Reference:
        if direction not in self._references:
            target = self.ways[direction][1]
            enough = len(target) >= 2 * self.n
            self._references[direction] = refer(
                self._reals(target), self.settings, metrics=METRICS, n=self.n, floor=enough
            )
        return self._references[direction]

    def _reals(self, packed: Packed) -> DrawnSet:
        def batches(start: int, stop: int, of: int) -> Iterator[Bytes]:
            return draws.draw(packed, stop, seed=self.plan.seed, start=start, batch=MEASURE_BATCH)

        return DrawnSet(batches=batches, treated=packed.treated)

    def _translations(self, model: Translates, direction: str) -> DrawnSet:
        source = self._reals(self.ways[direction][0])

        def batches(start: int, stop: int, of: int) -> Iterator[Bytes]:
            return translated_bytes(model, source.batches(start, stop, of), direction)

        return DrawnSet(batches=batches, treated=source.treated)


@torch.no_grad()
def translated_bytes(model: Translates, pictures: Iterable[Bytes], direction: str) -> Iterator[Bytes]:
    """Batches of pictures (b, c, h, w), translated on the device of the model, on the CPU."""
    assert isinstance(model, torch.nn.Module)
    device = next(model.parameters()).device
    for batch in pictures:
        made: Images = model.translate(to_float(batch.to(device)), direction)
        yield to_bytes(made).cpu()


def _of(direction: str, results: Sequence[Result]) -> list[Result]:
    """The average alone, by the name of its direction, or of what stands in the model's place."""
    return [replace(result, metric=f"swd.{direction}") for result in results if result.metric == "swd"]
