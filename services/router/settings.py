"""What the router is told."""

from pydantic import Field

from services.directory.settings import DirectorySettings
from services.kit.groups import KafkaSettings, ProcessSettings

SERVICE = "router"
"""What it is called, and its consumer group behind the topics' prefix."""


class RouterSettings(DirectorySettings, KafkaSettings, ProcessSettings):
    """Deciding what becomes of every envelope."""

    router_name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """What this process is called among routers, and stays called over restarts: with it, a restart within
    THREADLINE_ROUTER_SESSION_S keeps its partitions. By default one of the machine, the state folder and a number."""
    router_session_s: float = Field(default=10.0, ge=6, le=300)
    """How long a router may be silent before others take over its partitions."""
    router_in_flight: int = Field(default=500, ge=10, le=10_000)
    """How many envelopes of one partition may be on their way: decided and not yet written, or waiting for Postgres."""
    router_stall_s: float = Field(default=60.0, ge=5, le=3600)
    """How long nothing may be committed while envelopes wait, before the process ends to be started anew."""
    rate_limit_per_minute: int = Field(default=30, ge=1, le=100_000)
    """How many requests a minute a tenant's connection may make, where the directory names no limit of its own."""
    router_letters_in_a_row: int = Field(default=20, ge=1, le=100_000)
    """How many envelopes in a row may end as dead letters before a partition is paused."""
    router_letters_percent: float = Field(default=20.0, gt=0, le=100)
    """How many of a partition's last 200 envelopes may, in percent."""
