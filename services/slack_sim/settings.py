"""What the simulator is told."""

from pathlib import Path

from pydantic import Field

from services.kit.groups import LogSettings


class SlackSimSettings(LogSettings):
    """The local Slack."""

    slack_sim_host: str = "127.0.0.1"
    """The address to listen on. Another one than this machine's own needs --anywhere."""
    slack_sim_port: int = Field(default=8585, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""
    slack_sim_public_url: str | None = Field(default=None, pattern=r"^https?://[^/]+$")
    """How apps reach it, where that is not where it listens: response URLs begin with it."""
    slack_sim_seed: str | None = None
    """Makes ids, tokens and times the same in every run."""
    slack_sim_state: Path | None = None
    """A file that keeps everything; without it all is gone when the simulator ends."""
    slack_sim_kept: int = Field(default=5_000, ge=10)
    """How many calls and how many deliveries are kept to be looked at."""
