"""What ingress is told."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.directory.settings import DirectorySettings
from services.kit.groups import KafkaSettings, ProcessSettings, SlackSettings

SHADOW = "shadow."
"""Stands before the prefix of topics where Threadline only observes."""


class IngressSettings(DirectorySettings, SlackSettings, KafkaSettings, ProcessSettings):
    """Taking in what Slack sends."""

    ingress_apps: str = "env"
    """Where the secrets of each Slack app are found, with commas between: `env`, `env:acme`, `files:acme`, `gateway`.
    An app's id may stand before it (`A0123=files:acme`) where nothing else says it."""
    ingress_sockets: bool = True
    """Whether Socket Mode is used, for every app that has an app token."""
    ingress_slots: int = Field(default=2, ge=1, le=10)
    """How many sockets each app keeps open. Slack allows an app ten, all its processes together."""
    ingress_http: bool = False
    """Whether Slack and programs may call: the Events API for every app that has a signing secret, and gateway runs."""
    ingress_http_host: str = "127.0.0.1"
    """The address that Slack and programs call. Loopback unless told otherwise: a proxy with TLS stands before it."""
    ingress_http_port: int = Field(default=8001, ge=0, le=65535)
    """The port for it; 0 takes a free one."""
    ingress_public_url: str | None = Field(default=None, pattern=r"^https?://[^/]+(/[^?#]*)?$")
    """How the outside reaches that address, such as https://threadline.example: OAuth sends browsers back there."""
    ingress_name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """What this process calls itself in what it writes; the machine's name and its spool's number otherwise."""
    ingress_broker_patience_s: float = Field(default=1.0, ge=0.05, le=2.5)
    """How long the broker may take for a record before the spool is used. Slack waits three seconds in all."""
    ingress_drain_first_s: float = Field(default=60.0, ge=0, le=3600)
    """How long what a former process left in the spool may take to be written before the sockets open all the same."""
    spool_folder: Path = Path(".threadline/state/spool")
    """A folder on a volume that outlives the process: envelopes wait there while the broker is away."""
    spool_size: int = Field(default=1 << 30, ge=1 << 20)
    """How many bytes may wait there, for each process. The last tenth is for what Slack never sends again."""

    @model_validator(mode="after")
    def _some_way_in(self) -> Self:
        if not (self.ingress_sockets or self.ingress_http):
            raise ValueError(
                "THREADLINE_INGRESS_SOCKETS and THREADLINE_INGRESS_HTTP are both off: nothing could ever come in"
            )
        return self


def observing(settings: IngressSettings) -> IngressSettings:
    """The same, but nothing downstream hears of it: every topic has the shadow prefix."""
    return settings.model_copy(update={"topic_prefix": f"{SHADOW}{settings.topic_prefix}"})
