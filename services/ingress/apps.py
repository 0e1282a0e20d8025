"""The Slack apps of this process: where their secrets are found, and what they are called."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import SecretStr

from services.kit.fault import Fault
from services.kit.secrets.place import valid_place
from services.kit.secrets.source import Secrets, SecretsUnavailable

APP_IN_TOKEN = re.compile(r"xapp-\d+-(A[A-Z0-9]+)-")
_LIKE_A_SECRET = re.compile(r"[0-9a-f]{32}|xox|xapp-")
_NAMED = re.compile(r"(?:(A[A-Za-z0-9_-]{1,62})=)?(.+)")


class NoApps(Fault):
    """What should name apps does not."""


@dataclass(frozen=True)
class AppPlace:
    """Where an app's secrets are found, and its id, where that is said."""

    place: str
    app_id: str | None = None


def app_places(named: str) -> tuple[AppPlace, ...]:
    """What THREADLINE_INGRESS_APPS says: places, with commas between, each with an app's id before it perhaps."""
    places = []
    for each in filter(None, map(str.strip, named.split(","))):
        if _LIKE_A_SECRET.search(each):
            raise NoApps("THREADLINE_INGRESS_APPS holds what looks like a secret: name where it is found, not itself")
        match = _NAMED.fullmatch(each)
        app_id, place = match.groups() if match else (None, each)
        try:
            places.append(AppPlace(valid_place(place), app_id))
        except ValueError as error:
            raise NoApps(f"THREADLINE_INGRESS_APPS: {error}") from None
    if not places:
        raise NoApps("THREADLINE_INGRESS_APPS names no app: `env` is SLACK_APP_TOKEN and SLACK_SIGNING_SECRET")
    if len({each.place for each in places}) < len(places):
        raise NoApps("THREADLINE_INGRESS_APPS names a place twice")
    ids = [each.app_id for each in places if each.app_id is not None]
    if len(set(ids)) < len(ids):
        raise NoApps("THREADLINE_INGRESS_APPS names an app twice")
    return tuple(places)


class SlackApp:
    """One app. Its token is read anew for every socket, so that it can be changed while it runs."""

    def __init__(self, found: AppPlace, secrets: Secrets, app_id: str | None = None) -> None:
        self._place, self._secrets = found.place, secrets
        self.app_id = found.app_id or app_id

    @property
    def label(self) -> str:
        """What metrics and logs call it."""
        return self.app_id or self._place

    async def app_token(self) -> str:
        """What Socket Mode opens with."""
        token = await self._secrets.read("slack_app_token", self._place)
        if token is None:
            raise NoApps(f"there is no app token (xapp-…) where it is said to be ({self._place})")
        return token.get_secret_value()

    async def has_app_token(self) -> bool:
        """Whether it can open sockets at all. Where that cannot be told, it is tried."""
        try:
            return await self._secrets.read("slack_app_token", self._place) is not None
        except SecretsUnavailable:
            return True

    async def learned_id(self) -> str | None:
        """Its id, which is also in its token."""
        with suppress(SecretsUnavailable):
            token = await self._secrets.read("slack_app_token", self._place)
            named = APP_IN_TOKEN.match(token.get_secret_value()) if token is not None else None
            self.is_called(named.group(1) if named else None)
        return self.app_id

    async def signing_secret(self) -> SecretStr | None:
        """What proves that a request is Slack's."""
        return await self._secrets.read("slack_gateway_signing_secret", self._place)

    def is_called(self, app_id: str | None) -> None:
        """Slack says which app it is."""
        if self.app_id is None:
            self.app_id = app_id


def apps_of(places: Sequence[AppPlace], secrets: Secrets, app_id: str | None) -> list[SlackApp]:
    """Every app. `app_id` is what SLACK_APP_ID says, which is about the app in the environment."""
    return [SlackApp(each, secrets, app_id if each.place == "env" else None) for each in places]
