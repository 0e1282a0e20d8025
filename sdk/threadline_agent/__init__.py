"""What an agent imports to be watched, asked and stopped from Slack. It needs nothing but Python.

Nothing here raises into the agent, makes it wait, or stops it, whatever becomes of the supervisor. Only a question that
cannot be asked as it is given is an error of its caller's.
"""

from threadline_agent.approval import Approval, Outcome
from threadline_agent.checkpoint import AgentCheckpoint
from threadline_agent.context import AgentContext
from threadline_agent.current import current_task
from threadline_agent.decorator import supervised_agent
from threadline_agent.emitter import SyncCheckpointEmitter
from threadline_agent.line import flush
from threadline_agent.reporting import Reporter, TaskCancelled
from threadline_agent.settings import configure
from threadline_agent.status import AgentStatus
from threadline_agent.task import AgentTask, agent_task
from threadline_agent.task_orders import AgentMessage
from threadline_agent.work import Work, Worker

__all__ = [
    "AgentCheckpoint",
    "AgentContext",
    "AgentMessage",
    "AgentStatus",
    "AgentTask",
    "Approval",
    "Outcome",
    "Reporter",
    "SyncCheckpointEmitter",
    "TaskCancelled",
    "Work",
    "Worker",
    "agent_task",
    "configure",
    "current_task",
    "flush",
    "supervised_agent",
]
