"""Which tenant this task works for. Everything that the database gives is bound to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.kit.fault import Fault
from services.kit.logs import bound

_tenant: ContextVar[str | None] = ContextVar("_tenant", default=None)


class NoTenantBound(Fault):
    """The database was asked on nobody's behalf, and so found nothing."""


@contextmanager
def acting_for(tenant_id: str) -> Iterator[None]:
    """Within it, this task and those that it starts see this tenant's rows, and nobody else's."""
    token = _tenant.set(tenant_id)
    try:
        with bound(tenant_id=tenant_id):
            yield
    finally:
        _tenant.reset(token)


def bound_tenant() -> str | None:
    """The tenant that this task works for, or none."""
    return _tenant.get()


def needed_tenant() -> str:
    """The same, where nothing can be done without one."""
    tenant_id = _tenant.get()
    if tenant_id is None:
        raise NoTenantBound(
            "no tenant is bound, so nothing is found; this is a mistake in the code that asks: acting_for()"
        )
    return tenant_id
