"""Ids in a report: shown as they are, or as a keyed hash that is the same in every report under the same key."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

Kind = Literal["tenant", "channel", "session", "agent", "rule"]

SHOWN = 10
"""Digits of the hash: enough to tell a tenant's channels apart."""
FINGERPRINT = 12


@dataclass(frozen=True)
class Revealed:
    """Ids as they are, for operators."""

    def __call__(self, kind: Kind, name: str) -> str:  # noqa: ARG002 - as `Hashed` is called
        """The name."""
        return name


@dataclass(frozen=True)
class Hashed:
    """HMAC-SHA256 of the id. Who has no key can neither read it nor try names out."""

    key: bytes
    kept: bool
    """Whether the key is the operator's own; otherwise it was made for this one report."""

    def __call__(self, kind: Kind, name: str) -> str:
        """The name that stands for it."""
        return f"{kind}-{self._digest(f'{kind}:{name}')[:SHOWN]}"

    @property
    def fingerprint(self) -> str:
        """Tells whether two reports have the same key, and so the same names."""
        return self._digest("the key of a report")[:FINGERPRINT]

    def _digest(self, text: str) -> str:
        return hmac.new(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


Naming = Revealed | Hashed
