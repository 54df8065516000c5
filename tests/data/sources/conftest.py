"""Archives for the tests of sources."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

Named = Iterable[tuple[str, bytes]]


@pytest.fixture
def members_of() -> Callable[[Path], list[tuple[str, bytes]]]:
    """Names and bytes of the PNGs in a folder, sorted."""
    return lambda folder: [
        (path.relative_to(folder).as_posix(), path.read_bytes()) for path in sorted(folder.rglob("*.png"))
    ]


@pytest.fixture
def tar_of() -> Callable[..., Path]:
    """Writes a tar of named bytes; a name with ``=`` or ``->`` is a hard or symbolic link."""

    def written(members: Named, path: Path, mode: str = "w") -> Path:
        with tarfile.open(path, mode) as archive:
            for name, data in members:
                archive.addfile(*_member(name, data))
        return path

    return written


def _member(name: str, data: bytes) -> tuple[tarfile.TarInfo, io.BytesIO | None]:
    for mark, kind in ((" = ", tarfile.LNKTYPE), (" -> ", tarfile.SYMTYPE)):
        if mark in name:
            info = tarfile.TarInfo(name.partition(mark)[0])
            info.type, info.linkname = kind, name.partition(mark)[2]
            return info, None
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, io.BytesIO(data)


@pytest.fixture
def zip_of() -> Callable[[Named, Path], Path]:
    """Writes a zip of named bytes."""

    def written(members: Named, path: Path) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members:
                archive.writestr(name, data)
        return path

    return written
