"""When what is to be said of a task is said: what changed now, what only went on now and then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, get_args

from schemas.agent import AgentStatus, EndStatus
from services.supervisor.decisions.posts import Post

ENDS: Final = get_args(EndStatus)


class Urgency(IntEnum):
    """Which of several goes first where Slack's limits leave room for one."""

    WAITS_FOR_SOMEBODY = 0
    IS_OVER = 1
    CHANGED = 2
    WENT_ON = 3


@dataclass(frozen=True)
class Told:
    """What was said last under a post's name."""

    digest: str
    at: datetime
    status: AgentStatus | None = None


@dataclass(frozen=True)
class Due:
    """A post that is to be said, and from when on."""

    post: Post
    at: datetime
    urgency: Urgency


def due(posts: Iterable[Post], told: Mapping[str, Told], since: datetime, every: timedelta) -> list[Due]:
    """Everything that is not said as it is now. Nothing stands in a thread whose head was never said."""
    found: list[Due] = []
    posts = list(posts)
    somebody_waits = any(_waits(each) for each in posts)
    for post in posts:
        said = told.get(post.name)
        if said is not None and said.digest == post.digest:
            continue
        if post.thread_of is not None and post.thread_of not in told:
            continue
        if said is not None and post.status is not None and post.status == said.status:
            found.append(Due(post, said.at + every, Urgency.WENT_ON))
        else:
            is_waited_for = somebody_waits and said is None and post.thread_of is None
            found.append(Due(post, since, Urgency.WAITS_FOR_SOMEBODY if is_waited_for else _urgency(post)))
    return found


def _urgency(post: Post) -> Urgency:
    if _waits(post):
        return Urgency.WAITS_FOR_SOMEBODY
    return Urgency.IS_OVER if post.status in ENDS else Urgency.CHANGED


def _waits(post: Post) -> bool:
    """Whether it has buttons for somebody, and is no task's own message."""
    return post.status is None and any(each["type"] == "actions" for each in post.blocks)
