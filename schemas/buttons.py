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
"""Carries an approval's id, the hash of what is to be approved, and the answer, with colons between."""
TASK: Final = "threadline:task"
"""Carries a verb, a colon, and a task's id."""
ASK: Final = "threadline:ask"
"""The callback of the shortcut on a message that asks an agent about it."""

PREFIX: Final = "threadline:"
"""Begins all of ours. Buttons of others on a message are theirs."""

STOP_COMMAND, TASK_COMMAND, ASK_COMMAND = "/stop", "/agent-task", "/ask"
"""The slash commands: end one's runs in a channel, speak with supervised agents, ask an agent."""
