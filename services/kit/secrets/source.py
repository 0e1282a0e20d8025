"""Reading a secret by its name, from the place that an installation names."""

from typing import Protocol

import aiohttp
from pydantic import SecretStr
from typing_extensions import override

from services.kit.fault import Fault
from services.kit.groups import SecretSettings, SlackSettings
from services.kit.redaction import learn
from services.kit.secrets.names import NAMES, SecretName
from services.kit.secrets.place import holder_in
from services.kit.settings import load, variable, variables_of

ANSWER_WITHIN_S = 3.0
_NOT_FOUND = 404
_OK = 200

SETTING_OF: dict[SecretName, str] = {
    "slack_bot_token": "slack_bot_token",
    "slack_app_token": "slack_app_token",
    "slack_gateway_signing_secret": "slack_signing_secret",
}
"""Which setting holds a secret where the environment is its place."""


class SecretsUnavailable(Fault):
    """The place did not answer. It is not known whether the secret is there."""


class Source(Protocol):
    """One kind of place."""

    async def read(self, name: SecretName, holder: str | None) -> SecretStr | None:
        """The secret, or none where the place has none of that name."""
        ...


class Environment:
    """The settings of this process, or variables that begin with the holder's name."""

    def __init__(self, settings: SlackSettings | None = None) -> None:
        self._settings = settings

    async def read(self, name: SecretName, holder: str | None) -> SecretStr | None:
        """SLACK_BOT_TOKEN, or ACME_SLACK_BOT_TOKEN for the holder acme."""
        setting = SETTING_OF[name]
        if holder is None:
            own: SecretStr | None = getattr(self._settings or load(SlackSettings), setting)
            return own
        found = (variable(f"{_prefix(holder)}{each}") for each in variables_of(SlackSettings, setting))
        return next((SecretStr(value) for value in found if value), None)


def variable_of(name: SecretName, holder: str | None) -> str:
    """The variable that a secret is looked for in."""
    return f"{_prefix(holder)}{variables_of(SlackSettings, SETTING_OF[name])[0]}"


def _prefix(holder: str | None) -> str:
    return f"{holder.upper().replace('-', '_')}_" if holder else ""


class Files:
    """A folder with a file for each secret, as Docker and Kubernetes mount them."""

    def __init__(self, settings: SecretSettings) -> None:
        self._folder = settings.secrets_folder

    async def read(self, name: SecretName, holder: str | None) -> SecretStr | None:
        """`slack_bot_token`, or `acme_slack_bot_token` for the holder acme."""
        path = self._folder / (f"{holder}_{name}" if holder else name)
        try:
            text = path.read_text("utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise SecretsUnavailable(
                f"{path} cannot be read ({type(error).__name__}); mend the file or its rights"
            ) from None
        return SecretStr(text) if text else None


class Gateway:
    """The metadata gateway, over HTTP."""

    def __init__(self, settings: SecretSettings) -> None:
        self._url = settings.secrets_gateway_url
        self._token = settings.secrets_gateway_token

    async def read(self, name: SecretName, holder: str | None) -> SecretStr | None:
        """What it answers; 404 says no more than that there is nothing for us."""
        if holder is not None or self._url is None or self._token is None:
            raise SecretsUnavailable(
                "the secrets' gateway is not set: THREADLINE_SECRETS_GATEWAY_URL and THREADLINE_SECRETS_GATEWAY_TOKEN"
            )
        url = f"{self._url.rstrip('/')}/v1/secrets/{name}"
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                if response.status == _NOT_FOUND:
                    return None
                if response.status == _OK:
                    value = (await response.json())["value"]
                    if isinstance(value, str):
                        return SecretStr(value)
                what = f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError) as error:
            what = type(error).__name__
        raise SecretsUnavailable(
            f"the secrets' gateway at {self._url} does not answer as one ({what}); is `threadline secrets gateway` "
            "running there?"
        )


class Secrets:
    """Every place, behind one question."""

    def __init__(self, settings: SecretSettings, slack: SlackSettings | None = None) -> None:
        self._sources: dict[str, Source] = {
            "env": Environment(slack),
            "files": Files(settings),
            "gateway": Gateway(settings),
        }

    async def read(self, name: SecretName, place: str) -> SecretStr | None:
        """The secret of this name, or none where the place has none. From then on no log line shows it."""
        if name not in NAMES:
            raise ValueError("there is no secret of that name")
        kind, holder = holder_in(place)
        found = await self._sources[kind].read(name, holder)
        if found is not None:
            learn(found.get_secret_value())
        return found

    @override
    def __repr__(self) -> str:
        return "Secrets()"
