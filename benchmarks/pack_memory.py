"""The peak memory of packing a large source and of reading it as training does, in a process of its own.

``python benchmarks/pack_memory.py [GIGABYTES] [FOLDER]`` (20 GB, in a temporary folder). The source is a sparse
``.npy``, whose hole takes no disk, and its pack is sparse too; every byte is still read, hashed and looked at. Most of
the time is SHA-256.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from history import record

from ganvas.data.store import HEADER_BYTES, npy_header

SIDE, CHANNELS = 1024, 3
BOUND_MB = 1000

CHILD = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from ganvas.data.packing import pack

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

started = time.perf_counter()
packed = pack(sys.argv[1], Path(sys.argv[2]))
packing_sec, packing_mb = time.perf_counter() - started, peak_mb()
random, started = np.random.default_rng(0), time.perf_counter()
for _ in range(200):
    packed.read(random.integers(0, len(packed), 16))
reading_sec = time.perf_counter() - started
on_disk = sum(file.stat().st_blocks * 512 for file in packed.folder.iterdir())
print(json.dumps({
    "pictures": len(packed), "packing_sec": round(packing_sec, 1), "packing_peak_mb": round(packing_mb, 1),
    "batches_of_16_read": 200, "reading_sec": round(reading_sec, 2), "reading_peak_mb": round(peak_mb(), 1),
    "pack_on_disk_mb": round(on_disk / 1e6, 2),
}))
"""


def main() -> int:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        source = Path(folder) / "sparse.npy"
        count = round(gigabytes * 1e9 / (SIDE * SIDE * CHANNELS))
        with source.open("wb") as file:
            file.write(npy_header((count, SIDE, SIDE, CHANNELS), np.dtype(np.uint8)))
            file.truncate(HEADER_BYTES + count * SIDE * SIDE * CHANNELS)
        command = [sys.executable, "-c", CHILD, str(source), str(Path(folder) / "packed")]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured = json.loads(done.stdout)
    record("pack.memory", {"gigabytes": gigabytes, **measured})
    peak = max(measured["packing_peak_mb"], measured["reading_peak_mb"])
    print(f"Packing and reading {gigabytes:g} GB held at most {peak:.0f} MB (bound: {BOUND_MB} MB).", file=sys.stderr)
    return 0 if peak < BOUND_MB else 1


if __name__ == "__main__":
    sys.exit(main())
