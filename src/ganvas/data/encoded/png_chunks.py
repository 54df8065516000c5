"""The chunks of a PNG that its pixels and its orientation depend on, without the others.

Texts, colour profiles and other ancillary chunks (PNG specification, section 5.4: their kind begins with a small
letter) are not used here. They may be very large (the workflows of picture generators), damaged, or made to fill the
memory when they are unpacked, and are left out before the file is decoded. EXIF may come before or after the pixels: it
is put in front of them, where the size of the turned picture is asked for, and left out where its checksum is wrong.
"""

import io
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_USED_ANCILLARY = frozenset((b"tRNS", b"acTL", b"fcTL", b"fdAT"))  # Transparency, and what makes an animation.
_LARGEST = 1 << 20  # Bytes of EXIF, or of one chunk before the pixels: both are far smaller.


def essential(data: bytes) -> bytes:
    """The same picture without chunks that are not used; what is cut short stays cut short."""
    head, rest, exif = [SIGNATURE], [], b""
    for kind, start, end in _chunks(io.BytesIO(data)):
        if kind == b"eXIf":
            exif = exif or _whole(data[start:end])
        elif _is_used(kind):
            (rest if rest or kind == b"IDAT" else head).append(data[start:end])
    return b"".join((*head, exif, *rest))


def essential_head(file: io.BufferedIOBase) -> bytes:
    """What :func:`essential` gives up to the first pixel, from an open file whose pixels are passed over unread."""
    head, exif, pixels = [SIGNATURE], b"", b""
    for kind, start, end in _chunks(file):
        if kind == b"IDAT":
            pixels = (1).to_bytes(4, "big") + kind
        elif end - start <= _LARGEST and (kind == b"eXIf" or (_is_used(kind) and not pixels)):
            file.seek(start)
            chunk = file.read(end - start)
            if kind == b"eXIf":
                exif = exif or _whole(chunk)
            else:
                head.append(chunk)
    return b"".join((*head, exif, pixels))


def _is_used(kind: bytes) -> bool:
    """Critical chunks, and the few others that pixels depend on."""
    return kind[:1].isupper() or kind in _USED_ANCILLARY


def _whole(chunk: bytes) -> bytes:
    """The chunk, or nothing where it is damaged."""
    return chunk if len(chunk) <= _LARGEST and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big") else b""


def _chunks(file: io.BufferedIOBase) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and byte behind the last of every chunk: length, kind, content and checksum."""
    start = len(SIGNATURE)
    while True:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            return
        end = start + 12 + int.from_bytes(head[:4], "big")
        yield head[4:], start, end
        if head[4:] == b"IEND":
            return
        start = end
