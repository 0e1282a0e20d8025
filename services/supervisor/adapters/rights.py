"""What people may, and what agents may cost, as the directory says it now."""

from services.directory.holding import Known
from services.supervisor.decisions.budgets import Budgets
from services.supervisor.decisions.deciding import Rights


def rights_of(tenant: Known) -> Rights:
    """Of one tenant."""
    facts = tenant.facts
    return Rights(
        approvers=frozenset(each.user for each in facts.people if "approve" in each.may),
        stoppers=frozenset(each.user for each in facts.people if "stop" in each.may),
        anyone_may_approve=facts.anyone_may_approve,
        anyone_may_stop=facts.anyone_may_stop,
        self_approval=facts.self_approval,
        revision=tenant.revision,
    )


def budgets_of(tenant: Known) -> Budgets:
    """Of one tenant."""
    amounts = {each.what: each.amount for each in tenant.facts.quotas}
    return Budgets(amounts.get("agent_cost_usd_per_day"), amounts.get("agents_cost_usd_per_day"))
