"""API tokens: what programs sign in with, each for one tenant and some actions. Only their digests are kept."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from services.directory.faults import DatabaseAway
from services.directory.holding import ApiToken, Known, Unknown
from services.directory.lookup import Directory

Action: TypeAlias = Literal["runs", "messages", "agents"]
"""runs: ask for answers and end them. messages: say something in Slack. agents: report what supervised agents do."""

ACTIONS: tuple[Action, ...] = get_args(Action)

ANSWER_WITHIN_S = 3.0

_SHAPE = re.compile(r"tl_([a-z0-9][a-z0-9-]{0,62})_([0-9a-f]{12})_([0-9a-f]{64})")


@dataclass(frozen=True)
class Granted:
    """Whose program it is, and which token it came with."""

    tenant: Known
    token_id: str


@dataclass(frozen=True)
class Refused:
    """Why not. What the program is told is less: only whether it signed in at all."""

    reason: Literal["not_a_token", "unknown", "revoked", "expired", "not_for_this"]


async def sign_in(directory: Directory, token: str, action: Action, now: datetime) -> Granted | Refused:
    """Whether a token is good for an action.

    Postgres is asked for a token that is not known: it may have been made a moment ago. While Postgres is away, those
    that are known still sign in. One that is not is a fault after a few seconds: a program must not be told that its
    token is wrong.
    """
    shape = _SHAPE.fullmatch(token)
    if shape is None:
        return Refused("not_a_token")
    tenant_id, token_id, _ = shape.groups()
    tenant: Known | Unknown | None = directory.known_tenant(tenant_id)
    kept = _kept(tenant, token_id)
    if kept is None:
        tenant = await _within(directory.tenant_anew(tenant_id) if tenant else directory.tenant(tenant_id))
        kept = _kept(tenant, token_id)
    if kept is None or not isinstance(tenant, Known) or not hmac.compare_digest(kept.digest, digest_of(token)):
        return Refused("unknown")
    if kept.revoked_at is not None:
        return Refused("revoked")
    if kept.expires_at is not None and kept.expires_at <= now:
        return Refused("expired")
    return Granted(tenant, token_id) if action in kept.actions else Refused("not_for_this")


def _kept(tenant: Known | Unknown | None, token_id: str) -> ApiToken | None:
    tokens = tenant.tokens if isinstance(tenant, Known) else ()
    return next((each for each in tokens if each.id == token_id), None)


async def _within(answer: Awaitable[Known | Unknown]) -> Known | Unknown:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await answer
    except TimeoutError:
        raise DatabaseAway("whose token it is cannot be told while Postgres is away; try again") from None


def digest_of(token: str) -> bytes:
    """A token has 256 random bits, so a plain hash cannot be turned round, and a slow one would only cost."""
    return hashlib.sha256(token.encode()).digest()
