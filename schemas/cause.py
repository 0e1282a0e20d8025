"""What a person or a program did, under every name that the same act can come under."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """What a person did, by its own name and by the other names that the same act can come under.

    A run's id is made of `name`; a claim is made for every name, so that whichever comes again is recognised.
    """

    name: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the first being the one that the run's id is made of."""
        return (self.name, *self.aliases)


def gateway_cause(request_key: str) -> Cause:
    """What a program did: it asked once, however often it says so."""
    return Cause(f"gateway:{request_key}")
