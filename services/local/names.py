"""What `threadline up` starts beside the stack, by name."""

from typing import Final

SLACK_SIM: Final = "slack-sim"
WORKSPACE: Final = "workspace"
SUPERVISOR: Final = "supervisor"
AGENTS: Final = "agents"
"""The port at which they report."""
AGENT_URL: Final = "THREADLINE_AGENT_URL"
"""Tells a program that is watched where it reports."""
SERVICES: Final = ("router", "responder", SUPERVISOR, "ingress")
