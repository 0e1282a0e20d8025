"""How deliveries are made, where Slack's own way is not documented or a test wants another."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Policy(BaseModel):
    """What can be adjusted about deliveries."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    deadline_s: float = Field(default=3.0, gt=0)
    """How long an app has to acknowledge."""
    redelivery_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    """How long after a failed attempt an event is sent once more. Interactive payloads and commands never are."""
    without_socket: Literal["keep", "retry", "lose"] = "keep"
    """What becomes of an event while its app has no socket: it waits for one, counts as failed, or is lost."""
    kept_s: float = Field(default=7200.0, gt=0)
    """How long an event waits for a socket before it is lost."""
    sockets_per_app: int = Field(default=10, ge=1)
    """How many sockets an app may have open."""
    connection_s: float = Field(default=18_060.0, gt=0)
    """How long a socket lives until it is to be refreshed."""
    debug_connection_s: float = Field(default=360.0, gt=0)
    """The same where `debug_reconnects=true` was asked for."""
    warning_s: float = Field(default=10.0, ge=0)
    """How long before a refresh the warning comes; 0 for none."""
    closes_after_s: float = Field(default=5.0, gt=0)
    """How long a client has to close its socket after it was told to; then it is closed."""
    server_ping_s: float = Field(default=10.0, ge=0)
    """How often the server pings; 0 for never."""
    ticket_s: float = Field(default=3600.0, gt=0)
    """How long the address that apps.connections.open gave is good for."""
    events_per_hour: int = Field(default=30_000, ge=1)
    """How many HTTP deliveries an app gets in a workspace and hour; then it is told that it is limited."""
    disabled_from: int = Field(default=1_000, ge=1)
    """From how many HTTP deliveries in an hour on an app is switched off when more than 95 % of them fail."""
