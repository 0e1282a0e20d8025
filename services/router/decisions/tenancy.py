"""The second gate: whose workspace it is, and whether the tenant, its installation and the sender are served."""

from typing import Literal, TypeAlias

from schemas.decision import Ignored, UnknownWorkspace
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Tenant
from services.router.decisions.inbound import Asked, Origin, Revoked
from services.router.decisions.outcome import Outcome

Standing: TypeAlias = Literal["may", "may_not", "nobody_knows"]


def owner(event: Event, facts: Facts) -> Tenant | None:
    """The tenant. A program's tenant must still own the connection that it asked for."""
    tenant = facts.tenant
    match event.inbound:
        case Asked(run=asked) | Revoked(cancel=asked) if tenant is not None and asked.tenant_id != tenant.id:
            return None
        case _:
            return tenant


def unknown() -> Outcome:
    """Silence in Slack, a warning for operators."""
    return Outcome(UnknownWorkspace())


def gate(event: Event, tenant: Tenant) -> Outcome | None:
    """Whether anything of this connection is served."""
    if event.connection in tenant.closed:
        return Outcome(Ignored(reason="connection_closed"))
    if not tenant.enabled:
        return Outcome(Ignored(reason="tenant_disabled"))
    return None


def strangers(event: Event, tenant: Tenant) -> Outcome | None:
    """Whether the person may ask: people of other organisations only where the tenant lets them."""
    return None if standing(event.inbound.origin, tenant) == "may" else Outcome(Ignored(reason="stranger"))


def standing(origin: Origin, tenant: Tenant) -> Standing:
    """Whether a person is answered. Of some events in shared channels Slack does not say whose person it is."""
    team = origin.sender_team
    if not origin.shared or team == origin.team_id or team in tenant.homes:
        return "may"
    if team is None:
        return "may" if tenant.strangers_may_ask else "nobody_knows"
    return "may" if tenant.partners.get(team, tenant.strangers_may_ask) else "may_not"
