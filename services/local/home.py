"""Where the local stack keeps everything: one folder, and a cache of downloads that checkouts share."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from services.kit.fault import Fault
from services.kit.settings import Settings


class LocalSettings(Settings):
    """The stack on this machine."""

    home: Path = Path(".threadline")
    """Where data, logs and state of the local stack are kept."""
    cache: Path = Path("~/.cache/threadline")
    """Where downloaded jars are kept, for every checkout."""
    jar_repository: str | None = None
    """A Maven repository to download the broker's jars from, such as a mirror of yours; the public one otherwise."""
    local_kafka_port: int = Field(default=0, ge=0, le=65535)
    """The port of the embedded Kafka; 0 takes a free one, the same as last time where it can."""
    local_postgres_port: int = Field(default=0, ge=0, le=65535)
    """The port of the embedded Postgres; 0 likewise."""


class LocalFault(Fault):
    """Something that keeps the local stack from working, and what to do about it."""


@dataclass(frozen=True)
class Home:
    """The folder and what stands where in it."""

    root: Path
    cache: Path

    @classmethod
    def of(cls, settings: LocalSettings) -> "Home":
        """The home that the settings name."""
        return cls(settings.home.expanduser().resolve(), settings.cache.expanduser().resolve())

    @property
    def state_file(self) -> Path:
        """What is running, as the supervisor last wrote it."""
        return self.root / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.root / "lock"

    @property
    def ports_file(self) -> Path:
        """The ports of last time."""
        return self.root / "ports.json"

    @property
    def targets_file(self) -> Path:
        """Where services serve their metrics, for Prometheus."""
        return self.root / "prometheus-targets.json"

    @property
    def logs(self) -> Path:
        """A file for each program."""
        return self.root / "logs"

    @property
    def kafka(self) -> Path:
        """The broker's configuration and data."""
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        """The database's data."""
        return self.root / "postgres"

    @property
    def services(self) -> Path:
        """What `threadline up`'s services keep."""
        return self.root / "state"

    @property
    def spool(self) -> Path:
        """What Slack sent and the broker has not."""
        return self.services / "spool"

    @property
    def sealing_key(self) -> Path:
        """Seals what `threadline up` stores, unless keys are set."""
        return self.root / "sealing.key"

    @property
    def jars(self) -> Path:
        """The broker's program."""
        return self.cache / "jars"

    def check_names(self) -> None:
        """Refuses folders that Kafka cannot be told of."""
        if "," in str(self.root) or ":" in f"{self.root}{self.cache}":
            raise LocalFault(
                f"Kafka can live neither in {self.root} nor in {self.cache} if they have a comma or a colon in them; "
                "set THREADLINE_HOME and THREADLINE_CACHE to other folders"
            )

    def make(self) -> None:
        """Makes the folders, for this user alone."""
        self.check_names()
        for folder in (self.root, self.logs, self.cache):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                writable = os.access(folder, os.W_OK)
            except OSError:
                writable = False
            if not writable:
                raise LocalFault(
                    f"cannot write to {folder}; set THREADLINE_HOME and THREADLINE_CACHE to folders of yours"
                )
