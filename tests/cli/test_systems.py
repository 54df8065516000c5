"""Whole commands on a system that lacks what Windows lacks, and on disks that lack what Lustre and FUSE lack."""

import json
import os
import subprocess
import sys

import pytest

from .conftest import SETTINGS, draw

WINDOWS = """
import errno, os, signal, sys
for name in ("pread", "preadv", "sched_getaffinity", "sysconf", "sysconf_names"):
    os.__dict__.pop(name, None)
for name in ("setitimer", "getitimer", "SIGALRM", "SIGHUP"):
    signal.__dict__.pop(name, None)
sys.modules["fcntl"] = sys.modules["resource"] = None
opened, flush, readers = os.open, os.fsync, set()

def open_file(path, flags, *more, **named):
    if os.path.isdir(path) and os.sep + "ganvas" + os.sep in sys._getframe(1).f_code.co_filename:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    handle = opened(path, flags, *more, **named)
    (readers.discard if flags & (os.O_WRONLY | os.O_RDWR) else readers.add)(handle)
    return handle

def fsync(handle):
    if handle in readers:
        raise OSError(errno.EBADF, "Bad file descriptor")
    flush(handle)

os.open, os.fsync = open_file, fsync
"""
DISK = """
import errno, fcntl, os, stat
flush = os.fsync

def flock(handle, operation):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

def fsync(handle):
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    flush(handle)

fcntl.flock, os.fsync = flock, fsync
"""
MAIN = """
import sys
from ganvas.cli.main import main
for words in sys.argv[1:]:
    try: main(words.split())
    except SystemExit as end:
        if end.code: raise
"""


@pytest.mark.skipif(sys.platform != "linux", reason="takes away what Linux has")
@pytest.mark.parametrize(
    "lacks",
    [
        pytest.param(WINDOWS, id="Windows", marks=pytest.mark.slow),
        pytest.param(DISK, id="a disk without locks and flushes of folders", marks=pytest.mark.machines),
    ],
)
def test_a_run_is_trained_sampled_measured_and_reported(tmp_path, lacks):
    draw(tmp_path / "in")
    run = tmp_path / "run"
    training = f"train gan/progan --data {tmp_path}/in --out {run} --threads 1 {' '.join(SETTINGS)} --kimg"
    commands = [
        f"{training} 0.016",
        f"{training} 0.024",
        f"sample {run} -n 4 -o {tmp_path}/grid.png",
        f"sample {run} -n 16 --to folder -o {tmp_path}/drawn",
        f"measure {run} --metrics swd",
        f"data pack {tmp_path}/in --out {tmp_path}/packed",
        f"measure {tmp_path}/drawn {tmp_path}/packed --metrics swd -n 16",
        f"report {run}",
    ]
    done = subprocess.run(
        [sys.executable, "-c", lacks + MAIN, *commands],
        env=os.environ | {"GANVAS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Warning: This disk has no file locks") == 1
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    assert [json.loads(line)["source"] for line in (run / "measures.jsonl").read_text().splitlines()] == ["measure"]
    assert (run / "report.html").stat().st_size > 10_000
