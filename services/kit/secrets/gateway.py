"""The reference metadata gateway: keeps the three secrets, and answers every other question alike."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from pydantic import SecretStr

from services.kit.clock import Clock
from services.kit.redaction import learn
from services.kit.secrets.names import NAMES
from services.kit.secrets.vault import Vault

SAME_TIME_S = 0.025
"""Every refusal is answered this long after its question came, whatever the reason: neither status nor time tells."""
LARGEST = 16 * 1024
Pause = Callable[[float], Awaitable[None]]
_NOT_FOUND = b'{"error":"not found"}'


@dataclass(frozen=True)
class Keys:
    """Who may read, and who may also store."""

    reader: SecretStr
    writer: SecretStr

    def may_read(self, request: web.Request) -> bool:
        """Whether the bearer token is the reader's or the writer's."""
        return self._is(request, self.reader) | self._is(request, self.writer)

    def may_write(self, request: web.Request) -> bool:
        """Whether it is the writer's."""
        return self._is(request, self.writer)

    def _is(self, request: web.Request, key: SecretStr) -> bool:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        wanted = f"Bearer {key.get_secret_value()}".encode()
        return hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(wanted).digest())


def gateway(vault: Vault, keys: Keys, clock: Clock, pause: Pause = asyncio.sleep) -> web.Application:
    """An application with one address for each name, and the same 404 for everything else."""

    async def answer(request: web.Request) -> web.Response:
        began = clock.monotonic()
        found = await _found(request, vault, keys)
        if found is not None:
            return found
        await pause(max(0.0, began + SAME_TIME_S - clock.monotonic()))
        return web.Response(status=web.HTTPNotFound.status_code, body=_NOT_FOUND, content_type="application/json")

    application = web.Application(client_max_size=LARGEST)
    application.router.add_route("*", "/{path:.*}", answer)
    return application


async def _found(request: web.Request, vault: Vault, keys: Keys) -> web.Response | None:
    """What somebody who may is answered; none for every other question."""
    # The path as it was sent: a name that is spelt otherwise is another name.
    name = request.raw_path.removeprefix("/v1/secrets/")
    known = name in NAMES
    may_read, may_write = keys.may_read(request), keys.may_write(request)
    if request.method == "GET" and known and may_read:
        secret = vault.get(name)
        return None if secret is None else web.json_response({"value": secret.get_secret_value()})
    if request.method == "PUT" and known and may_write:
        return await _stored(request, vault, name)
    if request.method == "DELETE" and known and may_write and vault.get(name) is not None:
        vault.drop(name)
        return web.Response(status=web.HTTPNoContent.status_code)
    return None


async def _stored(request: web.Request, vault: Vault, name: str) -> web.Response:
    try:
        value = (await request.read()).decode("utf-8").strip()
    except web.HTTPRequestEntityTooLarge:
        return _refused(f"a secret has at most {LARGEST} bytes; nothing was stored")
    except UnicodeDecodeError:
        return _refused("the body is not text; nothing was stored")
    if not value:
        return _refused("the body is empty; nothing was stored")
    learn(value)
    try:
        vault.put(name, SecretStr(value))
    except OSError as error:
        what = f"it could not be stored ({error.strerror}); what was there before is kept"
        return web.json_response({"error": what}, status=web.HTTPInternalServerError.status_code)
    return web.Response(status=web.HTTPNoContent.status_code)


def _refused(why: str) -> web.Response:
    return web.json_response({"error": why}, status=web.HTTPBadRequest.status_code)
