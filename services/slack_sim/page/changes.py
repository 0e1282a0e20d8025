"""What changed since a browser was last told, and what of its page is to be drawn again for that."""

from dataclasses import dataclass, field
from typing import Literal, TypedDict, assert_never

from services.kit.markup import Markup, el
from services.slack_sim.page import conversation, status
from services.slack_sim.page.inspector import MOST, Record, counts, record_id, row, rows
from services.slack_sim.page.messages import item, item_id
from services.slack_sim.page.reading import Reading
from services.slack_sim.page.seen import Seen
from services.slack_sim.page.shell import body
from services.slack_sim.page.sidebar import sidebar
from services.slack_sim.page.views import modal
from services.slack_sim.world.entities import (
    App,
    Channel,
    Counters,
    Entity,
    Ephemeral,
    File,
    Installation,
    Message,
    Session,
    User,
    View,
    Workspace,
)

Region = Literal["everything", "sidebar", "status", "thread", "modal", "home", "counts"]


class Fragment(TypedDict):
    """A piece of the page: it takes the place of what has its id, or goes into `into`; without HTML it goes away."""

    id: str
    html: str
    into: str


@dataclass
class Changes:
    """What changed."""

    regions: set[Region] = field(default_factory=set)
    items: dict[str, tuple[Message | Ephemeral, bool]] = field(default_factory=dict)
    """Messages by their keys, and whether each is still there."""
    records: dict[str, Record] = field(default_factory=dict)

    def note(self, seen: Seen, entity: Entity, *, there: bool) -> None:
        """Takes note of something that changed, as far as this browser shows it."""
        here = seen.channel.id if seen.channel else None
        match entity:
            case Message():
                self._note_message(entity, here=entity.channel == here, there=there)
            case Ephemeral():
                if entity.channel == here and entity.to == seen.user.id:
                    self.items[f"only/{entity.ts}"] = (entity, there)
            case Session():
                if entity.channel == here:
                    self.regions.add("status")
                    self._note_root(seen, entity.thread_ts)
            case View():
                if entity.user == seen.user.id:
                    self.regions.add("home" if entity.body.get("type") == "home" else "modal")
            case File() | Counters():
                pass
            case Workspace() | User() | App() | Installation() | Channel():
                self.regions.add("everything")
            case _:
                assert_never(entity)

    def record(self, record: Record) -> None:
        """Takes note of a call or a delivery."""
        self.records[record_id(record)] = record
        self.regions.add("counts")

    def _note_message(self, message: Message, *, here: bool, there: bool) -> None:
        if not here:
            self.regions.add("sidebar")
            return
        self.items[message.ts] = (message, there)
        if message.stream is not None or message.bot_id is None:
            self.regions.add("status")

    def _note_root(self, seen: Seen, ts: str) -> None:
        conversation = seen.slack.world.conversations.get(seen.channel.id) if seen.channel else None
        root = conversation.messages.get(ts) if conversation else None
        if root is not None:
            self.items.setdefault(root.ts, (root, True))


def drawn(changes: Changes, seen: Seen, reading: Reading) -> list[Fragment]:
    """What is to be drawn again."""
    if "everything" in changes.regions or _is_thread_gone(changes, seen):
        return [_whole("app", body(seen, reading))]
    if seen.channel is not None:
        reading.read(seen.user, seen.channel)
    fragments = [] if seen.home else _messages(changes, seen, in_thread=False)
    if seen.thread is not None:
        fragments += _messages(changes, seen, in_thread=True)
    fragments += _regions(changes, seen, reading)
    return fragments + (_records(changes, seen) if seen.inspector else [])


def _is_thread_gone(changes: Changes, seen: Seen) -> bool:
    return seen.thread in changes.items and not changes.items[seen.thread][1]


def _whole(name: str, markup: Markup) -> Fragment:
    return Fragment(id=name, html=markup, into="")


def _messages(changes: Changes, seen: Seen, *, in_thread: bool) -> list[Fragment]:
    """Each message that changed; all of them, where so many came that only the last are to be shown."""
    place = "replies" if in_thread else "messages"
    mine = [(each, there) for each, there in changes.items.values() if _belongs(seen, each, in_thread=in_thread)]
    if len(mine) >= seen.most:
        return [_whole(place, conversation.messages(seen, in_thread=in_thread))]
    return [
        Fragment(
            id=item_id(each, in_thread=in_thread),
            html=item(seen, each, in_thread=in_thread) if there else "",
            into=place,
        )
        for each, there in mine
    ]


def _belongs(seen: Seen, shown: Message | Ephemeral, *, in_thread: bool) -> bool:
    if isinstance(shown, Ephemeral):
        return conversation.is_shown(seen, shown, in_thread=in_thread)
    if in_thread:
        return shown.root_ts == seen.thread
    return shown.thread_ts in {None, shown.ts} or shown.subtype == "thread_broadcast"


def _regions(changes: Changes, seen: Seen, reading: Reading) -> list[Fragment]:
    regions = changes.regions
    fragments: list[Fragment] = []
    if "sidebar" in regions:
        fragments.append(_whole("sidebar", sidebar(seen, reading)))
    if "modal" in regions:
        fragments.append(_whole("modal", modal(seen)))
    if "home" in regions and seen.home:
        fragments.append(_whole("main", conversation.main(seen)))
    if "status" in regions and not seen.home:
        fragments.append(_whole("channel-status", status.channel_status(seen)))
        fragments.append(_whole("channel-prompts", status.prompts(seen, in_thread=False)))
    if "status" in regions and seen.thread is not None:
        fragments.append(_whole("thread-status", status.thread_status(seen)))
        fragments.append(_whole("thread-prompts", status.prompts(seen, in_thread=True)))
        fragments.append(_whole("thread-title", el("h2", status.title(seen) or "Thread", id="thread-title")))
    return fragments


def _records(changes: Changes, seen: Seen) -> list[Fragment]:
    fragments = [_whole("record-counts", counts(seen.slack))] if "counts" in changes.regions else []
    if len(changes.records) >= MOST:
        return [*fragments, _whole("records", rows(seen.slack))]
    changed = changes.records.items()
    return fragments + [Fragment(id=name, html=row(seen.slack, each), into="records") for name, each in changed]
