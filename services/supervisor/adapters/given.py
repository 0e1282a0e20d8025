"""What a process has opened, and all of its parts work with."""

from dataclasses import dataclass

from services.directory.lookup import Directory
from services.directory.service import ServiceDatabase
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.supervisor.settings import SupervisorSettings


@dataclass(frozen=True)
class Given:
    """One process's."""

    settings: SupervisorSettings
    name: str
    """What it is called in its groups, and stays called over restarts."""
    directory: Directory
    database: ServiceDatabase
    producer: Producer
    instruments: Instruments
