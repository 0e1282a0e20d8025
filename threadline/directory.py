"""`threadline directory`: who is a tenant, and which agent answers."""

import getpass
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.directory import agents_channel, forgetting, history, migrations
from services.directory import apply as applying
from services.directory.check import Checked
from services.directory.check import check as check_text
from services.directory.json_schema import json_schema
from services.directory.owner import OwnerDatabase
from services.directory.revisions import Revision
from services.directory.tree import Problem
from services.directory.yaml_text import as_yaml
from services.kit.fault import Fault
from threadline.directory_shown import as_json, print_all, print_one
from threadline.owning import run_as_owner
from threadline.plain import plain_console, whole
from threadline.running import database_settings

application = typer.Typer(
    help="The directory: tenants, agents, rules, people and installations.", no_args_is_help=True, add_completion=False
)

FILE = Path("directory.yaml")
SHOWN = 10

File = Annotated[Path, typer.Argument(help="The file; - reads from standard input.")]
AtRevision = Annotated[
    int | None, typer.Option("--revision", min=0, max=2**63 - 1, help="As that revision had it; the newest otherwise.")
]


class WrongFile(Fault):
    """The file cannot be read."""


@application.command()
def migrate(
    to: Annotated[str, typer.Option(help="Another version than the newest.")] = "head",
    back: Annotated[
        bool, typer.Option("--back", help="Undo migrations down to --to; `base` is before the first.")
    ] = False,
) -> None:
    """Bring the database's tables to what this version needs, and let the services' role at them."""

    async def work(owner: OwnerDatabase) -> str | None:
        if back:
            await migrations.migrate_back(owner, to)
        else:
            await migrations.migrate(owner, database_settings().database_url, to)
        return await migrations.current(owner)

    if back and to == "head":
        raise Fault("--back needs --to: the version to go back to, or base")
    typer.echo(f"the tables are at {run_as_owner(work) or 'nothing'}")


@application.command()
def check(file: File = FILE) -> None:
    """Say everything that is wrong with a file, with its line. Nothing is changed, and no database is needed."""
    checked = _checked(file)
    if checked.document is None:
        raise typer.Exit(1)
    count = len(checked.document.tenants)
    typer.echo(f"{file}: {count} tenant{'' if count == 1 else 's'}, nothing wrong")


@application.command()
def apply(
    file: File = FILE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference, and change nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Let tenants go that are not in the file.")] = False,
    if_revision: Annotated[int | None, typer.Option(help="Only if the directory is still at this revision.")] = None,
) -> None:
    """Make the directory what a file says: all of it, or nothing."""
    checked = _checked(file)
    if checked.document is None:
        typer.echo("nothing was changed", err=True)
        raise typer.Exit(1)
    document = checked.document
    how = applying.How(f"{_user()}: {file.name}", dry_run=dry_run, prune=prune, only_after=if_revision)
    applied = run_as_owner(lambda owner: applying.apply(owner, document, how))
    for difference in applied.differences:
        typer.echo(str(difference))
    if applied.left_alone:
        typer.echo(
            f"not in the file, and left as they are (--prune lets them go): {_some(applied.left_alone)}", err=True
        )
    for tenant in document.tenants:
        for what in agents_channel.cautions(tenant):
            typer.echo(f"note: {what}", err=True)
    typer.echo(_outcome(applied, dry_run=dry_run))


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _outcome(applied: applying.Applied, *, dry_run: bool) -> str:
    count = len(applied.differences)
    differences = f"{count} difference{'' if count == 1 else 's'}"
    if not applied.differences:
        return f"no difference; the directory is at revision {applied.revision}"
    if dry_run:
        return f"{differences} to revision {applied.revision}; nothing was changed"
    return f"{differences} applied; the directory is at revision {applied.revision}"


@application.command()
def show(
    tenant: Annotated[str | None, typer.Argument(help="One tenant, in full; a line for each otherwise.")] = None,
    revision: AtRevision = None,
    for_machines: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show the tenants, or all of one."""
    found = run_as_owner(lambda owner: _whole(owner, revision))
    if tenant is not None and tenant not in found:
        raise Fault(f"there is no tenant {tenant}; `threadline directory show` lists them")
    chosen = [found[tenant]] if tenant else list(found.values())
    if for_machines:
        typer.echo(json.dumps([as_json(each) for each in chosen], indent=2))
    elif tenant is None:
        print_all(chosen)
    else:
        print_one(found[tenant])


@application.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write there instead of showing it.")] = None,
    revision: AtRevision = None,
) -> None:
    """Write the directory as a file that can be applied again."""
    found = run_as_owner(lambda owner: _whole(owner, revision))
    text = as_yaml(each.facts.described() for each in found.values() if each.facts)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise WrongFile(f"{output} cannot be written: {error.strerror}") from None
    typer.echo(f"{output}: {len(found)} tenant{'' if len(found) == 1 else 's'}")


@application.command()
def forget(
    tenant: Annotated[str, typer.Argument(help="A tenant that is not in the directory any more.")],
    yes: Annotated[bool, typer.Option("--yes", help="That it is meant.")] = False,
) -> None:
    """Erase what the directory's revisions say of a tenant that is gone. It cannot be undone."""
    if not yes:
        raise Fault(
            f"this erases everything that the directory still says of {tenant}, cannot be undone, and what was decided "
            "for it cannot be replayed any more. Say --yes if it is meant; nothing was erased"
        )
    found = run_as_owner(lambda owner: forgetting.forget(owner, tenant))
    said = f"{found.revisions} revision{'' if found.revisions == 1 else 's'}"
    typer.echo(f"{tenant} is forgotten: {said} said something of it. Topics keep its words for their own time")


@application.command("revisions")
def list_revisions(
    tenant: Annotated[str | None, typer.Argument(help="One tenant's only.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many to show.")] = 20,
) -> None:
    """List the latest changes, the newest first."""

    async def work(owner: OwnerDatabase) -> list[history.Change]:
        async with owner.begin() as connection:
            return await history.latest(connection, most, tenant)

    table = Table("revision", whole("tenant"), "when", "by", "", box=None, pad_edge=False)
    for each in run_as_owner(work):
        gone = "forgotten" if each.is_forgotten else "the tenant went" if each.is_the_end else ""
        table.add_row(str(each.number), each.tenant_id, f"{each.at:%Y-%m-%d %H:%M:%S} UTC", each.by, gone)
    plain_console().print(table)


@application.command()
def schema() -> None:
    """Print the JSON Schema of directory.yaml, for editors."""
    typer.echo(json_schema(), nl=False)


async def _whole(owner: OwnerDatabase, revision: int | None) -> dict[str, Revision]:
    async with owner.begin() as connection:
        return await history.whole(connection, revision)


def _checked(file: Path) -> Checked:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise WrongFile(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WrongFile(f"{file} is no text in UTF-8") from None
    checked = check_text(text)
    for problem in (*checked.problems, *checked.hints):
        typer.echo(_told(file, problem), err=True)
    if checked.problems:
        count = len(checked.problems)
        typer.echo(f"{count} thing{'' if count == 1 else 's'} wrong with {file}", err=True)
    return checked


def _told(file: Path, problem: Problem) -> str:
    line = "" if problem.line is None else f":{problem.line}"
    field = f"{problem.field}: " if problem.field else ""
    return f"{file}{line}: {field}{problem.what}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
