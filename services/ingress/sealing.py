"""How secrets in envelopes are sealed."""

from collections.abc import Callable

from pydantic import SecretStr

from schemas.slack import sealed_for
from services.ingress.decisions.masking import Seal
from services.kit.groups import SecretSettings

SealFor = Callable[[str], Seal]
"""Given a connection, what seals the secrets in its envelopes."""


def seal_with(settings: SecretSettings) -> SealFor | None:
    """Seals with the first of the sealing keys; none where there is no key."""
    if settings.sealing_keys is None:
        return None
    # Imported where it is wanted: cryptography costs memory that an ingress without keys can do without.
    from services.kit.secrets.sealing import Sealer  # noqa: PLC0415

    sealer = Sealer.of(settings)

    def seal_for(connection: str) -> Seal:
        purpose = sealed_for(connection)
        return lambda secret: sealer.seal(SecretStr(secret), purpose).decode()

    return seal_for


def leave_out(_: str) -> Seal:
    """Where nothing can seal them, they are left out."""
    return lambda _: None
