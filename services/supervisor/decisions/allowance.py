"""How often something may be done: so much at once, filled up so fast."""

from dataclasses import dataclass


@dataclass
class Allowance:
    """What is left of it, and when that was."""

    most: float
    per_s: float
    left: float
    at: float

    @classmethod
    def full(cls, most: float, per_s: float, now: float) -> "Allowance":
        """Nothing of it used."""
        return cls(most, per_s, most, now)

    def wait_s(self, now: float, wanted: float = 1.0, kept: float = 0.0) -> float:
        """How long until so much may be taken, and so much is left for others."""
        self._fill(now)
        return max(0.0, (wanted + kept - self.left) / self.per_s)

    def take(self, now: float, taken: float = 1.0) -> None:
        """It is done, whether there was enough left for it or not."""
        self._fill(now)
        self.left -= taken

    def is_full(self, now: float) -> bool:
        """Whether nothing of it is used any more."""
        self._fill(now)
        return self.left >= self.most

    def _fill(self, now: float) -> None:
        self.left = min(self.most, self.left + (now - self.at) * self.per_s)
        self.at = max(self.at, now)
