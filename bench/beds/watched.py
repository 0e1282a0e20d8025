"""Workspaces in which supervised agents are watched: a local Slack, what programs sign in with, and who may approve."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.beds.reporting import Agent
from bench.beds.router import describe, router_environment
from bench.beds.slack import OwnSlack, own_slack
from bench.beds.supervisor import token_for
from bench.beds.workspaces import Workspace, Workspaces, make_workspaces
from services.directory.document import Document, Person, Tenant
from services.kit.groups import DatabaseSettings, KafkaSettings


@dataclass(frozen=True)
class Watched:
    """All of it."""

    slack: OwnSlack
    workspaces: Workspaces
    tokens: dict[str, str]
    """By tenant."""
    environment: dict[str, str]
    """What each service is told."""

    def agents(self, count: int) -> list[Agent]:
        """So many tasks, in all workspaces and their channels alike."""
        return [self.agent(number) for number in range(count)]

    def agent(self, number: int) -> Agent:
        """One of them."""
        workspace = self.workspace_of(number)
        turn = number // len(self.workspaces.every)
        channel = workspace.channels[turn % len(workspace.channels)]
        return Agent(f"load-{number}", self.tokens[workspace.tenant_id], channel)

    def workspace_of(self, number: int) -> Workspace:
        """Where a task's people are."""
        return self.workspaces.every[number % len(self.workspaces.every)]


@asynccontextmanager
async def watched(kafka: KafkaSettings, database: DatabaseSettings, folder: Path, count: int) -> AsyncIterator[Watched]:
    """So many workspaces, each a tenant's. The first person of each may approve."""
    async with own_slack(folder, "watched") as slack:
        workspaces = await make_workspaces(slack.sim, count)
        await describe(database, _document(workspaces))
        app = (await slack.sim.world()).apps[0]
        environment = router_environment(
            kafka, database, SLACK_API_URL=slack.sim.api_url, SLACK_APP_TOKEN=app.app_token, **workspaces.tokens()
        )
        tenants = [each.tenant_id for each in workspaces.every]
        tokens = {tenant_id: await token_for(database, tenant_id) for tenant_id in tenants}
        yield Watched(slack, workspaces, tokens, environment)


def _document(workspaces: Workspaces) -> Document:
    pairs = zip(workspaces.document().tenants, workspaces.every, strict=True)
    return Document(version=1, tenants=tuple(_tenant(tenant, workspace) for tenant, workspace in pairs))


def _tenant(tenant: Tenant, workspace: Workspace) -> Tenant:
    people = (Person(user=workspace.people[0], may=("approve",)),)
    return tenant.model_copy(update={"people": people, "agents_channel": workspace.channels[0]})
