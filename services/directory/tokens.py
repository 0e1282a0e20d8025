"""Making, rotating and ending the tokens that programs sign in with."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.directory.model import ApiTokenRow, TenantRow
from services.directory.owner import OwnerDatabase
from services.directory.sign_in import ACTIONS, Action, digest_of
from services.kit.clock import Clock
from services.kit.fault import Fault

LONGEST_NAME = 80


class NoSuchToken(Fault):
    """There is none of that id."""


@dataclass(frozen=True)
class Listed:
    """A token as it may be shown."""

    tenant_id: str
    id: str
    name: str
    actions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """Whether it is still good."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "good"


@dataclass(frozen=True)
class Wanted:
    """A token that is to be."""

    tenant_id: str
    name: str
    actions: tuple[Action, ...]
    good_for: timedelta | None = None


@dataclass(frozen=True)
class Made:
    """A new token. It is shown this once: nobody can read it again."""

    id: str
    token: SecretStr


@dataclass(frozen=True)
class Rotated:
    """A new token, and when the one before it stops being good."""

    made: Made
    old_ends: datetime


class Tokens:
    """Making and ending tokens, for the owner of the tables."""

    def __init__(self, owner: OwnerDatabase, clock: Clock) -> None:
        self._owner, self._clock = owner, clock

    async def create(self, wanted: Wanted) -> Made:
        """A new token."""
        async with self._owner.begin() as connection:
            return await self._create(connection, wanted)

    async def rotate(self, tenant_id: str, token_id: str, overlap: timedelta) -> Rotated:
        """A new token in place of another, which stays good for a while, so that programs can change over."""
        now = self._clock.now()
        async with self._owner.begin() as connection:
            row = await self._row(connection, tenant_id, token_id)
            old = _listed(row)
            if old.state(now) != "good":
                raise NoSuchToken(
                    f"the token {token_id} is {old.state(now)}; `threadline token create` makes a new one"
                )
            ends = min(now + overlap, old.expires_at or now + overlap)
            await self._set(connection, tenant_id, token_id, expires_at=ends)
            actions = tuple(each for each in ACTIONS if each in old.actions)
            good_for = timedelta(seconds=row.good_for_s) if row.good_for_s is not None else None
            return Rotated(await self._create(connection, Wanted(tenant_id, old.name, actions, good_for)), ends)

    async def revoke(self, tenant_id: str, token_id: str) -> None:
        """Ends a token, at once and for good."""
        async with self._owner.begin() as connection:
            row = await self._row(connection, tenant_id, token_id)
            if row.revoked_at is None:
                await self._set(connection, tenant_id, token_id, revoked_at=self._clock.now())

    async def listed(self, tenant_id: str | None = None) -> list[Listed]:
        """Every token, or a tenant's."""
        question = select(ApiTokenRow).order_by(ApiTokenRow.tenant_id, ApiTokenRow.created_at)
        if tenant_id is not None:
            question = question.where(ApiTokenRow.tenant_id == tenant_id)
        async with self._owner.begin() as connection:
            rows = (await connection.execute(question)).all()
        return [_listed(row) for row in rows]

    async def _create(self, connection: AsyncConnection, wanted: Wanted) -> Made:
        if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME or not wanted.name.isprintable():
            raise NoSuchToken(f"a token has a name that people can read, of at most {LONGEST_NAME} characters")
        there = await connection.scalar(select(TenantRow.tenant_id).where(TenantRow.tenant_id == wanted.tenant_id))
        if there is None:
            raise NoSuchToken(f"there is no tenant {wanted.tenant_id}; `threadline directory show` lists them")
        now = self._clock.now()
        token_id = secrets.token_hex(6)
        token = f"tl_{wanted.tenant_id}_{token_id}_{secrets.token_hex(32)}"
        row = {
            "tenant_id": wanted.tenant_id,
            "id": token_id,
            "name": wanted.name,
            "digest": digest_of(token),
            "actions": list(wanted.actions),
            "created_at": now,
            "expires_at": now + wanted.good_for if wanted.good_for else None,
            "good_for_s": int(wanted.good_for.total_seconds()) if wanted.good_for else None,
        }
        await connection.execute(insert(ApiTokenRow), [row])
        return Made(token_id, SecretStr(token))

    async def _row(self, connection: AsyncConnection, tenant_id: str, token_id: str) -> Row[Any]:
        question = select(ApiTokenRow).where(ApiTokenRow.tenant_id == tenant_id, ApiTokenRow.id == token_id)
        row = (await connection.execute(question.with_for_update())).one_or_none()
        if row is None:
            raise NoSuchToken(f"{tenant_id} has no token {token_id}; `threadline token list` shows what there is")
        return row

    async def _set(self, connection: AsyncConnection, tenant_id: str, token_id: str, **values: datetime) -> None:
        which = update(ApiTokenRow).where(ApiTokenRow.tenant_id == tenant_id, ApiTokenRow.id == token_id)
        await connection.execute(which.values(**values))


def _listed(row: Row[Any]) -> Listed:
    names = ("tenant_id", "id", "name", "actions", "created_at", "expires_at", "revoked_at")
    values = {name: getattr(row, name) for name in names}
    return Listed(**{**values, "actions": tuple(values["actions"])})
