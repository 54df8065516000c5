"""The values of a laid-out diagram: what stands where, in points."""

from dataclasses import dataclass, field, replace

from ganvas.anatomy.diagram.blocks import Block
from ganvas.anatomy.diagram.line_style import LOOKS, look_of
from ganvas.anatomy.diagram.order import Group, Skip
from ganvas.report.drawing.drawing import Box, Point, text_width

SIZE = 6.0  # Of the text: the smallest that a printed column should have.
PAD = 4.0  # Beside a group's boxes.
CIRCLE = 3.2  # Radius of a merge.
PILL = 8.5  # Height of a box on a skip.
BAR = 2.2  # Width of a normalisation that stands by itself.


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A box or circle of the row; ``x`` and ``y`` its middle."""

    place: int
    block: Block
    times: int  # When it alone repeats.
    label: str
    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def inside(self) -> bool:
        """Whether the channels are written inside the box."""
        upright = self.width >= 6.3 and self.height >= self._channels() + self._letter() + 2.5
        return upright or self.lying

    @property
    def lying(self) -> bool:
        """Whether they are written there from left to right: in a box too low for upright text, and wide enough."""
        low = SIZE + 1.5 + self._letter() <= self.height < self._channels() + self._letter() + 2.5
        return low and self.width >= self._channels() + 3.0 and self.block.kind != "merge"

    @property
    def top(self) -> float:
        """Of the box and of the label above it."""
        return self.y - self.height / 2 - (text_width(self.label, SIZE) + 3.0 if self.label else 0.0)

    @property
    def bottom(self) -> float:
        """Of the box and of what stands under it."""
        under = self._channels() + 2.0 if self.outside else 0.0
        return self.y + self.height / 2 + under + self.times_height

    @property
    def outside(self) -> bool:
        """Whether the channels are written under it: of boxes too small, and of what a concatenation has gathered."""
        if self.block.kind in ("merge", "normalisation"):
            return self.block.text in ("cat", "stack")
        return not self.inside

    @property
    def times_height(self) -> float:
        """Of the multiplier under a box, which stands upright where it is wider than the box."""
        if self.times == 1:
            return 0.0
        return text_width(f"×{self.times}", SIZE, weight="bold") + 2.0 if self.times_upright else SIZE + 2.0

    @property
    def times_upright(self) -> bool:
        return text_width(f"×{self.times}", SIZE, weight="bold") > self.width + 2.0

    def _letter(self) -> float:
        return SIZE if look_of(self.block.kind).letter else 0.0

    def _channels(self) -> float:
        return text_width(self.number, SIZE)

    @property
    def number(self) -> str:
        """The channels, as they are written; words that an embedding looks up have places and no channels."""
        return "" if self.block.axes.features is None and self.block.size else str(self.block.channels)


@dataclass(frozen=True, kw_only=True)
class Rail:
    """One stretch of a skip. A skip that passes from row to row has several, and a letter at their open ends."""

    skip: Skip
    points: tuple[Point, ...]
    pills: tuple[tuple[Box, Block], ...] = ()
    mark: str = ""
    opens: bool = False  # Comes from the row before.
    closes: bool = False  # Goes on in the next row.

    @property
    def top(self) -> float:
        return min(y for _, y in self.points) - (PILL / 2 if self.pills else 0.0)

    def shifted(self, down: float) -> "Rail":
        """The same, this much lower."""
        points = tuple((x, y + down) for x, y in self.points)
        return replace(self, points=points, pills=tuple((_down(box, down), block) for box, block in self.pills))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The ground behind a group, and how often it runs; of a group over several rows only the last piece says it."""

    box: Box
    group: Group
    times: int

    @property
    def bottom(self) -> float:
        """Of the ground and of the multiplier under it."""
        return self.box[3] + (SIZE + 2.0 if self.times > 1 else 0.0)


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """A resolution and the boxes that have it."""

    left: float
    right: float
    y: float
    text: str

    @property
    def upright(self) -> bool:
        """Whether the text is wider than its boxes, and so written upwards."""
        return text_width(self.text, SIZE) > self.right - self.left + 2.0

    @property
    def bottom(self) -> float:
        return self.y + 2.0 + (text_width(self.text, SIZE) if self.upright else SIZE)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Everything placed."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    rails: tuple[Rail, ...]
    frames: tuple[Frame, ...]
    brackets: tuple[Bracket, ...]
    joints: tuple[tuple[Point, ...], ...]
    leaving: tuple[tuple[Point, ...], ...] = ()  # The joints that go on in the next row.
    layers: int = 0  # Of the network that the boxes stand for.
    common: str = ""  # The label that is not written because most boxes have it.

    @property
    def blocks(self) -> list[Block]:
        """All that is drawn, in the row and on skips."""
        return [box.block for box in self.boxes] + [block for rail in self.rails for _, block in rail.pills]

    @property
    def normed(self) -> bool:
        """Whether a normalisation is drawn, as a mark or by itself."""
        return any(block.normed or block.kind == "normalisation" for block in self.blocks)

    @property
    def kinds(self) -> list[str]:
        """Those that are drawn, in the order of the legend."""
        named = [block.kind for block in self.blocks if block.kind not in ("merge", "normalisation")]
        there = {kind if kind in LOOKS else "other" for kind in named}
        return [kind for kind in LOOKS if kind in there]


@dataclass
class Row:
    """One row while it is laid out: its places, its boxes, and what is found for them. Boxes stand around y = 0."""

    start: int
    stop: int
    boxes: list[Placed]
    rails: list[Rail] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    brackets: list[Bracket] = field(default_factory=list)

    def of(self, place: int) -> Placed:
        """The box at a place of the whole order."""
        return self.boxes[place - self.start]

    @property
    def top(self) -> float:
        tops = [box.top for box in self.boxes] + [frame.box[1] for frame in self.frames]
        return min(tops + [rail.top for rail in self.rails])

    @property
    def bottom(self) -> float:
        """Of all, the resolutions included."""
        return max([self.floor] + [bracket.bottom for bracket in self.brackets])

    @property
    def floor(self) -> float:
        """Of the boxes and groups."""
        return max([box.bottom for box in self.boxes] + [frame.bottom for frame in self.frames])

    def shifted(self, down: float) -> "Row":
        """The same, this much lower."""
        return Row(
            start=self.start,
            stop=self.stop,
            boxes=[replace(box, y=box.y + down) for box in self.boxes],
            rails=[rail.shifted(down) for rail in self.rails],
            frames=[replace(frame, box=_down(frame.box, down)) for frame in self.frames],
            brackets=[replace(bracket, y=bracket.y + down) for bracket in self.brackets],
        )


def _down(box: Box, shift: float) -> Box:
    return box[0], box[1] + shift, box[2], box[3] + shift
