"""Names in the simulated Slack: each is drawn from the seed, its kind and a count, so that a seed repeats them all."""

import hashlib
from uuid import UUID

from services.slack_sim.world.entities import Counters

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Names:
    """Draws ids, tokens and secrets."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def id(self, kind: str) -> str:
        """An id such as U0A1B2C3D4: the kind's letters, then a name of its own."""
        number = int.from_bytes(self._draw(kind)[:8], "big")
        letters = []
        for _ in range(9):
            number, digit = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[digit])
        return f"{kind}0{''.join(letters)}"

    def uuid(self, kind: str) -> str:
        """A UUID."""
        return str(UUID(bytes=self._draw(kind), version=4))

    def secret(self, kind: str) -> str:
        """32 hexadecimal digits."""
        return self._draw(kind).hex()

    def number(self, kind: str) -> str:
        """Thirteen digits, as tokens and trigger ids have in them."""
        return str(10**12 + int.from_bytes(self._draw(kind)[:5], "big"))

    def _draw(self, kind: str) -> bytes:
        drawn = self._counters.drawn
        count = drawn[kind] = drawn.get(kind, self._counters.floor) + 1
        return hashlib.blake2b(f"{self._counters.seed}/{kind}/{count}".encode(), digest_size=16).digest()
