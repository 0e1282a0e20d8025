"""How a service keeps what it has read of the directory."""

from pydantic import Field

from services.kit.groups import DatabaseSettings, SecretSettings, StateSettings


class DirectorySettings(DatabaseSettings, SecretSettings, StateSettings):
    """Reading the directory."""

    directory_fresh_s: float = Field(default=60.0, ge=1, le=3600)
    """After this long a tenant is read again, even where no change was heard of."""
    directory_unknown_s: float = Field(default=5.0, ge=0.1, le=60)
    """How long a workspace that nobody owns is taken to be so."""
    directory_tenants: int = Field(default=10_000, ge=10)
    """How many tenants a process keeps in memory."""
