import io
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ganvas.core import progress as module
from ganvas.core.process.listener import Listener, Report, Stopped
from ganvas.core.progress import duration, listening, progress, say, stoppable, tracked


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


class Page(Listener):
    """A second shell: keeps what it hears, and wants a stop after so many reports."""

    def __init__(self, *, patience: float = math.inf) -> None:
        self.heard: list[object] = []
        self.patience = patience

    def message(self, text: str) -> None:
        self.heard.append(text)

    @contextmanager
    def bar(self, title: str, total: float, unit: str) -> Iterator[Report]:
        self.heard.append((title, total, unit))
        yield lambda done, note="", left=None: self.heard.append((done, note, left))
        self.heard.append("end")

    @contextmanager
    def stoppable(self) -> Iterator[Callable[[], bool]]:
        yield self.stopping

    def stopping(self) -> bool:
        return len(self.heard) > self.patience


def test_a_second_shell_hears_what_the_terminal_would_have_shown(capsys: pytest.CaptureFixture[str]):
    page = Page()
    with listening(page):
        say("hello")
        with progress("packing", 3, unit="pictures") as report:
            report(1, "cats", left=4.0)
    say("after")
    assert page.heard == ["hello", ("packing", 3, "pictures"), (1, "cats", 4.0), "end"]
    assert capsys.readouterr() == ("", "after\n")


def test_a_second_shell_stops_work_at_its_next_report_even_where_nothing_is_shown():
    for quiet in (False, True):
        page = Page(patience=0)
        page.message("one more than its patience")
        with pytest.raises(Stopped), listening(page):
            list(tracked([1, 2], "reading", quiet=quiet))


def test_work_that_ends_tidily_is_asked_and_never_thrown_out_of_a_report():
    page, steps = Page(patience=3), 0
    with listening(page), stoppable() as asked, progress("training", 100) as report:
        while not asked():
            steps += 1
            report(steps)
    assert steps == 3  # The title and two steps are three things heard; the third step is one more.
    with pytest.raises(Stopped), listening(page):
        list(tracked([1], "reading"))


def test_another_thread_of_a_shell_has_a_listener_of_its_own(capsys: pytest.CaptureFixture[str]):
    page = Page()
    with listening(page):
        thread = threading.Thread(target=say, args=("from elsewhere",))
        thread.start()
        thread.join()
    assert (page.heard, capsys.readouterr().err) == ([], "from elsewhere\n")


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str]):
    say("\x1b]0;taken\x07.png\r\x7f\x9b \u202egnp.exe \udce9 größer\n\tnext line")
    assert capsys.readouterr().err == (
        "\\x1b]0;taken\\x07.png\\x0d\\x7f\\x9b \\u202egnp.exe \\udce9 größer\n\tnext line\n"
    )


def test_a_closed_stderr_is_no_reason_to_end_the_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stderr", None)
    say("nobody hears")
    assert list(tracked([1, 2], "reading")) == [1, 2]


def test_a_message_that_cannot_be_written_is_dropped(monkeypatch: pytest.MonkeyPatch):
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    say("nobody hears")
