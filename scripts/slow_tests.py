"""Lists the tests that `make fast` leaves out beside those marked slow, from what a whole run took.

    python -m pytest -q -n 2 --durations 0 -vv > suite.log && python scripts/slow_tests.py suite.log

A function is listed where one of its cases takes ``LONGEST`` seconds, or all of them together ``TOGETHER``. The list
is ``tests/slow_tests.txt``, which ``tests/conftest.py`` reads; a test that is not in it yet counts as quick.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

LIST = Path(__file__).parents[1] / "tests" / "slow_tests.txt"
LINE = re.compile(r"\s*([0-9.]+)s (?:call|setup)\s+(\S+?::[^\[\s]+)")
LONGEST, TOGETHER = 0.07, 0.2


def slow_functions(log: str) -> list[str]:
    """Functions that take long, by the lines of ``--durations``.

    >>> slow_functions("0.04s call t.py::test_a[1]\\n0.09s setup t.py::test_b\\n0.01s call t.py::test_a[2]")
    ['t.py::test_b']
    """
    taken: dict[str, list[float]] = defaultdict(list)
    for seconds, name in LINE.findall(log):
        taken[name].append(float(seconds))
    return sorted(name for name, each in taken.items() if max(each) >= LONGEST or sum(each) >= TOGETHER)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    names = slow_functions(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if not names:
        sys.exit(f"{sys.argv[1]} holds no durations: run pytest with --durations 0 -vv.")
    LIST.write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
