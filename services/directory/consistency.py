"""What is wrong with several values of a `directory.yaml` together.

It is looked for in the plain values, so that it is found even where a field is wrong by itself.
"""

from collections.abc import Iterator
from typing import Any

from services.directory.tree import Path, Problem, Tree

UNIQUE = {
    "connections": ("workspace",),
    "partners": ("workspace",),
    "installations": ("app", "workspace"),
    "agents": ("id",),
    "rules": ("name",),
    "limits": ("scope",),
    "quotas": ("what",),
    "people": ("user",),
    "tools": ("name",),
}
"""What makes an entry of each list the only one."""


def wrong_together(tree: Tree) -> Iterator[Problem]:
    """Names that stand twice, workspaces claimed twice, agents that are not there, and the like."""
    tenants = list(_entries(tree, ("tenants",)))
    yield from _repeated(tree, tenants, ("id",))
    for path, tenant in tenants:
        for name, keys in UNIQUE.items():
            yield from _repeated(tree, list(_entries(tree, (*path, name))), keys)
        for look in (_wrong_agents, _wrong_rules, _wrong_installations, _wrong_partners):
            yield from look(tree, path, tenant)
    connections = [each for path, _ in tenants for each in _entries(tree, (*path, "connections"))]
    yield from _claimed_twice(tree, connections)
    yield from _shared_secrets(tree, [each for path, _ in tenants for each in _entries(tree, (*path, "installations"))])


Entry = tuple[Path, dict[str, Any]]


def _entries(tree: Tree, path: Path) -> Iterator[Entry]:
    entries = tree.at(path)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield (*path, index), entry


def _words(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _texts(tree: Tree, path: Path, name: str) -> set[str]:
    """What the entries of a list are called by."""
    return {value for _, entry in _entries(tree, path) if isinstance(value := entry.get(name), str)}


def _key(entry: dict[str, Any], keys: tuple[str, ...]) -> tuple[str, ...] | None:
    values = tuple(value for key in keys if isinstance(value := entry.get(key), str))
    return values if len(values) == len(keys) else None


def _repeated(tree: Tree, entries: list[Entry], keys: tuple[str, ...]) -> Iterator[Problem]:
    first: dict[tuple[str, ...], Path] = {}
    for path, entry in entries:
        key = _key(entry, keys)
        if key is None:
            continue
        if key in first:
            yield tree.problem((*path, keys[0]), f"it is here twice; first on line {tree.lines[first[key]]}")
        else:
            first[key] = path


def _claimed_twice(tree: Tree, connections: list[Entry]) -> Iterator[Problem]:
    owners: dict[str, Path] = {}
    for path, entry in connections:
        workspace = entry.get("workspace")
        if not isinstance(workspace, str):
            continue
        owner = owners.setdefault(workspace, path[:2])
        if owner != path[:2]:
            yield tree.problem(
                (*path, "workspace"), f"a workspace belongs to one tenant, and {tree.named(owner)} has this one already"
            )


def _shared_secrets(tree: Tree, installations: list[Entry]) -> Iterator[Problem]:
    users: dict[str, Path] = {}
    for path, entry in installations:
        place = entry.get("secrets", "env")
        if not isinstance(place, str):
            continue
        user = users.setdefault(place, path)
        if user != path:
            yield tree.problem(
                (*path, "secrets"),
                f"{tree.named(user)} has its secrets in the same place; a bot token is good for one workspace. Give "
                "each a holder, such as env:acme",
            )


def _wrong_agents(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    bound: dict[str, str] = {}
    defaults = []
    tools = _texts(tree, (*path, "tools"), "name")
    for here, agent in _entries(tree, (*path, "agents")):
        if agent.get("default") is True:
            defaults.append(here)
        for channel in _words(agent.get("channels")):
            other = bound.setdefault(channel, tree.named(here))
            if other != tree.named(here):
                yield tree.problem((*here, "channels"), f"{other} is bound to {channel} already")
        for tool in sorted(set(_words(agent.get("tools"))) - tools):
            yield tree.problem((*here, "tools"), f"there is no tool {tool}")
        if len(set(_words(agent.get("channels")))) < len(_words(agent.get("channels"))):
            yield tree.problem((*here, "channels"), "a channel is here twice")
    for here in defaults[1:]:
        yield tree.problem((*here, "default"), f"{tree.named(defaults[0])} is the default agent already")


def _wrong_rules(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    agents = _texts(tree, (*path, "agents"), "id")
    for here, rule in _entries(tree, (*path, "rules")):
        when = rule.get("when", "message")
        if isinstance(rule.get("agent"), str) and rule["agent"] not in agents:
            yield tree.problem((*here, "agent"), "there is no such agent")
        if rule.get("emoji") and when != "emoji_reaction":
            yield tree.problem((*here, "emoji"), "only a rule for emoji_reaction looks at emoji")
        if rule.get("pattern") and when == "join":
            yield tree.problem((*here, "pattern"), "who joins says nothing that could match")
        if when == "join" and not rule.get("prompt"):
            yield tree.problem(here, "who joins says nothing: a rule for join needs a prompt")


def _wrong_installations(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    own = _texts(tree, (*path, "connections"), "workspace")
    for here, installation in _entries(tree, (*path, "installations")):
        workspace = installation.get("workspace")
        if isinstance(workspace, str) and workspace not in own:
            yield tree.problem((*here, "workspace"), "it is none of the tenant's connections")


def _wrong_partners(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    own = _texts(tree, (*path, "connections"), "workspace")
    for here, partner in _entries(tree, (*path, "partners")):
        if isinstance(partner.get("workspace"), str) and partner["workspace"] in own:
            yield tree.problem((*here, "workspace"), "it is the tenant's own; a partner is another organisation")


def hints(tree: Tree) -> Iterator[Problem]:
    """What is allowed and hardly meant."""
    for path, tenant in _entries(tree, ("tenants",)):
        agents = [agent for _, agent in _entries(tree, (*path, "agents")) if agent.get("enabled", True)]
        if not agents:
            yield tree.problem(path, "it has no agent, so nobody answers")
        elif len(agents) > 1 and not any(agent.get("default") for agent in agents):
            yield tree.problem((*path, "agents"), "none is the default, so nobody answers direct messages")
        if not tenant.get("connections"):
            yield tree.problem(path, "it has no connection, so nothing reaches it")
