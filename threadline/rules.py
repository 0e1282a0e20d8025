"""`threadline rules`: what a tenant's rules make of something that happens, or has happened."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer
from rich.table import Table

from services.directory import history
from services.directory.document import TenantFacts
from services.directory.owner import OwnerDatabase
from services.kit.fault import Fault
from services.router.adapters.tenants import tenant_of
from services.router.decisions.addressing import agent_for
from services.router.decisions.facts import Facts, Rule, Tenant, When
from services.router.decisions.reactions import Happening, evaluate, failure_of
from services.router.stream.memory import Memory
from threadline.directory_file import tenants_in
from threadline.owning import run_as_owner
from threadline.plain import plain_console
from threadline.rules_backtest import Asked, backtested, stretch_of
from threadline.rules_shown import show

application = typer.Typer(help="A tenant's rules.", no_args_is_help=True, add_completion=False)

Form = Literal["text", "json"]

_WORDS = {
    "channel": "it is for other channels",
    "sender": "it is for other senders",
    "no_match": "it is for other emoji",
    "pattern": "the text does not match",
    "cooldown": "it rests",
}


@application.callback()
def _group() -> None:
    """So that `test` is a command of its own."""


@application.command("test")
def try_out(  # noqa: PLR0913, PLR0917 - an option each
    tenant: Annotated[str | None, typer.Argument(help="Whose rules; with --since everybody's without it.")] = None,
    text: Annotated[str | None, typer.Argument(help="What is said, as people read it.")] = None,
    when: Annotated[
        str | None, typer.Option(help=f"What happens: {', '.join(get_args(When))}; a message without.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Where.")] = None,
    sender: Annotated[str | None, typer.Option(help="Who does it.")] = None,
    emoji: Annotated[str | None, typer.Option(help="With --when emoji_reaction, which.")] = None,
    file: Annotated[Path | None, typer.Option(help="A directory.yaml, instead of what is applied.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Try them on the log, from when on: a time, or so long ago (7d, 2h).")
    ] = None,
    until: Annotated[str | None, typer.Option(help="With --since, until when; now otherwise.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="With --since, only the rule of this name; again for more.")
    ] = None,
    form: Annotated[Form | None, typer.Option("--format", help="With --since, for people or for machines.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="With --since, show every message, and not only a few.")
    ] = False,
) -> None:
    """Say which rule would match, or with --since what rules would have matched. Nothing is sent, and no rule rests."""
    if since is not None:
        of_one = {"TEXT": text, "--when": when, "--channel": channel, "--sender": sender, "--emoji": emoji}
        _refuse(of_one, "with --since rules are tried on what stands in the log, and on no sentence: leave it out")
        found = backtested(Asked(tenant, file, rule or ()), stretch_of(since, until or "0s"))
        if form == "json":
            typer.echo(json.dumps(found.as_json(), indent=2))
        else:
            show(found, plain_console(), everything=everything)
        return
    of_log = {"--until": until, "--rule": rule, "--format": form, "--all": everything}
    _refuse(of_log, "it is for rules that are tried on the log: say --since, too, such as --since 7d")
    if tenant is None:
        raise Fault("name the TENANT whose rules are tried on a text, or say --since 7d to try all on the log")
    happening = _possible(Happening(_when(when or "message"), channel or "C0", sender or "U0", text or "", emoji))
    _try_on(tenant_of(_in_file(file, tenant) if file is not None else _applied(tenant), per_minute=1), happening)


def _refuse(options: Mapping[str, object], why: str) -> None:
    """Options that do not go together are told, and nothing is done: one of them would be without effect."""
    given = [name for name, value in options.items() if value]
    if given:
        raise Fault(f"{', '.join(given)}: {why}; nothing was tried")


def _possible(happening: Happening) -> Happening:
    if any("\ud800" <= each <= "\udfff" for each in happening.text):
        raise Fault("the text is no UTF-8; nothing was tried")
    if happening.channel.startswith("D") and happening.when == "message":
        raise Fault("a direct message is always answered: rules for messages never look at it")
    return happening


def _try_on(tenant: Tenant, happening: Happening) -> None:
    """Ends with 1 where no rule matches."""
    facts = Facts(tenant, 0, Memory())
    winner, _ = evaluate(happening, tenant.rules, "", facts, 0.0)
    table = Table("rule", "priority", "filters", "", box=None, pad_edge=False)
    for rule in tenant.rules:
        table.add_row(rule.name, str(rule.priority), rule.summary, _said(rule, winner, happening, facts))
    plain_console().print(table if tenant.rules else f"{tenant.id} has no rule that is switched on")
    if winner is None:
        raise typer.Exit(1)
    typer.echo(f"{winner.name} matches; {_who(winner, tenant, happening.channel)}")


def _said(rule: Rule, winner: Rule | None, happening: Happening, facts: Facts) -> str:
    if rule is winner:
        return "matches"
    if rule.when != happening.when:
        return f"it looks at {rule.when}"
    failed = failure_of(rule, happening, "", facts, 0.0)
    return _WORDS.get(failed, failed) if failed is not None else "matches, and another one wins"


def _who(rule: Rule, tenant: Tenant, channel: str) -> str:
    if rule.agent is not None:
        answers = rule.agent if any(agent.id == rule.agent for agent in tenant.agents) else None
    else:
        agent = agent_for(tenant, channel)
        answers = agent.id if agent is not None else None
    return f"{answers} answers" if answers is not None else "nobody answers there: no agent is switched on for it"


def _when(name: str) -> When:
    if name not in get_args(When):
        raise Fault(f"--when {name}: it is one of {', '.join(get_args(When))}")
    return next(each for each in get_args(When) if each == name)


def _applied(tenant: str) -> TenantFacts:
    async def work(owner: OwnerDatabase) -> dict[str, Any]:
        async with owner.begin() as connection:
            return {name: each.facts for name, each in (await history.whole(connection)).items()}

    found = run_as_owner(work).get(tenant)
    if not isinstance(found, TenantFacts):
        raise Fault(f"there is no tenant {tenant}; `threadline directory show` lists them")
    return found


def _in_file(file: Path, tenant: str) -> TenantFacts:
    for each in tenants_in(file):
        if each.id == tenant:
            return each.standing()
    raise Fault(f"there is no tenant {tenant} in {file}")
