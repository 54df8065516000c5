import os
import sys
from pathlib import Path

import numpy as np
import pytest

from ganvas.core.process.freed_memory import return_freed_memory


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has malloc_trim")
def test_what_was_freed_between_blocks_that_stay_goes_back_to_the_system():
    blocks = [np.ones(8192) for _ in range(2000)]  # 64 KiB each: below what the C library maps on its own.
    stay = blocks[::100]
    blocks.clear()
    before = resident()
    return_freed_memory()
    assert before - resident() > 2000 * 65536 // 2
    assert len(stay) == 20
