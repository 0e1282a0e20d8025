"""Slack: whether each installation's tokens are there, are of the right kind, are good, and may do what is needed."""

from dataclasses import dataclass

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from services.directory.document import InstalledApp, TenantFacts
from services.directory.installations import purpose_of
from services.directory.slack_tokens import APP_SCOPE, MORE_SCOPES, SCOPES, WHERE_FOUND, mistaken
from services.kit.fault import Fault
from services.kit.groups import SecretSettings, SlackSettings
from services.kit.secrets.names import SecretName
from services.kit.secrets.place import holder_in
from services.kit.secrets.sealing import Sealer
from services.kit.secrets.source import Secrets, variable_of
from threadline.checkup import agents_channel
from threadline.checkup.finding import Finding, fine, note, wrong
from threadline.checkup.tenants import Contents

ANSWER_WITHIN_S = 5
UNREACHABLE = "is the network there? SLACK_API_URL names another Slack"
MENDS_OF_THE_APP = {
    "missing_scope": f"give it the scope {APP_SCOPE}",
    "link_disabled": "the token is right: switch on Socket Mode in the app's settings, under Socket Mode",
}
"""What mends it where the app token is none of another app's."""


@dataclass(frozen=True)
class Held:
    """An installation, or what is set where none is described yet, and where its secrets are found."""

    subject: str
    place: str
    workspace: str | None = None
    sealed: tuple[bytes, str] | None = None
    """A bot token that OAuth brought, and what it is sealed for."""
    tenant: TenantFacts | None = None


def held_in(contents: Contents) -> list[Held]:
    """Every open installation."""
    return [
        Held(
            f"slack {tenant_id} {each.workspace}",
            each.secrets or "env",
            each.workspace,
            _sealed(contents, tenant_id, each),
            facts,
        )
        for tenant_id, facts in contents.tenants.items()
        for each in facts.installations
        if each.closed_at is None
    ]


def _sealed(contents: Contents, tenant_id: str, each: InstalledApp) -> tuple[bytes, str] | None:
    token = contents.sealed.get((tenant_id, each.app, each.workspace))
    return (token, purpose_of("bot_token", tenant_id, each.app, each.workspace)) if token else None


async def look(contents: Contents, kept: SecretSettings, settings: SlackSettings) -> list[Finding]:
    """Each installation in turn; without any, what the environment has."""
    found: list[Finding] = []
    for held in held_in(contents) or [Held("slack", "env")]:
        found += await _look_at(held, kept, settings)
    return found


async def _look_at(held: Held, kept: SecretSettings, settings: SlackSettings) -> list[Finding]:
    secrets = Secrets(kept, settings)
    try:
        if held.sealed is None:
            bot = await secrets.read("slack_bot_token", held.place)
        else:
            bot = Sealer.of(kept).open(*held.sealed)
        app = await secrets.read("slack_app_token", held.place)
        signing = await secrets.read("slack_gateway_signing_secret", held.place)
    except Fault as fault:
        return [wrong(held.subject, str(fault), "mend that, or name another place in directory.yaml")]
    if held.workspace is None and bot is app is signing is None:
        what = "no token is set, and no app is described in the directory"
        return [note(held.subject, what, _set("slack_bot_token", held))]
    found = [*_bot_token(held, bot), *_ways_in(held, app, signing)]
    if any(each.state == "wrong" for each in found):
        return found
    if bot is not None:
        found += await _try_bot(held, bot, settings)
    if app is not None:
        found += await _try_app(held, app, settings)
    return found


def _bot_token(held: Held, bot: SecretStr | None) -> list[Finding]:
    if bot is None:
        return [wrong(held.subject, "there is no bot token", _set("slack_bot_token", held))]
    return _kind(held, "slack_bot_token", bot)


def _ways_in(held: Held, app: SecretStr | None, signing: SecretStr | None) -> list[Finding]:
    """An app is reached by Socket Mode with an app token, or over HTTP with a signing secret."""
    found: list[Finding] = []
    if app is None and signing is None:
        found.append(
            wrong(held.subject, "there is no app token, and no signing secret either", _set("slack_app_token", held))
        )
    if app is not None:
        found += _kind(held, "slack_app_token", app)
    if signing is not None:
        found += _kind(held, "slack_gateway_signing_secret", signing)
    return found


