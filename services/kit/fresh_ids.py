"""New names as a parameter: for what cannot be named after its input (`schemas.ids` names the rest)."""

from typing import Protocol
from uuid import uuid4  # noqa: TID251 - the one place that draws one


class FreshIds(Protocol):
    """Where a process gets new names from."""

    def new(self) -> str:
        """A name that nothing had before."""
        ...


class RandomIds:
    """Random UUIDs."""

    def new(self) -> str:
        """A name that nothing had before."""
        return str(uuid4())
