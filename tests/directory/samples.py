"""Directories that many tests begin with."""

from services.directory.apply import Applied, How, apply
from services.directory.check import check
from services.directory.document import Document
from services.directory.owner import OwnerDatabase

ACME = """\
  - id: acme
    name: Acme
    connections:
      - {workspace: T0ACME, name: Acme HQ}
      - {workspace: T0LAB, organization: E0ACME}
    partners:
      - {workspace: T0PARTNER, may_ask: false}
    installations:
      - {app: A0LINE, workspace: T0ACME, secrets: "env:acme"}
    agents:
      - id: mara
        name: Mara
        role: Customer Support
        persona: Professional and empathetic
        model: rehearsal
        default: true
        tools: [refund, look_up]
      - {id: otto, name: Otto, channels: [C2, C1], enabled: true}
    rules:
      - {name: greet, when: join, prompt: "Say hello to {sender}.", agent: otto}
      - {name: help, pattern: "(?i)\\\\bhelp\\\\b", priority: 5, cooldown_s: 60}
    limits:
      - {scope: connection, per_minute: 30, burst: 30}
    quotas:
      - {what: cost_usd_per_month, amount: 12.5}
    people:
      - {user: U0BOSS, may: [stop, approve]}
    tools:
      - name: refund
        description: Pays an order back.
        url: https://tools.acme.example/refund
        arguments: {type: object, required: [order], properties: {order: {type: string}}}
      - {name: look_up, description: Finds an order., url: "http://127.0.0.1:9/look-up", approval: never}
"""
GLOBEX = """\
  - id: globex
    name: Globex
    connections: [{workspace: T0GLOBEX}]
    agents: [{id: mara, name: Mara of Globex}]
"""


def directory_yaml(*tenants: str) -> str:
    return "version: 1\ntenants:\n" + "".join(tenants) if tenants else "version: 1\n"


def document(*tenants: str) -> Document:
    checked = check(directory_yaml(*tenants))
    assert checked.document is not None, checked.problems
    return checked.document


async def applied(owner: OwnerDatabase, *tenants: str, prune: bool = True) -> Applied:
    return await apply(owner, document(*tenants), How("a test", prune=prune))


def tenant(name: str, workspace: str, more: str = "") -> str:
    """A small one."""
    usual = f"id: {name}, name: {name}, connections: [{{workspace: {workspace}}}], agents: [{{id: a, name: A}}]"
    return f"  - {{{usual}{more and ', '}{more}}}\n"