def _kind(held: Held, name: SecretName, token: SecretStr) -> list[Finding]:
    problem = mistaken(name, token.get_secret_value())
    return [wrong(held.subject, f"{name} is the wrong one: {problem}", _set(name, held))] if problem else []


async def _try_bot(held: Held, token: SecretStr, settings: SlackSettings) -> list[Finding]:
    try:
        answer = await _client(token, settings).auth_test()
    except SlackApiError as error:
        why = _error_of(error)
        return [wrong(held.subject, f"Slack does not take the bot token ({why})", _set("slack_bot_token", held))]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return [note(held.subject, _not_tried(settings, error), UNREACHABLE)]
    found = [fine(held.subject, f"signed in to {answer.get('team')} ({answer.get('team_id')}) as {answer.get('user')}")]
    of = {answer.get("team_id"), answer.get("enterprise_id")}
    if held.workspace is not None and held.workspace not in of:
        found = [
            wrong(
                held.subject,
                f"the bot token is {answer.get('team_id')}'s, and belongs to {held.workspace}",
                _set("slack_bot_token", held),
            )
        ]
    elif held.tenant is not None and held.workspace is not None:
        found += await agents_channel.look(held.subject, held.tenant, held.workspace, _client(token, settings))
    return found + _scopes(held, answer)


def _scopes(held: Held, answer: AsyncSlackResponse) -> list[Finding]:
    headers = {str(name).lower(): str(value) for name, value in (answer.headers or {}).items()}
    said = headers.get("x-oauth-scopes")
    if said is None:
        return [note(held.subject, "Slack did not say which scopes the token has")]
    has = {each.strip() for each in said.split(",")}
    add = "add it under OAuth & Permissions, and install the app again"
    found = [
        wrong(held.subject, f"the scope {name} is missing: {why}", add)
        for name, why in SCOPES.items()
        if name not in has
    ]
    found += [
        note(held.subject, f"without the scope {name} it cannot {why}", add)
        for name, why in MORE_SCOPES.items()
        if name not in has
    ]
    return found or [fine(held.subject, "the token has every scope that is needed")]


async def _try_app(held: Held, token: SecretStr, settings: SlackSettings) -> list[Finding]:
    try:
        await _client(token, settings).apps_connections_open(app_token=token.get_secret_value())
    except SlackApiError as error:
        why = _error_of(error)
        mend = MENDS_OF_THE_APP.get(why) or _set("slack_app_token", held)
        return [wrong(held.subject, f"Slack does not take the app token ({why})", mend)]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return [note(held.subject, _not_tried(settings, error), UNREACHABLE)]
    return [fine(held.subject, "Socket Mode can be opened")]


def _client(token: SecretStr, settings: SlackSettings) -> AsyncWebClient:
    return AsyncWebClient(
        token=token.get_secret_value(), base_url=settings.slack_api_url, timeout=ANSWER_WITHIN_S, retry_handlers=[]
    )


def _error_of(error: SlackApiError) -> str:
    answer = error.response
    said = answer.get("error") if isinstance(answer, AsyncSlackResponse) else None
    return str(said or "it answers something that is not Slack's")


def _not_tried(settings: SlackSettings, error: Exception) -> str:
    return f"{settings.slack_api_url} does not answer ({type(error).__name__}), so the token was not tried"


def _set(name: SecretName, held: Held) -> str:
    """Where the secret would have to be."""
    if held.sealed is not None and name == "slack_bot_token":
        return "install the app again through OAuth"
    kind, holder = holder_in(held.place)
    if kind == "env":
        return f"set {variable_of(name, holder)} ({WHERE_FOUND[name]})"
    if kind == "files":
        file = f"{holder}_{name}" if holder else name
        return f"put it into the file {file} in THREADLINE_SECRETS_FOLDER ({WHERE_FOUND[name]})"
    return f"`threadline secrets put {name}` ({WHERE_FOUND[name]})"
