"""Seconds that a person waits before anything happens: ``ganvas --help`` and ``import ganvas``, both without torch.

At most 0.5 s on a quiet machine; a bare ``python -c pass`` is measured beside them, to see how quiet it was.
"""

import statistics
import subprocess
import sys
import time

from history import record

RUNS = 9
HELP = "import sys; sys.argv = ['ganvas', '--help']; from ganvas.cli.main import main; main()"


def wall_time(script: str) -> float:
    """Median seconds of a fresh interpreter, after one run that fills the disk's cache."""
    seconds = []
    for _ in range(RUNS + 1):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - before)
    return statistics.median(seconds[1:])


def imports_torch(script: str) -> bool:
    """Whether torch is loaded once the script is done (``--help`` ends by leaving the interpreter)."""
    watch = "import atexit, sys, os; atexit.register(lambda: os._exit(3 if 'torch' in sys.modules else 0))\n"
    return subprocess.run([sys.executable, "-c", watch + script], stdout=subprocess.DEVNULL).returncode == 3


def main() -> None:
    scripts = {"help": HELP, "import": "import ganvas"}
    times = {f"{name}_sec": wall_time(script) for name, script in scripts.items()}
    torch_free = not any(imports_torch(script) for script in scripts.values())
    record("startup", times | {"bare_python_sec": wall_time("pass"), "torch_free": torch_free})


if __name__ == "__main__":
    main()
