"""Whose workspace the tokens are of."""

import pytest
from pydantic import SecretStr

from services.kit.groups import SlackSettings
from services.local.home import LocalFault
from services.local.sample import workspace_of


async def test_an_app_token_that_names_no_app_is_told_before_slack_is_asked() -> None:
    nobody = SlackSettings(
        slack_api_url="http://127.0.0.1:9/", slack_bot_token=SecretStr("xoxb-1"), slack_app_token=SecretStr("xapp-odd")
    )
    with pytest.raises(LocalFault, match="set SLACK_APP_ID"):
        await workspace_of(nobody)
    with pytest.raises(LocalFault, match="does not answer as it should"):
        await workspace_of(nobody.model_copy(update={"slack_app_id": "A1"}))
