"""Animations of grids: WebP without loss, GIF, and a film for a page that fits into some bytes.

Pillow's own animated WebP gathers every frame in memory first. Here each frame is encoded alone and goes straight into
the file, in the container that https://developers.google.com/speed/webp/docs/riff_container describes, so that memory
holds one frame however long the run was.
"""

import io
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file
from ganvas.report.pictures.reading import is_whole

Frame = Image.Image | np.ndarray | Path  # A picture, its uint8 array (h, w, c) or (h, w), or the file that holds it.
F = TypeVar("F")

MAX_FRAMES = 400  # Longer sequences are thinned evenly; the first and the last stay.
MAX_SIDE_PX = 1280  # Larger frames are reduced: an animation is looked at, not measured.
FILM_FORMS = ((640, 48), (640, 24), (480, 24), (320, 24), (320, 12))  # Longest side, frames: tried one by one.
FILM_QUALITY = 75  # Of WebP with loss, of 100.


def write_animation(frames: Sequence[Frame], path: Path, *, fps: float, hold_s: float = 1.5) -> int:
    """Writes an endless animation, atomically, as the ending of ``path`` says: ``.webp`` (exact) or ``.gif``.

    Frames of different sizes are brought to the size of the largest: enlarged without blending, so that the growth
    from 4x4 to 32x32 pixels is seen as it is.

    Args:
        fps: Frames per second.
        hold_s: The last frame stays this much longer.

    Returns:
        How many frames it has. Files that hold no whole picture are omitted; where none is left, nothing is written.

    Raises:
        UserError: there is no frame, or the name's ending is another.
    """
    kind = path.suffix.lower()
    if kind not in (".webp", ".gif"):
        raise UserError(f"{path.name} cannot be an animation: its name must end in .webp or .gif.")
    if not frames:
        raise UserError(f"{path.name} cannot be written: an animation needs at least one frame.")
    chosen = [frame for frame in thin(frames) if not isinstance(frame, Path) or is_whole(frame)]
    if not chosen:
        return 0
    size, mode = common_size(chosen), _common_mode(chosen)
    durations = _durations(len(chosen), fps=fps, hold_s=hold_s)
    fitted = (_fit(_open(frame), size, mode) for frame in chosen)
    with atomic_file(path) as partial:
        if kind == ".webp":
            with partial.open("wb") as file:
                _write_webp(file, fitted, durations, size=size, alpha=mode == "RGBA", quality=None)
        else:
            _write_gif(partial, fitted, durations)
    return len(chosen)


def film_within(frames: Sequence[Path], most_bytes: int, *, fps: float, hold_s: float = 1.5) -> bytes | None:
    """An endless WebP of at most ``most_bytes``: with loss, of fewer and smaller frames as it takes.

    Returns:
        None where fewer than two of the files hold a whole picture, or no form is small enough.
    """
    chosen = [frame for frame in thin(frames) if is_whole(frame)]
    for most_side, most_frames in FILM_FORMS if len(chosen) > 1 else ():
        few = thin(chosen, most_frames)
        size, mode = common_size(few, most_side), _common_mode(few)
        memory = io.BytesIO()
        fitted = (_fit(_open(frame), size, mode) for frame in few)
        durations = _durations(len(few), fps=fps * len(few) / len(chosen), hold_s=hold_s)
        _write_webp(memory, fitted, durations, size=size, alpha=mode == "RGBA", quality=FILM_QUALITY)
        if memory.tell() <= most_bytes:
            return memory.getvalue()
    return None


def _durations(frames: int, *, fps: float, hold_s: float) -> list[int]:
    """Milliseconds of each frame; the last stays longer."""
    return [round(1000 / fps)] * (frames - 1) + [round(1000 / fps + 1000 * hold_s)]


def thin(frames: Sequence[F], most: int = MAX_FRAMES) -> list[F]:
    """At most ``most`` frames, evenly spaced, with the first and the last."""
    if len(frames) <= most:
        return list(frames)
    return [frames[round(index)] for index in np.linspace(0, len(frames) - 1, most)]


def common_size(frames: Iterable[Frame], most_side: int = MAX_SIDE_PX) -> tuple[int, int]:
    """(width, height) in pixels that every frame is brought to: the largest frame's, within ``most_side``."""
    width, height = max((_open(frame).size for frame in frames), key=lambda size: size[0] * size[1])
    shrink = max(1.0, max(width, height) / most_side)
    return max(1, round(width / shrink)), max(1, round(height / shrink))


def _common_mode(frames: Iterable[Frame]) -> str:
    return "RGBA" if any(_open(frame).mode in ("RGBA", "LA", "PA") for frame in frames) else "RGB"


def _open(frame: Frame) -> Image.Image:
    """A frame as a picture; a file's pixels are not read before they are needed."""
    if isinstance(frame, Path):
        with frame.open("rb") as file:
            return Image.open(io.BytesIO(file.read()))
    if isinstance(frame, np.ndarray):
        return Image.fromarray(frame[:, :, 0] if frame.ndim == 3 and frame.shape[2] == 1 else frame)
    return frame


def _fit(image: Image.Image, size: tuple[int, int], mode: str) -> Image.Image:
    exact = image.convert(mode)
    enlarged = size[0] >= image.width and size[1] >= image.height
    return exact.resize(size, Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX)


def _write_gif(path: Path, frames: Iterator[Image.Image], durations: list[int]) -> None:
    """GIF has 256 colours per frame; Pillow holds the frames, one byte per pixel."""
    reduced = (frame.convert("RGB").quantize(256, dither=Image.Dither.NONE) for frame in frames)
    first = next(reduced)
    first.save(path, format="GIF", save_all=True, append_images=reduced, duration=durations, loop=0, disposal=1)


def _write_webp(
    file: io.BufferedIOBase,
    frames: Iterator[Image.Image],
    durations: list[int],
    *,
    size: tuple[int, int],
    alpha: bool,
    quality: int | None,
) -> None:
    """Frames into a file that can be gone back in; a ``quality`` of None is without loss."""
    canvas = _three_bytes(size[0] - 1) + _three_bytes(size[1] - 1)
    flags = 0x02 | (0x10 if alpha else 0)  # Animation; alpha.
    file.write(b"RIFF\0\0\0\0WEBP")
    file.write(_chunk(b"VP8X", struct.pack("<I", flags) + canvas))
    file.write(_chunk(b"ANIM", struct.pack("<IH", 0, 0)))  # Transparent background, repeated for ever.
    for frame, duration_ms in zip(frames, durations, strict=True):
        # At (0, 0), of the whole canvas, replacing what was there (0x02: not blended).
        header = bytes(6) + canvas + _three_bytes(duration_ms) + b"\x02"
        file.write(_chunk(b"ANMF", header + _encoded(frame, quality)))
    length = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", length - 8))
    file.seek(length)


def _encoded(frame: Image.Image, quality: int | None) -> bytes:
    """The frame's own chunks of a still WebP: all that follow the file's header, without the canvas chunk."""
    memory = io.BytesIO()
    if quality is None:
        frame.save(memory, format="WEBP", lossless=True, quality=60, method=4, exact=True)
    else:
        frame.save(memory, format="WEBP", quality=quality, method=4)
    data = memory.getvalue()[12:]
    if data[:4] == b"VP8X":
        data = data[8 + struct.unpack("<I", data[4:8])[0] :]
    return data


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _three_bytes(value: int) -> bytes:
    return value.to_bytes(3, "little")
