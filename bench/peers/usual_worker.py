"""The usual way's answer: "Thinking…", a model that streams, edits as Slack advises, and the whole answer.

Run as `celery --app bench.peers.usual_worker worker`; told by PEER_* variables.
"""

import sys
import time
from collections.abc import Iterator
from functools import cache

from celery.signals import worker_ready
from openai import OpenAI
from slack_sdk import WebClient

from bench.peers import READY
from bench.peers.usual_queue import ANSWER, app
from services.kit.settings import variable
from services.responder.decisions.pace import edit_pause_s

__all__ = ["app"]


@cache
def _slack() -> WebClient:
    return WebClient("xoxb-bench", base_url=variable("PEER_SLACK") or "")


@cache
def _model() -> OpenAI:
    """One for each worker process: its connections stay open."""
    return OpenAI(api_key="none", base_url=variable("PEER_MODEL"))


def answer(channel: str, thread: str, question: str) -> None:
    """Answers in the thread."""
    slack = _slack()
    ts = str(slack.chat_postMessage(channel=channel, thread_ts=thread, text="Thinking…")["ts"])
    text, shown, due = "", 0, 0.0
    for piece in _spoken(question):
        text += piece
        due = due or time.monotonic() + edit_pause_s(shown)
        if time.monotonic() >= due:
            slack.chat_update(channel=channel, ts=ts, text=text)
            shown += 1
            due = time.monotonic() + edit_pause_s(shown)
    slack.chat_update(channel=channel, ts=ts, text=text)


def _spoken(question: str) -> Iterator[str]:
    said = _model().chat.completions.create(
        model="bench",
        messages=[{"role": "system", "content": "You are Mara."}, {"role": "user", "content": question}],
        stream=True,
    )
    for chunk in said:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


def _say_so(**_: object) -> None:
    sys.stdout.write(f"celery {READY}\n")
    sys.stdout.flush()


worker_ready.connect(_say_so, weak=False)
app.task(answer, name=ANSWER)
