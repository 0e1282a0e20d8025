"""Under which keys decisions remember something, and for how long.

Each key belongs to one connection, so that it stands in the partition of that connection's events.
"""

from typing import Final

EVENT_IS_KNOWN_S: Final = 3600.0
CAUSE_IS_KNOWN_S: Final = 86_400.0
THREAD_IS_FOLLOWED_S: Final = 1800.0
NOTICE_RESTS_S: Final = 60.0
BUCKET_IS_KEPT_S: Final = 86_400.0
"""At least: a tenant may be given another limit at any time."""
LONGEST_REST_S: Final = 86_400.0
"""The longest cooldown that a rule may have."""


def of(connection: str, tenant_id: str) -> str:
    """Whose something is that a workspace's next owner must not find: a tenant's, on one connection."""
    return f"{connection} {tenant_id}"


def event(connection: str, event_id: str) -> str:
    """A delivery that was decided."""
    return f"event {connection} {event_id}"


def cause(connection: str, name: str) -> str:
    """Something that a person did, and that started a run or a stop."""
    return f"cause {connection} {name}"


def bucket(whose: str, scope: str, one: str = "") -> str:
    """How full a bucket is."""
    return f"bucket {whose} {scope} {one}"


def thread(whose: str, channel: str, thread_ts: str) -> str:
    """A thread that is followed, and the agent in it."""
    return f"thread {whose} {channel} {thread_ts}"


def told(whose: str, user: str) -> str:
    """A person who was told that they ask too much."""
    return f"told {whose} {user}"


def rest(whose: str, rule: str, channel: str) -> str:
    """A rule that has matched in a channel, and when."""
    return f"rest {whose} {rule} {channel}"


def refused(whose: str, cause: str) -> str:
    """Something that was refused, and its person was told."""
    return f"refused {whose} {cause}"
