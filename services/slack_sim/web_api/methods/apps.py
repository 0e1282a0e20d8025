"""auth.*, apps.*, oauth.*, api.test: who an app is, where it connects, how it comes in and goes."""

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json
from services.slack_sim.web_api.call import Call, Method


def api_test(call: Call) -> Json:
    """api.test."""
    given = call.args.as_given()
    if "error" in call.args:
        raise Refusal(call.args.text("error"), args=given)
    return {"args": given} if given else {}


def auth_test(call: Call) -> Json:
    """auth.test."""
    if call.by is None and call.app is not None:
        return {"app_name": call.app.name, "app_id": call.app.id}
    team = call.slack.world.workspaces[call.team_id]
    shape: Json = {"url": f"https://{team.domain}.slack.com/", "team": team.name, "user": call.bot.name}
    shape |= {"team_id": team.id, "user_id": call.bot.id, "bot_id": call.bot.bot_id, "is_enterprise_install": False}
    if team.enterprise_id is not None:
        shape["enterprise_id"] = team.enterprise_id
    if call.installation.expires_at is not None:
        shape["expires_in"] = max(0, int(call.installation.expires_at - call.slack.moments.now()))
    return shape


def auth_revoke(call: Call) -> Json:
    """auth.revoke."""
    if call.args.flag("test"):
        return {"revoked": False}
    call.slack.installing.revoke(call.installation)
    return {"revoked": True}


def open_connection(call: Call) -> Json:
    """apps.connections.open."""
    if call.app is None or call.by is not None:
        raise Refusal("not_allowed_token_type")
    if not call.app.socket_mode:
        raise Refusal("socket_mode_not_enabled")
    host = call.host.replace("http", "ws", 1)
    return {"url": f"{host}/link/?ticket={call.slack.sockets.ticket(call.app)}&app_id={call.app.id}"}


def uninstall(call: Call) -> Json:
    """apps.uninstall."""
    app = call.slack.installing.client(call.args.text("client_id"), call.args.text("client_secret"))
    if app.id != call.installation.app_id:
        raise Refusal("client_id_token_mismatch")
    call.slack.installing.uninstall(call.installation)
    return {}


def event_authorizations(call: Call) -> Json:
    """apps.event.authorizations.list: the installations that could see an event, by its context."""
    if call.app is None or call.by is not None:
        raise Refusal("not_allowed_token_type")
    version, _, rest = call.args.needed("event_context").partition("-")
    channel = call.slack.world.channel(rest.partition("/")[2])
    if version != "4" or not rest:
        raise Refusal("invalid_event_context")
    installations = (
        call.slack.world.installed(channel)
        if channel is not None
        else (each for each in call.slack.world.installations.values() if each.ended is None)
    )
    found = [
        {
            "enterprise_id": call.slack.world.workspaces[each.team_id].enterprise_id,
            "team_id": each.team_id,
            "user_id": each.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        for each in installations
        if each.app_id == call.app.id and (channel is None or each.bot_user_id in channel.members)
    ]
    return {"authorizations": found, "response_metadata": {"next_cursor": ""}}


def oauth_access(call: Call) -> Json:
    """oauth.v2.access: a code for a token, or a refresh token for a new one."""
    client_id, secret = call.basic or (call.args.text("client_id"), call.args.text("client_secret"))
    app = call.slack.installing.client(client_id, secret)
    kind = call.args.text("grant_type", "authorization_code")
    if kind == "refresh_token":
        installation = call.slack.installing.refresh(app, call.args.text("refresh_token"))
    elif kind == "authorization_code":
        redirect = call.args.text("redirect_uri") or None
        installation = call.slack.installing.exchange(app, call.args.text("code"), redirect)
    else:
        raise Refusal("invalid_grant_type")
    return call.slack.installing.granted(installation)


METHODS = (
    Method("api.test", api_test, tier=4, token="none"),  # noqa: S106 - it names a kind of token
    Method("auth.test", auth_test, token="any"),  # noqa: S106 - likewise
    Method("auth.revoke", auth_revoke, tier=3),
    Method("apps.connections.open", open_connection, tier=3, token="app"),  # noqa: S106 - likewise
    Method("apps.uninstall", uninstall, tier=3),
    Method("apps.event.authorizations.list", event_authorizations, tier=4, token="app"),  # noqa: S106 - likewise
    Method("oauth.v2.access", oauth_access, token="none"),  # noqa: S106 - likewise
)
