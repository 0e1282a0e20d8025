"""How Postgres is reached: asyncpg reads the address itself, so that everything that may stand in one holds."""

import logging
from typing import Any

import asyncpg
from pydantic import SecretStr

from services.kit.fault import Fault

log = logging.getLogger(__name__)

CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 10.0
APPLICATION = "threadline"


class WrongAddress(Fault):
    """What should be the address of a database is none."""


async def connect(
    url: SecretStr, application: str = APPLICATION, answer_within_s: float = ANSWER_WITHIN_S
) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection of one's own."""
    try:
        return await asyncpg.connect(
            url.get_secret_value(),
            timeout=CONNECT_WITHIN_S,
            command_timeout=answer_within_s,
            server_settings={"application_name": application},
        )
    except (ValueError, asyncpg.ClientConfigurationError):
        raise WrongAddress(
            "DATABASE_URL or THREADLINE_DATABASE_OWNER_URL is no address: postgresql://user:password@host/database"
        ) from None


def log_warning(_: object, message: Any) -> None:
    """The database says what was forgotten, for one: no tenant is bound."""
    if message.severity_en in {"WARNING", "ERROR"}:
        log.warning("Postgres: %s", message.message)
