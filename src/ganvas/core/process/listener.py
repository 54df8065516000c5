"""Listener: whom work tells how far it is and asks whether it should stop; a terminal, a web page, a test."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable


@runtime_checkable
class Report(Protocol):
    """Tell the bar how far the work is, what to show beside it, and the seconds left where they are known better."""

    def __call__(self, done: float, note: str = "", left: float | None = None) -> None: ...


class Listener(ABC):
    """What a shell shows of the work that it has asked for, and how its user stops that work."""

    @abstractmethod
    def message(self, text: str) -> None:
        """Shows a sentence to the person."""

    @abstractmethod
    def bar(self, title: str, total: float, unit: str) -> AbstractContextManager[Report]:
        """Shows a piece of work of ``total`` units (``unit`` says of what) from its beginning to its end."""

    @abstractmethod
    def stoppable(self) -> AbstractContextManager[Callable[[], bool]]:
        """Surrounds work that ends tidily by itself soon after the function that is given to it answers yes."""

    def stopping(self) -> bool:
        """Whether other work is to end at its next report; a terminal interrupts instead."""
        return False


class Stopped(Exception):
    """Somebody asked through the listener that this work should stop, and it cannot be resumed."""
