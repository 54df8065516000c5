import io
from collections.abc import Iterator

import pytest

from ganvas.core import progress as module
from ganvas.core.progress import duration, progress, say, tracked


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_short_work_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]):
    with progress("packing", 10) as report:
        for done in range(11):
            clock.now += 0.5
            report(done)
    assert capsys.readouterr() == ("", "")


def test_long_work_says_a_line_every_ten_seconds_with_the_time_left(clock: Clock, capsys: pytest.CaptureFixture[str]):
    with progress("packing", 3000, unit="pictures") as report:
        for done in range(0, 3001, 100):  # 100 pictures a second
            report(done, "cats" if done == 2000 else "")
            clock.now += 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "packing: 1,000/3,000 pictures, 20 s left",
        "packing: 2,000/3,000 pictures, cats, 10 s left",
        "packing: 3,000/3,000 pictures",
    ]


def test_the_pace_of_a_resumed_run_counts_from_where_it_resumed(clock: Clock, capsys: pytest.CaptureFixture[str]):
    with progress("training", 1000, unit="kimg") as report:
        report(900)
        clock.now += 10
        report(910)  # 1 kimg a second; counted from 0 it would be 91.
    assert capsys.readouterr().err == "training: 910.0/1,000 kimg, 1 min 30 s left\n"


def test_time_left_that_is_known_better_is_shown_instead(clock: Clock, capsys: pytest.CaptureFixture[str]):
    with progress("training", 100, unit="kimg") as report:
        report(0)
        clock.now += 10
        report(10, left=600.0)  # Later resolutions are slower: the pace so far would say 1 min 30 s.
        clock.now += 10
        report(100, left=0.0)
    assert capsys.readouterr().err.splitlines() == [
        "training: 10.0/100 kimg, 10 min 00 s left",
        "training: 100.0/100 kimg",
    ]


def test_a_quiet_bar_says_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]):
    with progress("packing", 10, quiet=True) as report:
        clock.now += 100
        report(5, "note")
    assert capsys.readouterr() == ("", "")


def test_tracked_items_are_all_there(clock: Clock, capsys: pytest.CaptureFixture[str]):
    def numbers() -> Iterator[int]:
        for number in range(4):
            clock.now += 10
            yield number

    assert list(tracked(numbers(), "reading", total=4)) == [0, 1, 2, 3]
    assert list(tracked([1, 2], "reading", quiet=True)) == [1, 2]
    assert capsys.readouterr().err.count("\n") == 4


def test_a_bar_on_a_terminal_shows_numbers_and_a_note_with_brackets(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with progress("training", 48, unit="kimg") as report:
        report(12.5, "[8, fading]")
    shown = terminal.getvalue()
    assert "12.5/48 kimg" in shown
    assert "[8, fading]" in shown


def test_messages_go_to_stderr_because_stdout_is_for_data(capsys: pytest.CaptureFixture[str]):
    say("hello")
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599.6, "1 h 00 min"),
        (86399, "23 h 59 min"),
        (90000, "1 d 01 h"),
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, text: str):
    assert duration(seconds) == text
