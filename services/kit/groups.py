"""The groups of settings that more than one process has."""

from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, FilePath, SecretStr, model_validator

from schemas.partitions import PARTITIONS
from services.kit.settings import Settings

_ADDRESS = r"(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9._-]{1,253}):\d{1,5}"


class KafkaSettings(Settings):
    """Which Kafka-compatible cluster, and how to speak to it."""

    kafka_brokers: str = Field(default="127.0.0.1:9092", pattern=rf"^{_ADDRESS}(,\s*{_ADDRESS})*$")
    """Addresses of brokers to begin with, separated by commas."""
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How connections are secured."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How to sign in, with a SASL_ security."""
    kafka_username: str | None = None
    """Who signs in, with a SASL_ security."""
    kafka_password: SecretStr | None = None
    """The password that goes with it."""
    kafka_ca_file: FilePath | None = None
    """Certificates to trust; the system's own otherwise."""
    kafka_cert_file: FilePath | None = None
    """This client's certificate, where the cluster asks for one."""
    kafka_key_file: FilePath | None = None
    """The key that goes with it."""
    kafka_key_password: SecretStr | None = None
    """The key's password."""
    topic_prefix: str = Field(default="", pattern=r"^[a-zA-Z0-9._-]*$")
    """Stands before every topic's name, such as `staging.`."""
    topic_partitions: int = Field(default=PARTITIONS, ge=1, le=1000)
    """How many partitions topics are created with. Fixed afterwards."""
    topic_replication: int | None = Field(default=None, ge=1, le=9)
    """How many copies topics are created with; by default three, or one for each broker where there are fewer."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        missing = []
        if self.kafka_security.startswith("SASL_"):
            missing += ["THREADLINE_KAFKA_USERNAME"] if self.kafka_username is None else []
            missing += ["THREADLINE_KAFKA_PASSWORD"] if self.kafka_password is None else []
        if (self.kafka_cert_file is None) != (self.kafka_key_file is None):
            missing += ["THREADLINE_KAFKA_CERT_FILE and THREADLINE_KAFKA_KEY_FILE (both or neither)"]
        if missing:
            raise ValueError(f"{', '.join(missing)}: needed with THREADLINE_KAFKA_SECURITY={self.kafka_security}")
        return self


class LogSettings(Settings):
    """How a process logs."""

    log_format: Literal["json", "human"] = "human"
    """One JSON object a line for machines, or lines for people."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is worth a line."""


class HttpSettings(Settings):
    """Where `/health` and `/metrics` are served."""

    http_host: str = "127.0.0.1"
    """The address to listen on. Loopback unless told otherwise."""
    http_port: int = Field(default=0, ge=0, le=65535)
    """The port to listen on; 0 takes a free one."""


class TelemetrySettings(Settings):
    """Metrics and traces."""

    metrics: bool = True
    """Whether metrics are kept and served."""
    otel_service_name: str | None = Field(default=None, validation_alias="OTEL_SERVICE_NAME")
    """What this process is called in telemetry; the service's own name otherwise."""
    otlp_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Where traces go, by OTLP over HTTP. Nothing is traced without it. Other OTEL_ variables hold as usual."""
    otlp_traces_endpoint: str | None = Field(default=None, validation_alias="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    """The whole address for traces, where it is another one."""


class DatabaseSettings(Settings):
    """Which Postgres."""

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    """postgresql://user:password@host/database: the role that services sign in as, which sees one tenant at a time."""
    database_owner_url: SecretStr | None = None
    """The same for the role that owns the tables: migrations and the directory's commands sign in as it."""
    database_connections: int = Field(default=5, ge=1, le=100)
    """How many connections a process keeps at most."""


class SecretSettings(Settings):
    """Where secrets are found, and what seals those that are stored."""

    secrets_folder: Path = Path("/run/secrets")
    """The folder with a file for each secret, where an installation's secrets are in `files`."""
    secrets_gateway_url: str | None = Field(default=None, pattern=r"^https?://")
    """The metadata gateway's address, where they are in the `gateway`."""
    secrets_gateway_token: SecretStr | None = None
    """The bearer token that the gateway lets read."""
    sealing_keys: SecretStr | None = None
    """Keys that seal stored tokens, with commas between: the first seals, all of them open."""
    tools_key: SecretStr | None = Field(default=None, min_length=16)
    """What requests to tools are signed with: each tenant's key follows from it (`threadline secrets tools-key`)."""


class StateSettings(Settings):
    """What a service keeps on its own disk."""

    state_folder: Path = Path(".threadline/state")
    """A folder that outlives the process: the directory's last snapshot stands there."""


class SlackSettings(Settings):
    """A Slack app, and which Slack."""

    slack_bot_token: SecretStr | None = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    """xoxb-…: what the app posts with."""
    slack_app_token: SecretStr | None = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    """xapp-…: what Socket Mode opens with (scope connections:write)."""
    slack_signing_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("SLACK_SIGNING_SECRET", "SLACK_GATEWAY_SIGNING_SECRET")
    )
    """Proves that HTTP requests are Slack's."""
    slack_app_id: str | None = Field(default=None, validation_alias="SLACK_APP_ID")
    """A…: the app's id."""
    slack_client_id: str | None = Field(default=None, validation_alias="SLACK_CLIENT_ID")
    """For installing by OAuth."""
    slack_client_secret: SecretStr | None = Field(default=None, validation_alias="SLACK_CLIENT_SECRET")
    """For installing by OAuth."""
    slack_api_url: str = Field(default="https://slack.com/api/", validation_alias="SLACK_API_URL")
    """The Web API's base address: any Slack-compatible server."""


class ModelSettings(Settings):
    """Keys and addresses of language models."""

    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """For models named openai:…"""
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    """Any OpenAI-compatible server."""
    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias="ANTHROPIC_API_KEY")
    """For models named anthropic:…"""
    anthropic_base_url: str | None = Field(default=None, validation_alias="ANTHROPIC_BASE_URL")
    """Any server that speaks as Anthropic's does."""
    ollama_base_url: str = Field(default="http://127.0.0.1:11434/v1", validation_alias="OLLAMA_BASE_URL")
    """Where Ollama answers, with /v1 at the end."""


class ProcessSettings(HttpSettings, LogSettings, TelemetrySettings):
    """What every process is told."""
