"""A child process, and a shell command, that report into the task of the process that started them."""

import os
import subprocess
import sys
import time

from making_believe import pause, show_log
from threadline_agent import SyncCheckpointEmitter, agent_task

CHILD = "child"


def parent(seconds: float) -> None:
    """Starts both. What `environment` gives tells them which task it is."""
    with agent_task("importer", "Import the catalogue") as task:
        environment = {**os.environ, **task.environment()}
        task.checkpoint("Starting a child", progress=0.1)
        subprocess.run([sys.executable, __file__, CHILD], env=environment, check=True)
        time.sleep(seconds)
        task.checkpoint("Starting a command", progress=0.6)
        command = [sys.executable, "-m", "threadline_agent", "emit", "checkpoint", "Told by a command"]
        subprocess.run([*command, "--progress", "0.8"], env=environment, check=True)


def child() -> None:
    """It does not end the task: that is its parent's to do."""
    show_log()
    with SyncCheckpointEmitter() as task:
        task.checkpoint("Told by a child", progress=0.4, process=os.getpid())


if __name__ == "__main__":
    if sys.argv[1:] == [CHILD]:
        child()
    else:
        parent(pause())
