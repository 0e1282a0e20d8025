"""What the reference gateway is told."""

from pathlib import Path

from pydantic import SecretStr

from services.kit.groups import HttpSettings, LogSettings, SecretSettings


class GatewaySettings(SecretSettings, HttpSettings, LogSettings):
    """The reference gateway of secrets."""

    secrets_gateway_writer_token: SecretStr | None = None
    """The bearer token that the gateway also lets store."""
    secrets_gateway_file: Path | None = None
    """Where the gateway keeps its secrets, sealed; in memory only without it."""
