"""`threadline-agent emit`: the command for scripts, where nothing else of Threadline is."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from threadline_agent import emit
from threadline_agent.emit import WRONG, Done, Misused, Whose

INTERRUPTED = 130
Command = Callable[[argparse.Namespace], Done]
_ENDS = "else 3 rejected, 4 expired, 5 withdrawn, 6 cancelled, 7 nobody could be asked, 8 an answer to something else"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command."""
    given = _parser().parse_args(arguments)
    emit.log_to_stderr()
    try:
        sys.exit(emit.finish(given.command(given), strict=given.strict))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Misused as error:
        sys.stderr.write(f"threadline-agent: {error}\n")
        sys.exit(WRONG)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="threadline-agent", description="What a script says of its supervised task.")
    of_agent = parser.add_subparsers(required=True, metavar="emit")
    commands = of_agent.add_parser("emit", help="say one thing").add_subparsers(required=True, metavar="COMMAND")

    start = _command(commands, "start", "begin a task and say its id", _start)
    start.add_argument("--agent", help="whose task it is; else THREADLINE_AGENT_ID")
    start.add_argument("--task-name", required=True, help="what it is about")
    start.add_argument("--repo", help="what it may touch, such as acme/shop")
    start.add_argument("--context-size", help="tokens that its model can see at once")
    start.add_argument("--parent", help="the task that it is a part of; else THREADLINE_TASK_ID")
    start.add_argument("--started-by", help="the Slack user id of who wanted it")

    checkpoint = _of_task(commands, "checkpoint", "say how far it is", _checkpoint)
    checkpoint.add_argument("action")
    checkpoint.add_argument("--level", choices=["info", "warning", "error"], default="info")
    for name in ("progress", "step", "tokens", "cost", "status"):
        checkpoint.add_argument(f"--{name}")
    checkpoint.add_argument("--details", help="a JSON object")

    artifact = _of_task(commands, "artifact", "tell of something that it made", _artifact)
    artifact.add_argument("kind", help="pull_request, file, deploy or link")
    artifact.add_argument("title")
    artifact.add_argument("--link")

    end = _of_task(commands, "end", "end it", _end)
    end.add_argument("--status", default="complete", help="complete, error or cancelled")
    end.add_argument("--summary")

    approval = _of_task(commands, "approval", f"wait for a yes: ends with 0 only then; {_ENDS}", _approval)
    approval.add_argument("action")
    approval.add_argument("--arguments", help="a JSON object: what exactly is to be approved")
    approval.add_argument("--choice", action="append", help="one of several; with choices the chosen one is said")
    approval.add_argument("--timeout", type=float, default=3600.0, help="seconds")

    ask = _of_task(commands, "ask", f"wait for an answer in plain words, and say it; {_ENDS}", _ask)
    ask.add_argument("question")
    ask.add_argument("--timeout", type=float, default=3600.0, help="seconds")
    return parser


def _command(commands: Any, name: str, what: str, command: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
    parser.set_defaults(command=command)
    parser.add_argument("--strict", action="store_true", help="end with 1 where the supervisor has not taken it")
    return parser


def _of_task(commands: Any, name: str, what: str, command: Command) -> argparse.ArgumentParser:
    parser = _command(commands, name, what, command)
    parser.add_argument("--task", help="its id; else THREADLINE_TASK_ID")
    parser.add_argument("--agent", help="whose it is; else THREADLINE_AGENT_ID")
    return parser


def _start(given: argparse.Namespace) -> Done:
    return emit.start(
        given.agent,
        given.task_name,
        repo_scope=given.repo,
        context_size=given.context_size,
        parent_task_id=given.parent,
        started_by=given.started_by,
    )


def _whose(given: argparse.Namespace) -> Whose:
    return Whose(given.task, given.agent)


def _checkpoint(given: argparse.Namespace) -> Done:
    said = {name: getattr(given, name) for name in ("progress", "step", "tokens", "cost", "status")}
    return emit.checkpoint(_whose(given), given.action, given.level, given.details, **said)


def _artifact(given: argparse.Namespace) -> Done:
    return emit.artifact(_whose(given), given.kind, given.title, given.link)


def _end(given: argparse.Namespace) -> Done:
    return emit.end(_whose(given), given.status, given.summary)


def _approval(given: argparse.Namespace) -> Done:
    return emit.approval(_whose(given), given.action, given.arguments, given.choice, given.timeout)


def _ask(given: argparse.Namespace) -> Done:
    return emit.ask(_whose(given), given.question, given.timeout)


if __name__ == "__main__":
    main()
