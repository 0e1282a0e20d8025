"""Which agents a tenant has: those that ever had a task, and those whose workers wait for one here."""

from services.supervisor.adapters.news import News
from services.supervisor.adapters.partitions import agent_offered
from services.supervisor.adapters.queries import Queries


class Agents:
    """By their names."""

    def __init__(self, queries: Queries, news: News) -> None:
        self._queries, self._news = queries, news

    async def of(self, tenant_id: str) -> list[str]:
        """All that are known now."""
        waiting = [agent_offered(each) for each in self._news.waited_for(tenant_id)]
        return sorted({*await self._queries.agents(tenant_id), *(each for each in waiting if each is not None)})
