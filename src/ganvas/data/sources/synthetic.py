"""Sources of pictures that are drawn on the spot: scenes with labels and masks, streets with boxes, and triangles of
known manifolds."""

import re
from collections.abc import Iterator

import numpy as np

from ganvas.core.catalogue import PACKAGE
from ganvas.core.errors import UserError
from ganvas.data.cache import hash_file
from ganvas.data.fitting import Size, written
from ganvas.data.sources.picture_source import Block, PictureArray, hash_of
from ganvas.data.sources.spelled_words import told_once

COUNT, SIZE = 20_000, (64, 64)
STREET_COUNT, STREET_SIZE = 5_000, (128, 192)
STREET_SHARES = ("canvas", "factors", "paints")  # Files of the scenes that streets are painted with.
DATA = PACKAGE / "data"
TRIANGLE_SIZE = (28, 28)  # That of the paper.
CREATED_EQUAL = "created-equal"


class MadeScenes(PictureArray):
    """The built-in scenes. Drawn at their own size when one is given, else at the size that is wanted."""

    kind = "scenes"
    drawn = True
    channels = 3
    labelled = True

    def __init__(self, count: int, size: Size, *, seed: int = 0, time: str | None = None) -> None:
        from ganvas.data.scenes import scenes

        self.height, self.width = size
        self.count = self.total = count
        self.seed = seed
        self.time = time
        at = f",time={time}" if time else ""
        self.location = f"scenes:{count},{written(size)}{at}" + (f",seed={seed}" if seed else "")
        self.class_names, self.mask_names = tuple(scenes.CLASS_NAMES), tuple(scenes.MASK_NAMES)
        self._scenes = scenes.Scenes(self.height, self.width, count=count, seed=seed, time=time)

    @classmethod
    def parse(cls, spec: str, *, size: Size | None) -> "MadeScenes":
        """``scenes[:COUNT][,HEIGHTxWIDTH][,time=day|dusk|night][,seed=N]``."""
        timed = re.search(r"[:,]time=([^,]*)", spec)
        count, own, seed = _parse(spec.replace(timed[0], timed[0][0], 1) if timed else spec, "Scenes")
        return cls(count, own or size or SIZE, seed=seed, time=timed[1] if timed else None)

    def blocks(self, rows: int) -> Iterator[Block]:
        for start in range(0, self.count, rows):
            images, masks, labels = self._scenes.pictures(start, min(start + rows, self.count))
            yield Block(images=images, labels=labels, masks=masks)

    def factors(self) -> dict[str, np.ndarray]:
        """The random factors that the scenes are made of, a column each."""
        return self._scenes.factors(np.arange(self.count))

    def identity(self) -> str:
        """With a hash of the code that draws: a scene drawn differently is another picture."""
        code = [hash_file(path) for path in sorted(DATA.glob("scenes/[!_]*.py"))]
        return "scenes:" + hash_of(self.count, self.height, self.width, self.seed, self.time, code)


class MadeStreet(PictureArray):
    """The built-in streets. Drawn at their own size when one is given, else at the size that is wanted."""

    kind = "street"
    drawn = True
    channels = 3

    def __init__(self, count: int, size: Size, *, seed: int = 0, tight: bool = False) -> None:
        from ganvas.data.street import street

        self.height, self.width = size
        self.count = self.total = count
        self.seed, self.tight = seed, tight
        more = (",tight" if tight else "") + (f",seed={seed}" if seed else "")
        self.location = f"street:{count},{written(size)}{more}"
        self.street = street.Street(self.height, self.width, count=count, seed=seed, tight=tight)

    @classmethod
    def parse(cls, spec: str, *, size: Size | None) -> "MadeStreet":
        """``street[:COUNT][,HEIGHTxWIDTH][,tight][,seed=N]``."""
        plain = re.sub(r"(?<=[:,])tight(,|$)", "", spec)
        count, own, seed = _parse(plain, "Streets", name="street", count=STREET_COUNT)
        return cls(count, own or size or STREET_SIZE, seed=seed, tight=plain != spec)

    def blocks(self, rows: int) -> Iterator[Block]:
        for start in range(0, self.count, rows):
            yield Block(images=self.street.pictures(start, min(start + rows, self.count)))

    def identity(self) -> str:
        """With a hash of the code that draws."""
        files = [*sorted(DATA.glob("street/[!_]*.py")), *(DATA / f"scenes/{name}.py" for name in STREET_SHARES)]
        code = [hash_file(path) for path in files]
        return "street:" + hash_of(self.count, self.height, self.width, self.seed, self.tight, code)


