"""An ingress in a process of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.beds.service import OwnService, own_service


class OwnIngress(OwnService):
    """The process, and what it shows of itself."""

    def http_address(self) -> str:
        """Where Slack and programs may call it."""
        line = next(line for line in self.child.said().splitlines() if "takes calls at" in line)
        return line.partition("takes calls at ")[2].partition(": ")[0]


@asynccontextmanager
async def own_ingress(folder: Path, environment: Mapping[str, str], *, ready: bool = True) -> AsyncIterator[OwnIngress]:
    """Runs it in a folder, where its spool is, until it is connected; or only until it can be asked."""
    given = {"THREADLINE_SPOOL_FOLDER": str(folder / "spool")}
    async with own_service(OwnIngress, "ingress", folder, {**given, **environment}, ready=ready) as found:
        yield found
