"""`threadline up`: the whole product on this machine."""

import asyncio

import typer

from services.kit.groups import SlackSettings
from services.kit.settings import load
from services.local import control
from services.local.home import Home, LocalSettings
from services.local.product import Product
from services.local.program import Program
from services.local.supervisor import Say
from threadline.local import download_bar, say

application = typer.Typer(add_completion=False)


@application.command()
def up() -> None:
    """Start everything on this machine, with a Slack of its own or, by SLACK_BOT_TOKEN and SLACK_APP_TOKEN, yours."""
    settings, slack = load(LocalSettings), load(SlackSettings)
    Home.of(settings).make()
    with download_bar() as progress:
        classpath = control.fetch_programs(settings, [], progress)
    asyncio.run(control.run(settings, [], say, classpath, lambda *given: _product(slack, *given)))


def _product(slack: SlackSettings, home: Home, tell: Say, stack: list[Program]) -> list[Program]:
    return Product(home, tell, slack).programs(stack)
