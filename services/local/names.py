"""What `threadline up` starts beside the stack, by name."""

from typing import Final

SLACK_SIM: Final = "slack-sim"
WORKSPACE: Final = "workspace"
SUPERVISOR: Final = "supervisor"
SERVICES: Final = ("router", "responder", SUPERVISOR, "ingress")
