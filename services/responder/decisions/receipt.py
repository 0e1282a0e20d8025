"""Why a reply is what it is, as a person is told."""

from collections.abc import Iterable
from datetime import UTC, datetime

from schemas.command import RetryAsked, RunRequested
from schemas.run import RunCancel, RunState
from services.responder.decisions.effects import Call
from services.responder.decisions.standing import Standing

ASKED_BY = {
    "mention": "<@{by}> mentioned the agent",
    "dm": "<@{by}> wrote to the agent directly",
    "thread": "<@{by}> wrote in a thread that the agent follows",
    "shortcut": "<@{by}> used the shortcut on a message",
    "command": "<@{by}> used a slash command",
    "gateway": "a program asked",
    "task": "a task asked",
}


def receipt(
    request: RunRequested | None,
    command: RunRequested | RetryAsked | None,
    states: Iterable[RunState | RunCancel],
    standing: Standing,
) -> str:
    """The story of one run."""
    lines = ["*Why this reply*"]
    if command is not None:
        lines.append(f"• Because {_because(command)}, received {_moment(command.received_at)}.")
    if request is not None:
        revision = request.directory_revision
        lines.append(f"• Answered by the agent `{request.agent_id}`, as revision {revision} of the directory has it.")
    lines += [_of_tool(each, standing) for each in standing.of("tool")]
    for state in states:
        lines += _of_state(state)
    if command is not None:
        event = f" · event `{command.event_id}`" if isinstance(command, RunRequested) else ""
        lines.append(f"• run `{command.run_id}`{event}")
    return "\n".join(lines)


def _because(command: RunRequested | RetryAsked) -> str:
    if isinstance(command, RetryAsked):
        return f"<@{command.user_id}> clicked “Try again” under run `{command.retry_of[:8]}`"
    if command.rule_name is not None:
        return f"the rule `{command.rule_name}` matched what <@{command.message.sender.id}> did"
    return ASKED_BY.get(command.trigger, command.trigger).format(by=command.message.sender.id)


def _of_tool(used: Call, standing: Standing) -> str:
    by = used.arguments.get("approved_by")
    allowed = f", as <@{by}> allowed" if isinstance(by, str) else ""
    came = "nobody knows whether it was done"
    if used.effect_id in standing.confirmed:
        came = "it was done"
    elif used.effect_id in standing.refused:
        came = f"it was not done (`{standing.refused[used.effect_id]}`)"
    return f"• It used the tool `{used.arguments.get('tool')}`{allowed}: {came}."


def _of_state(state: RunState | RunCancel) -> Iterable[str]:
    if isinstance(state, RunCancel):
        yield f"• Somebody stopped it (by {state.source})."
        return
    if state.state not in {"complete", "cancelled", "error"}:
        return
    if state.usage is not None:
        cost = f", ${state.usage.cost_usd:.4f}" if state.usage.cost_usd is not None else ""
        tokens = f"{state.usage.input_tokens} tokens in, {state.usage.output_tokens} out"
        yield f"• Model `{state.usage.model}`: {tokens}{cost}."
    if state.phases is not None:
        times = [(name, value) for name, value in state.phases.model_dump().items() if value is not None]
        told = ", ".join(f"{name.replace('_', ' ')} {value:.2f} s" for name, value in times)
        yield f"• After Slack's receipt: {told}."
    ended = {
        "complete": "It was answered in full.",
        "cancelled": "It was stopped.",
        "error": f"It failed (`{state.reason}`).",
    }
    yield f"• {ended[state.state]}"


def _moment(at: datetime) -> str:
    """Slack shows it in the reader's own time; where it cannot, it shows what stands last."""
    plain = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}|{plain}>"
