import os
import signal
import threading

import pytest

from ganvas.core.process.stop_signals import asked_by_signals

HANGUP = pytest.param("SIGHUP", marks=pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none"))


@pytest.fixture(params=["SIGINT", "SIGTERM", HANGUP])
def number(request):
    """A signal, and a list of the times when it was not taken: a suite in the background starts with some ignored."""
    number = getattr(signal, request.param)
    before = signal.signal(number, lambda *_: calls.append(number))
    calls: list[int] = []
    yield number, calls
    signal.signal(number, before)


def test_the_first_signal_asks_and_the_second_does_what_it_always_did(number):
    number, calls = number
    with asked_by_signals() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert (asked(), calls) == (True, [])
        os.kill(os.getpid(), number)
        assert calls == [number]
    os.kill(os.getpid(), number)
    assert calls == [number, number], "afterwards everything is as before"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has none")
def test_a_hangup_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with asked_by_signals() as asked:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not asked()
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_no_signal_is_taken():
    answers = []

    def inside():
        with asked_by_signals() as asked:
            answers.append(asked())

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert answers == [False]
    assert signal.getsignal(signal.SIGTERM) is before
