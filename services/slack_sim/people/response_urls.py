"""Response URLs: who has one may answer an interaction five times within half an hour, without a token."""

from dataclasses import dataclass
from typing import Any

from services.slack_sim.given_out import GivenOut
from services.slack_sim.refusal import Refusal
from services.slack_sim.talk import Talk
from services.slack_sim.web_api.arguments import Arguments, is_stamp
from services.slack_sim.web_api.content import Content, content_of
from services.slack_sim.world.entities import Message
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

GOOD_FOR_S = 1800.0
USES = 5
REMEMBERED_S = 3600.0
PATH = "/actions"


@dataclass
class ResponseUrl:
    """Where answers given to it go."""

    app_id: str
    team_id: str
    channel_id: str
    user_id: str
    until: float
    message_ts: str | None = None
    """The message that was acted on, if it was one."""
    ephemeral: str | None = None
    """The same, where only one person saw it."""
    thread_ts: str | None = None
    uses: int = 0


class ResponseUrls:
    """Every response URL that was given out lately."""

    def __init__(self, world: World, names: Names, moments: Moments, talk: Talk) -> None:
        self._world, self._names, self._moments, self._talk = world, names, moments, talk
        self._given = GivenOut[ResponseUrl](moments, REMEMBERED_S)
        self.base = ""
        """The simulator's own address."""

    def give(self, url: ResponseUrl) -> str:
        """Its address."""
        path = f"/{url.team_id}/{self._names.number('response')}/{self._names.secret('response')[:24]}"
        self._given.give(path, url)
        return f"{self.base}{PATH}{path}"

    def until(self) -> float:
        """How long one that is given now is good for."""
        return self._moments.now() + GOOD_FOR_S

    def forget_all(self) -> None:
        """Forgets them."""
        self._given.forget_all()

    def answer(self, path: str, body: dict[str, Any]) -> None:
        """Does what an app says there."""
        url = self._given.get(path)
        if url is None:
            raise Refusal("no_service")
        if url.until < self._moments.now():
            raise Refusal("expired_url")
        if url.uses >= USES:
            raise Refusal("used_url")
        said = Arguments(body)
        deletes = said.flag("delete_original")
        content = Content() if deletes else content_of(said)
        url.uses += 1
        if deletes:
            self._delete(url)
        elif said.flag("replace_original") and (url.message_ts or url.ephemeral):
            self._replace(url, content)
        else:
            self._post(url, body, content)

    def say(self, url: ResponseUrl, body: dict[str, Any]) -> None:
        """The same for what came with an acknowledgement."""
        self._post(url, body, content_of(body))

    def _delete(self, url: ResponseUrl) -> None:
        if url.ephemeral is not None and url.ephemeral in self._world.ephemerals:
            self._world.forget(self._world.ephemerals[url.ephemeral])
        message = self._message(url)
        if message is not None:
            self._talk.delete(message)

    def _replace(self, url: ResponseUrl, content: Content) -> None:
        ephemeral = self._world.ephemerals.get(url.ephemeral or "")
        if ephemeral is not None:
            ephemeral.text, ephemeral.blocks = content.text, content.blocks
            self._world.keep(ephemeral)
        message = self._message(url)
        if message is not None:
            by = self._world.installations[url.app_id, url.team_id].bot_user_id
            self._talk.edit(
                message,
                by,
                text=content.text,
                blocks=content.blocks,
                attachments=content.attachments,
                markdown=content.is_markdown,
            )

    def _post(self, url: ResponseUrl, body: dict[str, Any], content: Content) -> None:
        installation = self._world.installations[url.app_id, url.team_id]
        given = body.get("thread_ts")
        thread_ts = given if is_stamp(given) else None
        if thread_ts is None and url.message_ts is None:
            thread_ts = url.thread_ts
        place = (url.channel_id, thread_ts)
        if body.get("response_type", "ephemeral") != "in_channel":
            self._talk.whisper(content.shown_to(url.user_id, self._moments.stamp(), installation, place))
            return
        self._talk.post(content.said_by(installation, self._moments.stamp(), place))

    def _message(self, url: ResponseUrl) -> Message | None:
        return self._world.conversations[url.channel_id].messages.get(url.message_ts or "")
