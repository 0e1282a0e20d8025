"""Finds the stack that runs on this machine, so that commands need not be told its addresses."""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from pydantic import SecretStr

from schemas.partitions import PARTITIONS_ON_ONE_MACHINE
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.settings import AnySettings, Settings, child_environment, environment_name, load
from services.local import kafka, postgres, state
from services.local.home import Home, LocalSettings
from services.local.names import SERVICES
from services.local.state import StackState


def kafka_settings() -> KafkaSettings:
    """The cluster that the settings name; where they name none, the broker that runs on this machine."""
    return service_settings(KafkaSettings)


def database_settings() -> DatabaseSettings:
    """The Postgres that the settings name; where they name none, the one that runs on this machine."""
    return service_settings(DatabaseSettings)


def service_settings(kind: type[AnySettings]) -> AnySettings:
    """A service's settings; for each part that they do not name, the one that runs on this machine."""
    unnamed = _unnamed(kind)
    return load(kind, unnamed) if unnamed else load(kind)


def become(module: str, kind: type[Settings], more: Mapping[str, str]) -> NoReturn:
    """Goes on as a service's own process: all that the command line is made of would cost it memory for months."""
    here = {environment_name(name, kind.model_fields[name]): _text(value) for name, value in _unnamed(kind).items()}
    os.execve(sys.executable, [sys.executable, "-m", module], child_environment({**here, **more}))  # noqa: S606 - it is ourselves


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _unnamed(kind: type[Settings]) -> dict[str, object]:
    """What the settings do not name, and this machine has."""
    named = load(kind)
    home = Home.of(load(LocalSettings))
    found = state.running(home)
    here = _here(home, found) if found is not None else []
    return {
        name: value
        for naming, part in here
        if not named.model_fields_set & naming
        for name, value in part.items()
        if name in kind.model_fields and value is not None
    }


Part = tuple[frozenset[str], Mapping[str, object]]
"""Which settings name a part of the stack, and what they and others are for the one that runs here."""


def _here(home: Home, found: StackState) -> list[Part]:
    """What each part of a running stack comes to as settings.

    The broker's partition count goes with its address: a cluster that was named must never be given the small one.
    """
    parts: list[Part] = []
    if kafka.NAME in found.programs:
        address = found.address_of(kafka.NAME)
        broker = {"kafka_brokers": address, "topic_partitions": PARTITIONS_ON_ONE_MACHINE}
        parts.append((frozenset({"kafka_brokers"}), broker))
    if postgres.NAME in found.programs:
        database = postgres.Database.at(home, found.address_of(postgres.NAME)).settings()
        urls = {"database_url": database.database_url, "database_owner_url": database.database_owner_url}
        parts.append((frozenset(urls), urls))
    if not found.programs.keys().isdisjoint(SERVICES):
        kept = {"state_folder": home.services, "spool_folder": home.spool, "sealing_keys": _sealing_key(home)}
        parts += [(frozenset({name}), {name: value}) for name, value in kept.items()]
    return parts


def _sealing_key(home: Home) -> SecretStr | None:
    """The one that `threadline up` made; none where it was given others."""
    path = home.sealing_key
    return SecretStr(path.read_text("utf-8").strip()) if os.access(path, os.R_OK) else None


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
