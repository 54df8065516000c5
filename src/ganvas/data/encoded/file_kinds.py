"""Kinds of files by their first bytes: those that are read as pictures, and those that are known and refused by name.

The ending of a name says what a file should be; only its bytes say what it is. Pillow is given the one format that the
bytes are of, so that no other of its readers ever sees them: among those is one that starts Ghostscript.
"""

import re

START_BYTES = 512  # Enough for every kind below.
_CONVERT = "convert it to PNG or JPEG"
_PILLOW = (  # First bytes, and Pillow's name of the format.
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"qoif", "QOI"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
)
_KNOWN = (  # First bytes, and what the file is instead of a picture that is read.
    (b"\xff\x0a", f"is JPEG XL, which is not read here; {_CONVERT}"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", f"is JPEG XL, which is not read here; {_CONVERT}"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the picture; fetch the files with `git lfs pull`"),
    (b"%!PS", f"is a PostScript program, which is never run; {_CONVERT}"),
    (b"\xc5\xd0\xd3\xc6", f"is a PostScript program, which is never run; {_CONVERT}"),
    (b"%PDF", f"is a PDF; {_CONVERT}"),
    (b"8BPS", f"is a Photoshop file; {_CONVERT}"),
    (b"v/1\x01", "is OpenEXR, whose pixels are floating-point numbers of unknown range; save it as 8 or 16 bits"),
    (b"#?R", "is Radiance HDR, whose pixels are floating-point numbers of unknown range; save it as 8 or 16 bits"),
    (b"\0\0\x01\0", f"is a Windows icon; {_CONVERT}"),
    (b"II\xbc\x01", f"is JPEG XR, which is not read here; {_CONVERT}"),
    (b"IIU\0", f"is a camera's raw file; {_CONVERT}"),
    (b"IIRO", f"is a camera's raw file; {_CONVERT}"),
    (b"FUJIFILM", f"is a camera's raw file; {_CONVERT}"),
    (b"PK\x03\x04", "is a zip archive"),
    (b"\x1f\x8b", "is a gzip archive"),
    (b"Rar!", "is a RAR archive"),
    (b"7z\xbc\xaf", "is a 7z archive"),
    (b"\x93NUMPY", "is a NumPy array"),
)
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))


def pillow_format(start: bytes) -> str | None:
    """Pillow's name of the picture format that a file begins like; None for none that is read.

    TGA has no mark at its start: it is tried where nothing else is known.
    """
    if re.match(rb"P[1-6f]\s", start):
        return "PPM"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if _brands(start) & {b"avif", b"avis"}:
        return "AVIF"
    return next((name for magic, name in _PILLOW if start.startswith(magic)), None)


def known_otherwise(start: bytes) -> str | None:
    """What a file is that is no picture of a kind that is read, as the end of a sentence; None where it is not known.

    >>> known_otherwise(b"\\xff\\x0a")
    'is JPEG XL, which is not read here; convert it to PNG or JPEG'
    """
    brands = _brands(start)
    if brands & _HEIC:
        return f"is HEIC (as phones write it), which is not read here; {_CONVERT}"
    if b"crx " in brands:
        return f"is a camera's raw file; {_CONVERT}"
    if brands:
        return "is a film, not a picture"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "is a web page, as a failed download leaves it; download it again"
    if text.startswith((b"<svg", b"<?xml")) and b"<svg" in text:
        return f"is SVG, a drawing without pixels; {_CONVERT}"
    return next((reason for magic, reason in _KNOWN if start.startswith(magic)), None)


def _brands(start: bytes) -> frozenset[bytes]:
    """The brands of an ISO base media file (AVIF, HEIC, films): 4 bytes of length, ``ftyp``, then 4 bytes each."""
    if start[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(start[:4], "big"), len(start))
    listed = start[8:12] + start[16:end]  # The four bytes between are a version.
    return frozenset(listed[at : at + 4] for at in range(0, len(listed), 4)) or frozenset((b"",))
