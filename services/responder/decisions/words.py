"""What people are told, in the words of the product."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from schemas.agent import TaskHome
from schemas.run import Usage
from schemas.slack import is_channel_name

THINKING: Final = "Thinking…"
BELOW: Final = "The answer is below."
SILENT: Final = "The model had nothing to say to this. You can ask again in other words."
THANKS: Final = {"good": "Thank you, noted: this helped.", "bad": "Thank you, noted: this did not help."}
EXPIRED: Final = (
    "This was asked so long ago that an answer now would only confuse. Ask again if you still want to know."
)
GONE_REQUEST: Final = "What was asked back then is not kept any more. Ask again, please."
NOT_YOURS: Final = "Only who asked for it, and people who may stop anything here, can stop this answer. It goes on."
TOO_LATE: Final = "There is nothing to stop any more: the answer was over already."
FORM_TOO_LATE: Final = "The form could not be opened in time, and nothing was done. Click again, please."
NOT_KNOWN: Final = "Nothing is known of this answer any more: its records were kept for as long as they are kept."

NO_AGENT: Final = "⚠️ The agent who was asked is not there any more."
DECIDED: Final = "⏳ It is decided, and goes on…"
TOO_MANY_TURNS: Final = "⚠️ The agent used its tools again and again, and came to no answer. What it did stands."
TOO_MUCH_TO_KEEP: Final = (
    "⚠️ What was asked and said here is too much to be kept until somebody decides. What the agent wanted to do now is "
    "not done; what it did before stands. Ask in fewer words."
)

Trouble = Literal[
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "connection",
    "broken_answer",
    "rejected",
    "not_allowed",
    "no_such_model",
    "too_long",
    "quota",
    "filtered",
    "not_set_up",
    "internal",
]
"""Why a model did not answer."""

WHY_NOT: Final[dict[Trouble, str]] = {
    "rate_limited": "The language model is asked too much at the moment.",
    "overloaded": "The language model is overloaded at the moment.",
    "unavailable": "The language model does not answer at the moment.",
    "timeout": "The language model took too long.",
    "connection": "The connection to the language model broke.",
    "broken_answer": "The language model sent something that is no answer.",
    "rejected": "The language model refused the request.",
    "not_allowed": "The language model does not accept our key. Somebody who operates this app must look.",
    "no_such_model": "The language model that is set does not exist. Somebody who operates this app must look.",
    "too_long": "This conversation is longer than the language model can read. Begin a new thread, please.",
    "quota": "The allowance for the language model is used up. Somebody who operates this app must look.",
    "filtered": "The language model's own rules kept it from answering this.",
    "not_set_up": "No language model is set up for this agent. Somebody who operates this app must look.",
    "internal": "Something failed in this app itself. Somebody who operates it must look.",
}


_OPERATORS: Final[frozenset[Trouble]] = frozenset({"not_allowed", "no_such_model", "quota", "not_set_up", "internal"})
"""What only passes when somebody has looked."""


def is_person(name: str) -> bool:
    """Whether it is Slack's name for somebody; programs have names of their own."""
    return name[:1] in {"U", "W"} and name.isalnum()


def no_form(code: str) -> str:
    """What somebody is told who clicked for a form that Slack does not open."""
    return (
        f"Slack did not open the form (`{code}`), and nothing was done. Click again; if that does not help, somebody "
        "who operates this app must look."
    )


def may_try_again(trouble: Trouble) -> bool:
    """Whether asking the same again can help."""
    return trouble != "too_long"


def failed(trouble: Trouble, run_id: str, *, has_begun: bool) -> str:
    """What stands in the thread where no answer came, or none that is whole."""
    cut = "The answer ends here. " if has_begun else ""
    again = (
        "Then you can try again: nothing was lost." if trouble in _OPERATORS else "Nothing was lost: you can try again."
    )
    then = f" {again}" if may_try_again(trouble) else ""
    return f"⚠️ {cut}{WHY_NOT[trouble]}{then} (run `{run_id[:8]}`)"


def stopped(by: str, *, has_begun: bool, using: str | None = None) -> str:
    """What stands in the thread where somebody stopped the answer."""
    who = f"<@{by}>" if is_person(by) else "a program"
    used = f" It was using `{using}`: nobody knows whether that was done." if using is not None else ""
    return f"⏹️ Stopped by {who}.{used}" if has_begun else f"⏹️ Stopped by {who} before there was an answer.{used}"


def waits(tools: Sequence[str], home: TaskHome, expires_at: datetime) -> str:
    """What stands in the thread while people must decide."""
    named = ", ".join(f"`{each}`" for each in tools)
    elsewhere = f"in {home.channel}" if is_channel_name(home.channel) else "in the channel for agents"
    where = "below" if home.thread_ts is not None else elsewhere
    return f"⏸️ **Waits to be allowed** to use {named}. It is decided {where}, until {expires_at:%Y-%m-%d %H:%M} UTC."


def footer(usage: Usage) -> str:
    """What stands under an answer where that is wanted."""
    cost = f" · ${usage.cost_usd:.4f}" if usage.cost_usd is not None else ""
    return f"{usage.model} · {usage.input_tokens} + {usage.output_tokens} tokens{cost}"
