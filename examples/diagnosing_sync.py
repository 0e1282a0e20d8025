"""The same as diagnosing.py, in a program without an event loop."""

import time

from making_believe import pause
from threadline_agent import agent_task

QUESTION = "Why was my invoice sent twice?"


def route(seconds: float) -> tuple[str, float]:
    """To whom it goes, and how sure that is."""
    time.sleep(seconds)
    return "billing", 0.93


def call_model(seconds: float) -> tuple[str, int]:
    """An answer, and the tokens that it took."""
    time.sleep(seconds)
    return "A retry of the mailer: it is fixed, and you were charged once.", 1840


def main(seconds: float) -> None:
    """Answers one question."""
    began = time.monotonic()
    with agent_task("diagnosing", QUESTION) as task:
        task.checkpoint("Start", progress=0.1)
        to, confidence = route(seconds)
        task.checkpoint(f"Route: {to}", progress=0.3, confidence=confidence)
        answer, tokens = call_model(seconds)
        task.checkpoint("Model call", progress=0.7, tokens=tokens, cost=tokens * 3e-6)
        latency = f"{(time.monotonic() - began) * 1000:.0f} ms"
        task.checkpoint("Complete", progress=0.9, latency=latency)
        task.add_artifact("link", f"Route: {to} ({confidence:.0%} sure)")
        task.add_artifact("link", f"Latency: {latency}")
        task.checkpoint("Returned", progress=1.0)
        task.complete(answer)


if __name__ == "__main__":
    main(pause())
