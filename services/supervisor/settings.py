"""What the supervisor is told."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.directory.patterns import REHEARSAL, valid_model
from services.directory.settings import DirectorySettings
from services.kit.groups import KafkaSettings, ModelSettings, ProcessSettings, SlackSettings
from services.kit.settings import Settings

SERVICE = "supervisor"
"""What it is called, and the group behind the topics' prefix that folds what happens to tasks."""
COMMANDS_GROUP = f"{SERVICE}.commands"
"""The group that carries out what people want."""
WORDS_GROUP = f"{SERVICE}.words"
"""The group that asks a model what words mean, where one is set."""


class KeepingSettings(Settings):
    """How long what is over is kept."""

    supervisor_keep_days: int = Field(default=90, ge=1, le=36_500)
    """For so many days, and one more, a task that ended stays in the tables; the topic keeps what it did for 90."""


def _understands(name: str) -> str:
    if valid_model(name) == REHEARSAL:
        raise ValueError(
            f"{REHEARSAL}, the model that is built in, understands nothing: name another, or none, and rules alone "
            "read people's words"
        )
    return name


class SupervisorSettings(
    DirectorySettings, KafkaSettings, SlackSettings, ModelSettings, KeepingSettings, ProcessSettings
):
    """Watching agents."""

    supervisor_http_host: str = "127.0.0.1"
    """The address at which agents report, and people look. Loopback unless TLS stands before it."""
    supervisor_http_port: int = Field(default=3001, ge=0, le=65535)
    """The port for it; 0 takes a free one."""
    supervisor_public_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+/?$")
    """Where people's browsers reach its page, such as https://agents.example. Sign in with Slack needs it."""
    supervisor_update_s: float = Field(default=30.0, ge=1, le=3600)
    """How often a task's message is brought up to date while it only goes on. A change of its status is said at
    once."""
    supervisor_events_per_s: float = Field(default=5000.0, ge=1, le=1_000_000)
    """How many events a second a tenant's programs may report to this process; four seconds' worth may come at once."""
    supervisor_refused_again_s: float = Field(default=60.0, ge=0.1, le=3600)
    """How soon a message that Slack did not take, since the app is not in the channel, is said again; then after 2, 5,
    10, 20 and 30 times as long, while its task goes on."""
    supervisor_model: Annotated[str, AfterValidator(_understands)] | None = None
    """Which model reads words to agents that no rule understands: `openai:NAME`, `anthropic:NAME`, `ollama:NAME`.
    Without it only rules read them."""
    supervisor_session_s: float = Field(default=10.0, ge=6, le=300)
    """How long a supervisor may be silent before others take over."""
    supervisor_database_connections: int = Field(default=10, ge=2, le=100)
    """How many connections it keeps at most for those who ask. Beside them it has four to fold with, and the
    directory's."""
