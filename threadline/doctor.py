"""`threadline doctor`: what is set, reachable, migrated and missing, and what mends it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer

from services.kit.fault import Fault
from services.kit.groups import SecretSettings, StateSettings
from threadline.checkup import kafka, postgres, sealing, settings, slack, tenants
from threadline.checkup.finding import Finding, wrong
from threadline.checkup.shown import show
from threadline.own_slack import slack_settings
from threadline.running import database_settings, service_settings

REPORT = "tell Threadline's developers; the other findings hold"


application = typer.Typer(add_completion=False)


@application.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what is set, reachable, migrated and missing, and what mends it; exit 1 where something is wrong."""
    findings = asyncio.run(look())
    healthy = all(each.state != "wrong" for each in findings)
    if as_json:
        typer.echo(json.dumps({"healthy": healthy, "findings": [asdict(each) for each in findings]}, indent=2))
    else:
        show(findings)
    if not healthy:
        raise typer.Exit(1)


async def look() -> list[Finding]:
    """Every check. One that fails itself is a finding, and keeps no other from being made."""
    found = list(settings.look())
    found += await _made("kafka", kafka.look)
    found += await _made("postgres", lambda: postgres.look(database_settings()))

    async def contents() -> list[Finding]:
        known = await tenants.read(database_settings())
        kept = service_settings(SecretSettings)
        made = [*tenants.look(known), *sealing.look_at_keys(kept, used=bool(known.sealed))]
        made += await slack.look(known, kept, await slack_settings())
        return [*made, sealing.look_at_state(service_settings(StateSettings))]

    return found + await _made("directory", contents)


async def _made(subject: str, check: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    try:
        return await check()
    except Fault as fault:
        return [wrong(subject, str(fault), "mend that first")]
    except Exception as error:  # noqa: BLE001 - the doctor goes on; what failed is named, and not what it held
        return [wrong(subject, f"looking at it failed in a way that was not foreseen ({type(error).__name__})", REPORT)]
