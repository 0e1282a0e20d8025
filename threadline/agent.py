"""`threadline agent`: what a script says of its supervised task. The work is done by what agents import."""

from collections.abc import Callable
from typing import Annotated

import typer

from services.kit.fault import Fault
from threadline_agent import emit
from threadline_agent.emit import WRONG, Done, Misused, Whose

application = typer.Typer(help="Supervised agents.", no_args_is_help=True, add_completion=False)
emitting = typer.Typer(
    help="Say one thing of a task, from a script: `threadline-agent emit` where nothing else of Threadline is.",
    no_args_is_help=True,
)
application.add_typer(emitting, name="emit")

Task = Annotated[str | None, typer.Option(help="The task's id; else THREADLINE_TASK_ID.")]
Agent = Annotated[str | None, typer.Option(help="Whose task it is; else THREADLINE_AGENT_ID.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with 1 where the supervisor has not taken it.")]
Timeout = Annotated[float, typer.Option(help="Seconds.")]


class Misuse(Fault):
    """1 would be the answer of `--strict`."""

    code = WRONG


@application.callback()
def _first() -> None:
    """What is only logged, and what went wrong, is seen on standard error."""
    emit.log_to_stderr()


@emitting.command()
def start(  # noqa: PLR0913 - each is an option
    *,
    task_name: Annotated[str, typer.Option(help="What it is about.")],
    agent: Agent = None,
    repo: Annotated[str | None, typer.Option(help="What it may touch, such as acme/shop.")] = None,
    context_size: Annotated[int, typer.Option(help="Tokens that its model can see at once.")] = 200_000,
    parent: Annotated[str | None, typer.Option(help="The task that it is a part of; else THREADLINE_TASK_ID.")] = None,
    started_by: Annotated[str | None, typer.Option(help="The Slack user id of who wanted it.")] = None,
    strict: Strict = False,
) -> None:
    """Begin a task and say its id."""
    _finish(
        lambda: emit.start(
            agent,
            task_name,
            repo_scope=repo,
            context_size=context_size,
            parent_task_id=parent,
            started_by=started_by,
        ),
        strict=strict,
    )


@emitting.command()
def checkpoint(  # noqa: PLR0913 - likewise
    action: Annotated[str, typer.Argument(help="What is being done.")],
    *,
    task: Task = None,
    agent: Agent = None,
    level: Annotated[str, typer.Option(help="info, warning or error.")] = "info",
    progress: Annotated[str | None, typer.Option(help="From 0 to 1.")] = None,
    step: Annotated[str | None, typer.Option(help="Such as '3 of 7'.")] = None,
    tokens: Annotated[str | None, typer.Option(help="Tokens that its model sees now.")] = None,
    cost: Annotated[str | None, typer.Option(help="USD since the checkpoint before.")] = None,
    status: Annotated[str | None, typer.Option(help="starting, working, paused or error.")] = None,
    details: Annotated[str | None, typer.Option(help="A JSON object.")] = None,
    strict: Strict = False,
) -> None:
    """Say how far it is. What does not fit is brought within bounds or left out: a script never ends of it."""
    said = {"progress": progress, "step": step, "tokens": tokens, "cost": cost, "status": status}
    _finish(lambda: emit.checkpoint(Whose(task, agent), action, level, details, **said), strict=strict)


@emitting.command()
def artifact(  # noqa: PLR0913 - likewise
    kind: Annotated[str, typer.Argument(help="pull_request, file, deploy or link.")],
    title: Annotated[str, typer.Argument(help="What it is called.")],
    *,
    link: Annotated[str | None, typer.Option(help="Where it is.")] = None,
    task: Task = None,
    agent: Agent = None,
    strict: Strict = False,
) -> None:
    """Tell of something that it made."""
    _finish(lambda: emit.artifact(Whose(task, agent), kind, title, link), strict=strict)


@emitting.command()
def end(
    status: Annotated[str, typer.Option(help="complete, error or cancelled.")] = "complete",
    summary: Annotated[str | None, typer.Option(help="What came of it.")] = None,
    task: Task = None,
    agent: Agent = None,
    strict: Strict = False,
) -> None:
    """End it."""
    _finish(lambda: emit.end(Whose(task, agent), status, summary), strict=strict)


@emitting.command()
def approval(  # noqa: PLR0913 - likewise
    action: Annotated[str, typer.Argument(help="What is to be done.")],
    *,
    arguments: Annotated[str | None, typer.Option(help="A JSON object: what exactly is to be approved.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="One of several; the chosen one is said.")] = None,
    timeout: Timeout = 3600.0,
    task: Task = None,
    agent: Agent = None,
) -> None:
    """Wait for a yes, or a choice. It ends with 0 only then.

    3: rejected, 4: expired, 5: withdrawn, 6: the task was cancelled, 7: nobody could be asked, 8: the answer was to
    something else.
    """
    _finish(lambda: emit.approval(Whose(task, agent), action, arguments, choice, timeout))


@emitting.command()
def ask(
    question: Annotated[str, typer.Argument(help="In plain words.")],
    timeout: Timeout = 3600.0,
    task: Task = None,
    agent: Agent = None,
) -> None:
    """Wait for an answer in plain words, and say it. It ends as `approval` does."""
    _finish(lambda: emit.ask(Whose(task, agent), question, timeout))


def _finish(command: Callable[[], Done], *, strict: bool = False) -> None:
    try:
        done = command()
    except Misused as error:
        raise Misuse(str(error)) from None
    raise typer.Exit(emit.finish(done, strict=strict))
