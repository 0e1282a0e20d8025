"""Finds the stack that runs on this machine, so that commands need not be told its addresses."""

from typing import Any

from schemas.topics import PARTITIONS_ON_ONE_MACHINE
from services.kit.settings import load
from services.local import kafka, state
from services.local.home import Home, LocalSettings


def kafka_fallback() -> dict[str, Any]:
    """The local broker's settings, where one runs; they stand behind the environment and the file."""
    found = state.running(Home.of(load(LocalSettings)))
    broker = found.programs.get(kafka.NAME) if found else None
    if broker is None or broker.address is None:
        return {}
    return {"kafka_brokers": broker.address, "topic_partitions": PARTITIONS_ON_ONE_MACHINE}
