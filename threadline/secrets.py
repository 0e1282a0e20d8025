"""`threadline secrets`: sealing keys, and the reference metadata gateway."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from pydantic import SecretStr

from services.directory.resealing import reseal as reseal_installations
from services.kit import logs
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.groups import SecretSettings
from services.kit.http import served
from services.kit.secrets.gateway import Keys, gateway
from services.kit.secrets.names import NAMES
from services.kit.secrets.sealing import Sealer, new_key
from services.kit.secrets.settings import GatewaySettings
from services.kit.secrets.signing import key_of
from services.kit.secrets.source import ANSWER_WITHIN_S
from services.kit.secrets.vault import Vault
from services.kit.settings import load
from threadline.owning import run_as_owner

application = typer.Typer(
    help="Secrets: keys that seal them, and a gateway that hands them out.", no_args_is_help=True, add_completion=False
)

_NO_CONTENT, _NOT_FOUND = 204, 404


@application.command("new-key")
def show_new_key() -> None:
    """Print a new sealing key: put it first in THREADLINE_SEALING_KEYS."""
    typer.echo(new_key())


@application.command("tools-key")
def show_tools_key(tenant: Annotated[str, typer.Argument(help="Whose tools.")]) -> None:
    """Print what a tenant's tools check our requests with."""
    key = load(SecretSettings).tools_key
    if key is None:
        raise Fault(
            "THREADLINE_TOOLS_KEY is not set, and requests to tools are not signed without it; `threadline secrets "
            "new-key` makes a good one"
        )
    typer.echo(key_of(key, tenant).get_secret_value())


@application.command()
def reseal() -> None:
    """Seal every stored token, and the gateway's file if it is set, with the first key: the other keys can go."""
    sealer = Sealer.of(load(SecretSettings))
    count = run_as_owner(lambda owner: reseal_installations(owner, sealer))
    file = load(GatewaySettings).secrets_gateway_file
    if file is not None:
        count += Vault(file, sealer).reseal()
    typer.echo(f"{count} sealed with the first key")


@application.command("gateway")
def serve_gateway() -> None:
    """Be the reference metadata gateway: keeps the three secrets, and answers 404 to everything else."""
    settings = load(GatewaySettings)
    logs.set_up("secrets gateway", settings, settings.secrets())
    keys = _keys(settings)
    file = settings.secrets_gateway_file
    vault = Vault(file, Sealer.of(settings) if file else None)

    async def work() -> None:
        application = gateway(vault, keys, SystemClock())
        async with served(application, settings.http_host, settings.http_port) as address:
            typer.echo(f"the gateway of secrets listens at {address}; {_kept(file)}", err=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)


@application.command()
def put(name: Annotated[str, typer.Argument(help=f"One of {', '.join(sorted(NAMES))}.")]) -> None:
    """Store a secret in the gateway. The secret comes by standard input, so that no history keeps it."""
    settings = load(GatewaySettings)
    token = settings.secrets_gateway_writer_token
    url = settings.secrets_gateway_url
    if name not in NAMES:
        raise Fault(f"{name}: there is no such secret; there are {', '.join(sorted(NAMES))}. Nothing was stored")
    if url is None or token is None:
        raise Fault("THREADLINE_SECRETS_GATEWAY_URL and THREADLINE_SECRETS_GATEWAY_WRITER_TOKEN say which gateway")
    if sys.stdin.isatty():
        typer.echo("type the secret, then Ctrl-D:", err=True)
    asyncio.run(_put(f"{url.rstrip('/')}/v1/secrets/{name}", token, sys.stdin.read()))
    typer.echo(f"{name} is stored")


async def _put(url: str, token: SecretStr, secret: str) -> None:
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.put(url, data=secret.encode(), allow_redirects=False) as response,
        ):
            status, said = response.status, (await response.text())[:200]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Fault(f"the gateway does not answer ({type(error).__name__}); nothing was stored") from None
    if status != _NO_CONTENT:
        why = "is the writer's token right?" if status == _NOT_FOUND else said
        raise Fault(f"the gateway did not take it (HTTP {status}): {why} Nothing was stored")


def _keys(settings: GatewaySettings) -> Keys:
    reader, writer = settings.secrets_gateway_token, settings.secrets_gateway_writer_token
    if reader is None or writer is None:
        raise Fault(
            "THREADLINE_SECRETS_GATEWAY_TOKEN (who may read) and THREADLINE_SECRETS_GATEWAY_WRITER_TOKEN (who may also "
            "store) are needed; `threadline secrets new-key` makes good ones"
        )
    if reader.get_secret_value() == writer.get_secret_value():
        raise Fault("the reader's and the writer's token of the gateway are the same: who may read could also store")
    return Keys(reader, writer)


def _kept(file: Path | None) -> str:
    return f"secrets are kept sealed in {file}" if file else "secrets are kept in memory only"
