"""Memory and time of training's reads from shards that are too large to be packed, in a process of its own.

``python benchmarks/shards_memory.py [GIGABYTES] [FOLDER] [tables]`` (50 GB, in a temporary folder). Every picture of
the tar files has a megabyte, of which all but the first kilobyte is a hole: the disk holds the headers, and every byte
is still read. With ``tables`` there are Parquet files of row groups of 100 pictures of 128 KiB, which are small on the
disk and large again in memory (recorded as ``shards.memory tables``). The index is made first, by another process; then
the first batch is timed from the moment at which the libraries are loaded, and batches of two epochs' places are read.
"""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from history import record
from PIL import Image

PER_SHARD, BYTES = 1000, 1 << 20
PER_GROUP, TABLE_BYTES = 100, 1 << 17
BOUND_MB, FIRST_BATCH_SEC = 1000, 2.0

CHILD = """
import json, os, resource, sys, time
import torch
from pathlib import Path
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.packing import prepare
from ganvas.train.feeds.picture_feed import Dealing, PictureFeed

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

libraries_mb, started = peak_mb(), time.perf_counter()
pictures = prepare(sys.argv[1], cache=Path(sys.argv[2]), quiet=True)
opened_sec = time.perf_counter() - started
if sys.argv[3] == "read":
    feed = PictureFeed(pictures, Dealing(), seed=0, device=torch.device("cpu"), ranks=Ranks())
    stage = Stage(batch_size=32, lr=0.0)
    feed.batch(0, stage)
    first_sec = time.perf_counter() - started
    for step in range(1, 30):
        feed.batch(step * (len(pictures) // 16), stage)  # Far apart: every one from other shards.
    feed.close()
    found = {"first_batch_sec": round(first_sec, 2), "reading_sec": round(time.perf_counter() - started - first_sec, 2)}
else:
    found = {"indexing_sec": round(opened_sec, 1)}
memory = {"libraries_mb": round(libraries_mb), "peak_mb": round(peak_mb())}
print(json.dumps({"pictures": len(pictures), **memory, **found}))
"""


def main() -> int:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 50.0
    tables = "tables" in sys.argv[3:]
    size, ending = (TABLE_BYTES, "parquet") if tables else (BYTES, "tar")
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        shards = max(1, round(gigabytes * 1e9 / size / PER_SHARD))
        for number in range(shards):
            (write_table if tables else write_shard)(Path(folder) / f"{number:03d}.{ending}", number)
        on_disk = sum(file.stat().st_blocks * 512 for file in Path(folder).glob(f"*.{ending}"))
        source = f"{folder}/{{000..{shards - 1:03d}}}.{ending}"
        indexed, read = (measured(source, Path(folder) / "cache", what) for what in ("index", "read"))
    record(
        "shards.memory tables" if tables else "shards.memory",
        {
            "gigabytes": gigabytes,
            "on_disk_mb": round(on_disk / 1e6),
            "shards": shards,
            **{f"index_{name}" if name == "peak_mb" else name: value for name, value in indexed.items()},
            **{f"read_{name}" if name == "peak_mb" else name: value for name, value in read.items()},
        },
    )
    peak = max(indexed["peak_mb"], read["peak_mb"])
    late = read["first_batch_sec"] > FIRST_BATCH_SEC
    print(
        f"{gigabytes:g} GB in shards held at most {peak:.0f} MB (bound: {BOUND_MB} MB); the first batch came after "
        f"{read['first_batch_sec']:g} s (bound: {FIRST_BATCH_SEC:g} s).",
        file=sys.stderr,
    )
    return 1 if peak >= BOUND_MB or late else 0


def measured(source: str, cache: Path, what: str) -> dict[str, float]:
    """What a process of its own found."""
    command = [sys.executable, "-c", CHILD, source, str(cache), what]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def small_png(number: int) -> bytes:
    """A picture of 16x16."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def write_table(path: Path, number: int) -> None:
    """A Parquet file of such pictures, each followed by nothing."""
    import pyarrow
    import pyarrow.parquet

    rows = pyarrow.table({"image": [small_png(number).ljust(TABLE_BYTES, b"\0")] * PER_SHARD})
    pyarrow.parquet.write_table(rows, path, row_group_size=PER_GROUP, use_dictionary=False)


def write_shard(path: Path, number: int) -> None:
    """A tar file of such pictures whose files go on with nothing."""
    picture = small_png(number)
    with path.open("wb") as shard:
        for place in range(PER_SHARD):
            member = tarfile.TarInfo(f"{number:03d}/{place:06d}.png")
            member.size = BYTES
            shard.write(member.tobuf() + picture)
            shard.seek((place + 1) * (tarfile.BLOCKSIZE + BYTES))
        shard.truncate(PER_SHARD * (tarfile.BLOCKSIZE + BYTES) + 2 * tarfile.BLOCKSIZE)


if __name__ == "__main__":
    sys.exit(main())
