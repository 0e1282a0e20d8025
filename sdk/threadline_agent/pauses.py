"""Pauses that differ from process to process, so that not all come back at the same moment."""

from random import SystemRandom

_CHANCE = SystemRandom()
"""Not the generator that everybody shares: an agent that seeded it gets the numbers that it would get without us."""


def spread() -> float:
    """By how much a pause is shorter."""
    return _CHANCE.uniform(0.5, 1.0)
