"""`threadline token`: what programs sign in with."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from services.directory.sign_in import ACTIONS
from services.directory.tokens import Made, Tokens, Wanted
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from threadline.owning import run_as_owner
from threadline.plain import plain_console, whole

application = typer.Typer(
    help="API tokens for programs: gateway runs, messages, agents' events.", no_args_is_help=True, add_completion=False
)

Tenant = Annotated[str, typer.Argument(help="The tenant's id.")]
TokenId = Annotated[str, typer.Argument(help="The token's id, as `threadline token list` shows it.")]
Answer = TypeVar("Answer")


@application.command()
def create(
    tenant: Tenant,
    name: Annotated[str, typer.Option(help="What it is for, such as nightly-report.")],
    actions: Annotated[str, typer.Option("--for", help=f"What it may do, with commas between: {', '.join(ACTIONS)}.")],
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="How long it is good; for ever without.")] = None,
) -> None:
    """Make a token. It is shown this once, on standard output."""
    given = {each.strip() for each in actions.split(",") if each.strip()}
    strange = sorted(given - set(ACTIONS))
    if strange or not given:
        raise Fault(f"--for {actions}: a token may be for {', '.join(ACTIONS)}; nothing was made")
    chosen = tuple(each for each in ACTIONS if each in given)
    wanted = Wanted(tenant, name, chosen, timedelta(days=days) if days else None)
    _hand_over(_run(lambda tokens: tokens.create(wanted)))


@application.command("list")
def list_tokens(tenant: Annotated[str | None, typer.Argument(help="One tenant's only.")] = None) -> None:
    """List tokens: never the tokens themselves, which nobody can read again."""
    now = SystemClock().now()
    table = Table(whole("tenant"), whole("id"), "name", "for", "made", "good until", "", box=None, pad_edge=False)
    for each in _run(lambda tokens: tokens.listed(tenant)):
        until = f"{each.expires_at:%Y-%m-%d %H:%M} UTC" if each.expires_at else "for ever"
        made = f"{each.created_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(each.tenant_id, each.id, each.name, ", ".join(each.actions), made, until, each.state(now))
    plain_console().print(table if table.row_count else "there is no token; `threadline token create` makes one")


@application.command()
def rotate(
    tenant: Tenant,
    token_id: TokenId,
    overlap_hours: Annotated[int, typer.Option(min=0, max=87_600, help="How long the old one stays good.")] = 24,
) -> None:
    """Make a new token in place of another, with the same name and for the same actions."""
    rotated = _run(lambda tokens: tokens.rotate(tenant, token_id, timedelta(hours=overlap_hours)))
    _hand_over(rotated.made)
    typer.echo(f"{token_id} stays good until {rotated.old_ends:%Y-%m-%d %H:%M} UTC", err=True)


@application.command()
def revoke(tenant: Tenant, token_id: TokenId) -> None:
    """End a token, at once and for good."""
    _run(lambda tokens: tokens.revoke(tenant, token_id))
    typer.echo(f"{token_id} is revoked")


def _hand_over(made: Made) -> None:
    """The token alone on standard output, so that it can be piped to where it is kept."""
    typer.echo(made.token.get_secret_value())
    typer.echo(f"made {made.id}; keep the token now, it cannot be shown again", err=True)


def _run(work: Callable[[Tokens], Awaitable[Answer]]) -> Answer:
    return run_as_owner(lambda owner: work(Tokens(owner, SystemClock())))
