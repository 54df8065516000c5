import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of this kind on this system")

SLOW = """
import time
print("importing", flush=True)
end = time.monotonic() + 1
while time.monotonic() < end: pass
done = True
"""
MAIN = """
import signal, sys, time
from ganvas.cli.interrupts import wait_for_imports
signal.signal(signal.SIGINT, signal.default_int_handler)  # Background jobs start with it ignored.
wait_for_imports()
try:
    import slow_module
    end = time.monotonic() + 30
    while time.monotonic() < end: pass
    print("never")
except KeyboardInterrupt:
    print("whole" if hasattr(sys.modules.get("slow_module"), "done") else "half")
"""


def pressed(folder, times):
    (folder / "slow_module.py").write_text(SLOW)
    with subprocess.Popen([sys.executable, "-c", MAIN], stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout.readline() == "importing\n"
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)  # Two of one kind that wait are one.
        return process.stdout.read()


def test_ctrl_c_lets_an_import_end_first(tmp_path):
    assert pressed(tmp_path, 1) == "whole\n"


def test_pressed_again_it_ends_at_once(tmp_path):
    assert pressed(tmp_path, 2) == "half\n"


def test_a_handler_of_somebody_else_stays(tmp_path):
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from ganvas.cli.interrupts import wait_for_imports\n"
        "wait_for_imports(); print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