class MadeTriangles(PictureArray):
    """The built-in triangles, grey. Drawn at their own size when one is given, else at the size that is wanted."""

    kind = "triangles"
    drawn = True
    channels = 1

    def __init__(self, count: int, size: Size, *, seed: int = 0) -> None:
        from ganvas.data import triangles

        self.height, self.width = size
        self.count = self.total = count
        self.seed = seed
        self.location = f"triangles:{count},{written(size)}" + (f",seed={seed}" if seed else "")
        self._triangles = triangles.Triangles(self.height, self.width, count=count, seed=seed)

    @classmethod
    def parse(cls, spec: str, *, size: Size | None) -> "MadeTriangles | MadeCreatedEqual":
        """``triangles[:created-equal][:COUNT][,HEIGHTxWIDTH][,seed=N]``."""
        first, *words = spec.partition(":")[2].split(",")
        equal = first == CREATED_EQUAL
        count, own, seed = _parse(f"triangles:{','.join(words)}" if equal else spec, "Triangles")
        made = MadeCreatedEqual if equal else cls
        return made(count, own or size or TRIANGLE_SIZE, seed=seed)

    def blocks(self, rows: int) -> Iterator[Block]:
        for start in range(0, self.count, rows):
            yield Block(images=self._triangles.pictures(start, min(start + rows, self.count)))

    def identity(self) -> str:
        """With a hash of the code that draws."""
        code = [hash_file(DATA / name) for name in ("scenes/factors.py", "triangles.py")]
        return "triangles:" + hash_of(self.count, self.height, self.width, self.seed, code)


class MadeCreatedEqual(PictureArray):
    """The triangles of "Are GANs created equal", grey and square."""

    kind = "triangles"
    drawn = True
    channels = 1

    def __init__(self, count: int, size: Size, *, seed: int = 0) -> None:
        from ganvas.data.created_equal import CreatedEqualTriangles

        self.height, self.width = size
        if self.height != self.width:
            raise UserError(
                f"triangles:{CREATED_EQUAL} of {written(size)} pixels cannot be: their corners lie on a circle. Give a "
                "square size."
            )
        self.count = self.total = count
        self.seed = seed
        self.location = f"triangles:{CREATED_EQUAL},{count},{written(size)}" + (f",seed={seed}" if seed else "")
        self._triangles = CreatedEqualTriangles(self.height, count=count, seed=seed)

    def blocks(self, rows: int) -> Iterator[Block]:
        for start in range(0, self.count, rows):
            yield Block(images=self._triangles.pictures(start, min(start + rows, self.count)))

    def identity(self) -> str:
        """With a hash of the code that draws."""
        code = [hash_file(DATA / name) for name in ("scenes/factors.py", "created_equal.py")]
        return f"triangles:{CREATED_EQUAL}:" + hash_of(self.count, self.height, self.seed, code)


def _parse(spec: str, title: str, *, name: str = "", count: int = COUNT) -> tuple[int, Size | None, int]:
    """Count, size and seed of ``NAME[:COUNT][,HEIGHTxWIDTH][,seed=N]``."""
    own, seed = None, 0
    for word in told_once(spec, filter(None, spec.partition(":")[2].split(","))):
        if re.fullmatch(r"\d+", word) and int(word) > 0:
            count = int(word)
        elif match := re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", word):
            own = (int(match[1]), int(match[2]))
        elif match := re.fullmatch(r"seed=(\d+)", word):
            seed = int(match[1])
        else:
            name = name or title.lower()
            more = ",tight" if name == "street" else ""
            raise UserError(
                f"{spec}: '{word}' is not understood. {title} are written {name}:COUNT,HEIGHTxWIDTH{more},seed=N, as "
                f"in {name}:20000,64x96; every part may be left out."
            )
    return count, own, seed
