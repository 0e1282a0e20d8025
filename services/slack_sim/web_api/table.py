"""Every method that there is, by its name."""

from services.slack_sim.web_api.call import Method
from services.slack_sim.web_api.methods import (
    apps,
    chat,
    conversations,
    files,
    openid,
    people,
    sessions,
    streams,
    views,
)

METHODS: dict[str, Method] = {
    method.name: method
    for family in (apps, chat, streams, conversations, people, views, sessions, files, openid)
    for method in family.METHODS
}
