"""Finds the Slack that `threadline up` runs on this machine, so that commands beside it need no tokens."""

import aiohttp

from services.kit.fault import Fault
from services.kit.groups import SlackSettings
from services.kit.settings import load
from services.local import state
from services.local.home import Home, LocalSettings
from services.local.names import SLACK_SIM


async def slack_settings() -> SlackSettings:
    """The Slack that the settings name; where they name nothing of it, the local one, if it runs."""
    named = load(SlackSettings)
    found = state.running(Home.of(load(LocalSettings)))
    if named.model_fields_set or found is None or SLACK_SIM not in found.programs:
        return named
    # Imported where it is wanted: most who ask have a Slack of their own.
    from services.local.own_slack import handed_out  # noqa: PLC0415

    address = found.address_of(SLACK_SIM).removeprefix("chat at ").rstrip("/")
    try:
        return (await handed_out(address)).settings(named)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Fault(
            f"the local Slack at {address} does not answer ({type(error).__name__}); `threadline up` restarts it"
        ) from None
