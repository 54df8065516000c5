"""Checks of settings, written once: each names the field, the value given and what would do."""

from typing import Any

from ganvas.core.errors import UserError


def at_least(settings: Any, least: float, *names: str) -> None:
    """Every named field is ``least`` or more.

    Raises:
        UserError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if value < least:
            raise UserError(f"{name}={value} must be at least {least:g}.")


def above(settings: Any, bound: float, *names: str) -> None:
    """Every named field is more than ``bound``.

    Raises:
        UserError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if not value > bound:
            raise UserError(f"{name}={value} must be above {bound:g}.")


def fractions(settings: Any, *names: str) -> None:
    """Every named field is in [0, 1), as decay rates are.

    Raises:
        UserError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if not 0 <= value < 1:
            raise UserError(f"{name}={value} must be in [0, 1).")


def probabilities(settings: Any, *names: str) -> None:
    """Every named field is in [0, 1].

    Raises:
        UserError: one is not.
    """
    for name in names:
        value = getattr(settings, name)
        if not 0 <= value <= 1:
            raise UserError(f"{name}={value} must be in [0, 1].")
