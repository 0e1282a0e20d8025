"""What the responder is told."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.directory.patterns import valid_model
from services.directory.settings import DirectorySettings
from services.kit.groups import KafkaSettings, ModelSettings, ProcessSettings, SlackSettings

SERVICE = "responder"
"""What it is called, and its consumer group behind the topics' prefix."""

ModelName = Annotated[str, AfterValidator(valid_model)]


class ResponderSettings(DirectorySettings, SlackSettings, ModelSettings, KafkaSettings, ProcessSettings):
    """Answering."""

    model: ModelName = "rehearsal"
    """Which model answers where an agent names none: `rehearsal`, `openai:NAME`, `anthropic:NAME`, `ollama:NAME`."""
    fallback_model: ModelName | None = None
    """Which is asked when that one cannot answer, where the agent names none."""
    rehearsal_words_per_s: float = Field(default=40.0, gt=0, le=100_000)
    """How fast the built-in model speaks."""
    history_tokens: int = Field(default=16_000, ge=0, le=10_000_000)
    """How much of a thread a model is shown, where the agent does not say."""
    answer_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    """How long an answer may get, where the agent does not say; as the provider has it without it."""
    answer_within_s: int = Field(default=300, ge=1, le=3600)
    """When an answer is given up, where the agent does not say."""
    first_token_within_s: float = Field(default=60.0, gt=0, le=3600)
    """How long a model may think, or pause between two words, before it is given up."""
    reply_footer: bool = False
    """Whether the model, its tokens and its cost stand under each answer."""
    traces_with_words: bool = False
    """Whether traces hold what models are asked and what they answer: only where who reads traces may read that."""
    responder_streams: bool = True
    """Whether answers grow by Slack's own streams where Slack takes them; by edits otherwise."""
    responder_http: bool = False
    """Whether programs may call: what they send to `/v1/messages` is said in Slack."""
    responder_http_host: str = "127.0.0.1"
    """The address that programs call. Loopback unless told otherwise: a proxy with TLS stands before it."""
    responder_http_port: int = Field(default=8002, ge=0, le=65535)
    """The port for it; 0 takes a free one."""
    responder_name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """What this process is called among responders, and stays called over restarts: with it, a restart within
    THREADLINE_RESPONDER_SESSION_S keeps its partitions. By default one of the machine, the state folder and a
    number."""
    responder_session_s: float = Field(default=10.0, ge=6, le=300)
    """How long a responder may be silent before others take over. It calls nobody once it was silent for half of it."""
    responder_runs: int = Field(default=1000, ge=1, le=100_000)
    """How many runs may go on at once in this process; others wait, and can be stopped meanwhile."""
    responder_runs_per_tenant: int = Field(default=250, ge=1, le=100_000)
    """How many of them may be one tenant's."""
    responder_too_old_s: float = Field(default=3600.0, ge=10, le=1_000_000)
    """A request that waited longer than this is told so, and not answered any more."""
