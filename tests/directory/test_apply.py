"""directory.yaml applied: all of it or nothing, one at a time, and shown beforehand."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from services.directory import history
from services.directory.apply import How, NotApplied, apply
from services.directory.check import check
from services.directory.document import Document
from services.directory.model import InstallationRow
from services.directory.owner import OwnerDatabase
from services.directory.yaml_text import as_yaml
from tests.directory.samples import ACME, GLOBEX, applied, document, tenant


async def held(owner: OwnerDatabase) -> Document:
    """What the directory holds, as a file would say it."""
    async with owner.begin() as connection:
        found = await history.whole(connection)
    checked = check(as_yaml(each.facts.described() for each in found.values() if each.facts))
    assert checked.document is not None, checked.problems
    return checked.document


def by_id(document: Document) -> dict[str, object]:
    return {each.id: each for each in document.tenants}


async def test_what_is_applied_is_what_stands_there(owner: OwnerDatabase) -> None:
    done = await applied(owner, ACME, GLOBEX)
    lines = [str(each) for each in done.differences]
    assert "+ tenants.acme" in lines
    assert "+ tenants.acme.agents.mara" in lines
    assert by_id(await held(owner)) == by_id(document(ACME, GLOBEX))


async def test_the_same_again_changes_nothing_and_makes_no_revision(owner: OwnerDatabase) -> None:
    first = await applied(owner, ACME, GLOBEX)
    again = await applied(owner, ACME, GLOBEX)
    assert (again.differences, again.revision) == ([], first.revision)


async def test_a_dry_run_shows_the_same_difference_and_changes_nothing(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    wanted = document(ACME.replace("Customer Support", "Sales"), GLOBEX)
    shown = await apply(owner, wanted, How("a test", dry_run=True))
    assert by_id(await held(owner)) == by_id(document(ACME))
    done = await apply(owner, wanted, How("a test"))
    assert shown.differences == done.differences
    assert "~ tenants.acme.agents.mara.role: 'Customer Support' -> 'Sales'" in [str(each) for each in done.differences]


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("cooldown_s: 60", "cooldown_s: 90", "~ tenants.acme.rules.help.cooldown_s: '60' -> '90'"),
        ("channels: [C2, C1]", "channels: [C3, C1]", "~ tenants.acme.agents.otto.channels: 'C1, C2' -> 'C1, C3'"),
        ("may: [stop, approve]", "may: [stop]", "~ tenants.acme.people.U0BOSS.may: 'approve, stop' -> 'stop'"),
        (
            "T0LAB, org",
            "T0LAB, agents_channel: C9, org",
            "~ tenants.acme.connections.T0LAB.agents_channel: none -> 'C9'",
        ),
        ("      - {workspace: T0LAB, organization: E0ACME}\n", "", "- tenants.acme.connections.T0LAB"),
        ("amount: 12.5", "amount: 12", "~ tenants.acme.quotas.cost_usd_per_month.amount: '12.5' -> '12.0'"),
        (
            'secrets: "env:acme"',
            "secrets: files",
            "~ tenants.acme.installations.A0LINE/T0ACME.secrets: 'env:acme' -> 'files'",
        ),
    ],
)
async def test_a_change_is_shown_by_its_field_and_made(
    owner: OwnerDatabase, before: str, after: str, difference: str
) -> None:
    await applied(owner, ACME)
    assert ACME.count(before) == 1
    done = await applied(owner, ACME.replace(before, after))
    assert [str(each) for each in done.differences] == [difference]
    assert by_id(await held(owner)) == by_id(document(ACME.replace(before, after)))


async def test_an_agent_that_changes_keeps_its_channels_and_rules(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    changed = ACME.replace("name: Otto", "name: Ottilie")
    await applied(owner, changed)
    assert by_id(await held(owner)) == by_id(document(changed))


async def test_thousands_of_rows_can_go_at_once(owner: OwnerDatabase) -> None:
    people = ", ".join(f"{{user: U{number}, may: [stop]}}" for number in range(9000))
    await applied(owner, tenant("big", "T1", f"people: [{people}]"))
    done = await applied(owner, tenant("big", "T1"))
    assert len(done.differences) == 9000


async def test_the_default_agent_can_change(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    changed = ACME.replace("        default: true\n", "").replace("enabled: true", "default: true")
    await applied(owner, changed)
    assert by_id(await held(owner)) == by_id(document(changed))


async def test_a_workspace_can_change_its_tenant_in_one_apply(owner: OwnerDatabase) -> None:
    await applied(owner, tenant("a", "T1"), tenant("b", "T2"))
    await applied(owner, tenant("a", "T2"), tenant("b", "T1"))
    async with owner.begin() as connection:
        owners = await connection.execute(text("select workspace, tenant_id from threadline.channel_connections"))
        assert {row.workspace: row.tenant_id for row in owners} == {"T1": "b", "T2": "a"}


async def test_a_tenant_that_is_not_in_the_file_stays_unless_it_is_pruned(owner: OwnerDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    left = await applied(owner, ACME, prune=False)
    assert (left.differences, left.left_alone) == ([], ["globex"])
    pruned = await applied(owner, ACME)
    assert [str(each) for each in pruned.differences] == ["- tenants.globex"]
    assert set(by_id(await held(owner))) == {"acme"}


async def test_a_workspace_of_a_tenant_that_stays_is_not_taken(owner: OwnerDatabase) -> None:
    await applied(owner, GLOBEX)
    with pytest.raises(NotApplied, match="it belongs to globex"):
        await applied(owner, tenant("thief", "T0GLOBEX"), prune=False)
    assert set(by_id(await held(owner))) == {"globex"}


async def test_a_place_of_secrets_of_a_tenant_that_stays_is_not_used_again(owner: OwnerDatabase) -> None:
    await applied(owner, tenant("a", "T1", "installations: [{app: A1, workspace: T1}]"))
    with pytest.raises(NotApplied, match="has its secrets in the same place"):
        await applied(owner, tenant("b", "T2", "installations: [{app: A1, workspace: T2}]"), prune=False)
    assert set(by_id(await held(owner))) == {"a"}


async def test_what_the_database_refuses_is_refused_whole(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    async with owner.begin() as connection:
        await connection.execute(text("alter table threadline.quotas add constraint none_big check (amount < 100)"))
    with pytest.raises(DBAPIError):
        await applied(owner, ACME.replace("12.5", "500").replace("Customer Support", "Sales"), GLOBEX)
    assert by_id(await held(owner)) == by_id(document(ACME))


async def test_only_if_nothing_changed_meanwhile(owner: OwnerDatabase) -> None:
    first = await applied(owner, ACME)
    await applied(owner, ACME, GLOBEX)
    with pytest.raises(NotApplied, match="no longer at 1"):
        await apply(owner, document(ACME), How("a test", prune=True, only_after=first.revision))
    assert set(by_id(await held(owner))) == {"acme", "globex"}


async def test_two_applies_at_once_one_wins_and_none_mixes(owner: OwnerDatabase) -> None:
    chance = random.Random(7)
    for round_number in range(10):
        files = [
            document(*(tenant(f"t{n}", f"T{round_number}{side}{n}") for n in range(chance.randint(1, 5))))
            for side in ("L", "R")
        ]
        await asyncio.gather(*(apply(owner, each, How("a test", prune=True)) for each in files))
        assert by_id(await held(owner)) in [by_id(each) for each in files]


async def test_an_apply_that_waits_too_long_for_another_is_told(
    owner: OwnerDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.directory.apply.WAIT_MS", 100)
    async with owner.begin() as other:
        await other.execute(text("select pg_advisory_xact_lock(hashtext('threadline directory'))"))
        with pytest.raises(NotApplied, match="nothing was changed"):
            await applied(owner, ACME)
    await applied(owner, ACME)


async def test_an_installation_through_oauth_is_not_taken_away_by_a_file(owner: OwnerDatabase) -> None:
    await applied(owner, GLOBEX)
    row = {
        "tenant_id": "globex",
        "app": "A1",
        "workspace": "T0GLOBEX",
        "origin": "oauth",
        "scopes": [],
        "sealed_bot_token": b"sealed",
    }
    async with owner.begin() as connection:
        await connection.execute(insert(InstallationRow), [row])
    with pytest.raises(NotApplied, match="through OAuth"):
        await applied(owner, GLOBEX + "    installations: [{app: A1, workspace: T0GLOBEX}]\n")
    assert (await applied(owner, GLOBEX)).differences == []


async def test_an_installation_that_was_closed_opens_again_when_it_is_applied(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    closed = text("update threadline.installations set closed_at = :at")
    async with owner.begin() as connection:
        await connection.execute(closed, {"at": datetime(2026, 3, 2, tzinfo=UTC)})
    done = await applied(owner, ACME)
    assert [str(each) for each in done.differences] == ["+ tenants.acme.installations.A0LINE/T0ACME"]
    async with owner.begin() as connection:
        assert await connection.scalar(text("select closed_at from threadline.installations")) is None


slugs = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
channels = st.from_regex(r"C[0-9A-Z]{2,6}", fullmatch=True)
prose = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=40)
titles = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    found = []
    workspaces = iter(draw(st.lists(st.from_regex(r"T[0-9A-Z]{3,8}", fullmatch=True), unique=True, max_size=6)))
    for tenant_id in draw(st.lists(slugs, unique=True, max_size=3)):
        free = iter(draw(st.lists(channels, unique=True, max_size=4)))
        agents = [
            {"id": each, "name": draw(titles), "persona": draw(prose), "channels": [c for c in [next(free, None)] if c]}
            for each in draw(st.lists(slugs, unique=True, max_size=3))
        ]
        rules = [
            {
                "name": each,
                "prompt": draw(prose).replace("{", "").replace("}", ""),
                "priority": draw(st.integers(-9, 9)),
            }
            for each in draw(st.lists(slugs, unique=True, max_size=3))
        ]
        own = [{"workspace": each, "name": draw(titles)} for each in [next(workspaces, None)] if each]
        found.append(
            {
                "id": tenant_id,
                "name": draw(titles),
                "enabled": draw(st.booleans()),
                "connections": own,
                "agents": agents,
                "rules": rules,
            }
        )
    return Document.model_validate({"version": 1, "tenants": found}, strict=False)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(wanted=documents())
async def test_whatever_is_applied_can_be_exported_and_applied_again(owner: OwnerDatabase, wanted: Document) -> None:
    await apply(owner, wanted, How("a test", prune=True))
    exported = await held(owner)
    assert by_id(exported) == by_id(wanted)
    assert (await apply(owner, exported, How("a test", prune=True))).differences == []
