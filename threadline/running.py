"""Finds the stack that runs on this machine, so that commands need not be told its addresses."""

from schemas.topics import PARTITIONS_ON_ONE_MACHINE
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.settings import load
from services.local import kafka, postgres, state
from services.local.home import Home, LocalSettings
from services.local.state import StackState


def kafka_settings() -> KafkaSettings:
    """The cluster that the settings name; where they name none, the broker that runs on this machine.

    Its partition count goes with its address: a cluster that was named must never be given the small one.
    """
    named = load(KafkaSettings)
    if "kafka_brokers" in named.model_fields_set:
        return named
    found = state.running(Home.of(load(LocalSettings)))
    if found is None or kafka.NAME not in found.programs:
        return named
    here = found.address_of(kafka.NAME)
    return load(KafkaSettings, {"kafka_brokers": here, "topic_partitions": PARTITIONS_ON_ONE_MACHINE})


def database_settings() -> DatabaseSettings:
    """The Postgres that the settings name; where they name none, the one that runs on this machine."""
    named = load(DatabaseSettings)
    if named.model_fields_set & {"database_url", "database_owner_url"}:
        return named
    home = Home.of(load(LocalSettings))
    found = state.running(home)
    if found is None or postgres.NAME not in found.programs:
        return named
    return postgres.Database.at(home, found.address_of(postgres.NAME)).settings()


def addresses(home: Home, found: StackState) -> dict[str, str]:
    """The variables that name a running stack's parts."""
    variables = {}
    if kafka.NAME in found.programs:
        variables["THREADLINE_KAFKA_BROKERS"] = found.address_of(kafka.NAME)
        variables["THREADLINE_TOPIC_PARTITIONS"] = str(PARTITIONS_ON_ONE_MACHINE)
    if postgres.NAME in found.programs:
        database = postgres.Database.at(home, found.address_of(postgres.NAME))
        variables["DATABASE_URL"] = database.url
        variables["THREADLINE_DATABASE_OWNER_URL"] = database.owner_url
    return variables
