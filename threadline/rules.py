"""`threadline rules`: what a tenant's rules make of something that happens."""

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

application = typer.Typer(help="A tenant's rules.", no_args_is_help=True, add_completion=False)

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
    tenant: Annotated[str, typer.Argument(help="Whose rules.")],
    text: Annotated[str, typer.Argument(help="What is said, as people read it.")] = "",
    when: Annotated[str, typer.Option(help=f"What happens: {', '.join(get_args(When))}.")] = "message",
    channel: Annotated[str, typer.Option(help="Where.")] = "C0",
    sender: Annotated[str, typer.Option(help="Who does it.")] = "U0",
    emoji: Annotated[str | None, typer.Option(help="With --when emoji_reaction, which.")] = None,
    file: Annotated[Path | None, typer.Option(help="A directory.yaml, instead of what is applied.")] = None,
) -> None:
    """Say which rule would match, and what each of the others fails on. Nothing is sent, and no rule rests."""
    if when not in get_args(When):
        raise Fault(f"--when {when}: it is one of {', '.join(get_args(When))}")
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise Fault("the text is no UTF-8; nothing was tried")
    if channel.startswith("D") and when == "message":
        raise Fault("a direct message is always answered: rules for messages never look at it")
    known = tenant_of(_in_file(file, tenant) if file is not None else _applied(tenant), per_minute=1)
    happening = Happening(_when(when), channel, sender, text, emoji)
    facts = Facts(known, 0, Memory())
    winner, _ = evaluate(happening, known.rules, "", facts, 0.0)
    table = Table("rule", "priority", "filters", "", box=None, pad_edge=False)
    for rule in known.rules:
        table.add_row(rule.name, str(rule.priority), rule.summary, _said(rule, winner, happening, facts))
    plain_console().print(table if known.rules else f"{tenant} has no rule that is switched on")
    if winner is None:
        raise typer.Exit(1)
    typer.echo(f"{winner.name} matches; {_who(winner, known, channel)}")


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


def _when(name: str) -> Literal["message", "mention", "emoji_reaction", "join"]:
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
