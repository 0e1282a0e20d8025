"""The buttons that Threadline puts under what it says: what each is called, and what it carries. Ids, never state."""

from typing import Final

STOP: Final = "threadline:stop"
"""Carries a run's id."""
WHY: Final = "threadline:why"
"""Carries a run's id."""
RETRY: Final = "threadline:retry"
"""Carries the id of the run whose answer is wanted again."""
FEEDBACK: Final = "threadline:feedback"
"""Carries `good` or `bad`, a colon, and a run's id."""
APPROVAL: Final = "threadline:approval"
"""Carries an approval's id, the hash of what is to be approved, and the answer, with colons between; so do the options
of a select, and the private metadata of a form. A form's callback has the same name."""
TASK: Final = "threadline:task"
"""Carries a verb, a colon, and the id of a task or of an approval. Also the callback of the shortcut on a message that
makes a task of it."""
ASK: Final = "threadline:ask"
"""The callback of the shortcut on a message that asks an agent about it."""

PREFIX: Final = "threadline:"
"""Begins all of ours, and the names of messages that our own services say. Buttons of others on a message are theirs,
and no program may name anything so: people could not tell whose button it is."""


def is_one(action_id: str, button: str) -> bool:
    """Whether an action is of this button.

    Slack wants the actions of a block told apart: behind the name each may have a colon and a word of its own.
    """
    return action_id == button or action_id.startswith(f"{button}:")


STOP_COMMAND, TASK_COMMAND, ASK_COMMAND = "/stop", "/agent-task", "/ask"
"""The slash commands: end one's runs in a channel, speak with supervised agents, ask an agent."""
