"""What a service asks the directory: from memory, from Postgres, and while Postgres is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.directory.document import TenantFacts
from services.directory.faults import DatabaseAway, WrongRole
from services.directory.holding import Holding, Known, TenantRecord, Unknown
from services.directory.lookup import Directory, Surroundings, directory
from services.directory.metrics import CATALOGUE
from services.directory.owner import OwnerDatabase
from services.directory.reads import Reads
from services.directory.service import ServiceDatabase
from services.directory.settings import DirectorySettings
from services.directory.sign_in import sign_in
from services.directory.snapshot import Snapshot
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.metrics import metrics_of
from tests.databases import connected
from tests.directory.conftest import Opened
from tests.directory.samples import ACME, GLOBEX, applied, document, tenant
from tests.hands import START


async def until(holds: Callable[[], bool | Awaitable[bool]], within: float = 10) -> None:
    async with asyncio.timeout(within):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.005)


async def heard(live: Directory) -> None:
    await until(lambda: live.trouble() is None)


def name_of(found: Known | Unknown | None) -> str | None:
    return found.facts.name if isinstance(found, Known) else None


def _is_called(live: Directory, name: str) -> bool:
    return name_of(live.known("T0ACME")) == name


async def test_a_workspace_is_known_with_everything_of_its_tenants(owner: OwnerDatabase, live: Directory) -> None:
    done = await applied(owner, ACME, GLOBEX)
    assert live.known("T0ACME") is None
    found = await live.owner("T0ACME")
    assert isinstance(found, Known)
    assert found.revision == 1 < done.revision
    assert found.facts.id == "acme"
    assert {each.id for each in found.facts.agents} == {"mara", "otto"}
    assert live.known("T0ACME") is found
    assert live.known("T0LAB") is found, "the tenant's other workspaces are known with it"
    assert await live.tenant("acme") is found


async def test_a_workspace_that_nobody_owns_is_unknown_as_of_a_revision(owner: OwnerDatabase, live: Directory) -> None:
    done = await applied(owner, ACME)
    assert await live.owner("T0NOBODY") == Unknown(done.revision)
    assert live.known("T0NOBODY") == Unknown(done.revision)
    assert await live.tenant("nobody") == Unknown(0)


async def test_a_change_is_seen_by_every_process(owner: OwnerDatabase, open_directory: Opened) -> None:
    await applied(owner, ACME)
    async with open_directory("one") as one, open_directory("two") as two:
        for each in (one, two):
            await heard(each)
            assert name_of(await each.owner("T0ACME")) == "Acme"
        await applied(owner, ACME.replace("name: Acme\n", "name: Other\n"))
        for each in (one, two):
            await until(partial(_is_called, each, "Other"), within=1)


async def test_a_workspace_that_gets_an_owner_is_seen_although_it_was_unknown(
    owner: OwnerDatabase, live: Directory
) -> None:
    await heard(live)
    assert isinstance(await live.owner("T0GLOBEX"), Unknown)
    await applied(owner, GLOBEX)
    await until(lambda: live.known("T0GLOBEX") is None, within=1)
    assert name_of(await live.owner("T0GLOBEX")) == "Globex"


async def test_a_tenant_that_goes_and_a_workspace_that_moves_are_seen(owner: OwnerDatabase, live: Directory) -> None:
    await heard(live)
    await applied(owner, tenant("a", "T1"), tenant("b", "T2"))
    assert (name_of(await live.owner("T1")), name_of(await live.owner("T2"))) == ("a", "b")
    await applied(owner, tenant("a", "T2"), tenant("b", "T1"))
    await until(lambda: (name_of(live.known("T1")), name_of(live.known("T2"))) == ("b", "a"), within=1)
    await applied(owner, tenant("b", "T1"))
    await until(lambda: live.known("T2") is None, within=1)
    assert isinstance(await live.owner("T2"), Unknown)


async def test_what_changes_while_it_is_read_is_read_again(owner: OwnerDatabase, live: Directory) -> None:
    """Many changes and many questions at once: in the end memory holds the last."""
    await heard(live)
    await applied(owner, tenant("a", "T1"))
    asking = True

    async def ask() -> None:
        while asking:
            await live.owner("T1")
            await asyncio.sleep(0)

    askers = [asyncio.create_task(ask()) for _ in range(4)]
    for number in range(40):
        async with owner.begin() as connection:
            await connection.execute(text("update threadline.tenants set name = :name"), {"name": f"name {number}"})
    await until(lambda: name_of(live.known("T1")) == "name 39", within=2)
    asking = False
    await asyncio.gather(*askers)


async def test_many_who_ask_the_same_are_one_question(
    owner: OwnerDatabase,
    service: ServiceDatabase,
    database: DatabaseSettings,
    database_superuser_url: str,
    tmp_path: Path,
) -> None:
    await applied(owner, ACME)
    settings = DirectorySettings()
    live = Directory(service, settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / "snapshot.json"))
    found = await asyncio.gather(*(live.owner("T0ACME") for _ in range(200)))
    assert len({id(each) for each in found}) == 1
    async with connected(database_superuser_url) as connection:
        backends = "select count(*) from pg_stat_activity where datname = $1 and application_name = 'threadline'"
        name = (database.database_url or SecretStr("")).get_secret_value().rpartition("/")[2]
        assert await connection.fetchval(backends, name) == 2, "one connection of the owner's, and one for the question"


async def test_one_who_gives_up_ends_nothing_for_the_others(owner: OwnerDatabase, live: Directory) -> None:
    await applied(owner, ACME)
    first, second = (asyncio.create_task(live.owner("T0ACME")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert name_of(await second) == "Acme"


async def test_a_listener_whose_connection_is_cut_misses_nothing(
    owner: OwnerDatabase, live: Directory, database_superuser_url: str
) -> None:
    await applied(owner, ACME)
    await heard(live)
    await live.owner("T0ACME")
    async with connected(database_superuser_url) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'threadline watch'"
        )
    await applied(owner, ACME.replace("name: Acme\n", "name: Other\n"))
    await until(lambda: name_of(live.known("T0ACME")) == "Other", within=3)


async def test_what_is_old_is_read_again_even_where_nothing_was_heard(
    owner: OwnerDatabase, open_directory: Opened
) -> None:
    await applied(owner, ACME)
    async with open_directory(directory_fresh_s=1) as live:
        await heard(live)
        first = await live.owner("T0ACME")
        await asyncio.sleep(1.1)
        assert live.known("T0ACME") is first
        await until(lambda: live.known("T0ACME") is not first, within=2)


async def test_the_last_snapshot_is_enough_to_start_with(
    owner: OwnerDatabase, open_directory: Opened, database: DatabaseSettings, tmp_path: Path
) -> None:
    await applied(owner, ACME, GLOBEX)
    async with open_directory("kept") as live:
        before = await live.owner("T0ACME")
    away = database.model_copy(update={"database_url": _elsewhere(database)})
    settings = DirectorySettings.model_validate(away.model_dump())
    async with directory(settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / "kept.json")) as live:
        assert live.known("T0ACME") == before
        assert "Postgres does not answer" in (live.trouble() or "") or "not answered" in (live.trouble() or "")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await live.owner("T0GLOBEX")
        assert live.known("T0GLOBEX") is None, "an outage is never taken for an unknown workspace"


def _elsewhere(database: DatabaseSettings) -> SecretStr:
    assert database.database_url is not None
    head, _, rest = database.database_url.get_secret_value().rpartition("@")
    return SecretStr(f"{head}@127.0.0.1:9/{rest.rpartition('/')[2]}")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"format": 2}', b'{"format":1,"tenants":[{}]}', b"[1]"])
async def test_a_snapshot_that_cannot_be_read_is_told_and_passed_over(
    owner: OwnerDatabase, open_directory: Opened, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await applied(owner, ACME)
    (tmp_path / "one.json").write_bytes(content)
    async with open_directory("one") as live:
        assert name_of(await live.owner("T0ACME")) == "Acme"
    assert "cannot be read" in caplog.text
    assert json.loads((tmp_path / "one.json").read_text())["format"] == 1


async def test_a_snapshot_is_for_this_user_alone(owner: OwnerDatabase, open_directory: Opened, tmp_path: Path) -> None:
    await applied(owner, ACME)
    async with open_directory("one") as live:
        await live.owner("T0ACME")
    assert (tmp_path / "one.json").stat().st_mode & 0o077 == 0


async def test_what_grows_old_under_load_is_still_refreshed(owner: OwnerDatabase, open_directory: Opened) -> None:
    """Every question finds it old: none of them may keep the answer from being taken in."""
    await applied(owner, ACME)
    async with open_directory(directory_fresh_s=1) as live:
        await heard(live)
        first = await live.owner("T0ACME")
        live._holding.doubt("acme")
        asking = True

        async def ask() -> None:
            while asking:
                for _ in range(50):
                    live.known("T0ACME")
                await asyncio.sleep(0)

        asker = asyncio.create_task(ask())
        await until(lambda: live.known("T0ACME") is not first, within=3)
        await applied(owner, ACME.replace("name: Acme\n", "name: Other\n"))
        await until(partial(_is_called, live, "Other"), within=3)
        asking = False
        await asker


async def test_where_nothing_can_be_heard_what_is_old_is_read_again_nevertheless(
    owner: OwnerDatabase, service: ServiceDatabase, tmp_path: Path
) -> None:
    await applied(owner, ACME)
    settings = DirectorySettings(directory_fresh_s=1)
    deaf = Directory(service, settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / "deaf.json"))
    await deaf.owner("T0ACME")
    await applied(owner, ACME.replace("name: Acme\n", "name: Other\n"))
    assert _is_called(deaf, "Acme")
    await until(partial(_is_called, deaf, "Other"), within=4)
    await applied(owner, ACME)
    await asyncio.sleep(1.1)

    async def renewed() -> bool:
        return name_of(await deaf.tenant("acme")) == "Acme"

    await until(renewed, within=4)
    await deaf.finish()


async def test_a_database_that_was_restored_is_believed(
    owner: OwnerDatabase, open_directory: Opened, tmp_path: Path
) -> None:
    """The snapshot is from a directory that had come further; since then T2 is another tenant's."""
    await applied(owner, tenant("acme", "T1"), tenant("globex", "T2"))
    claims = TenantRecord.model_validate(
        {**record("acme", 100_000, "T1", "T2").model_dump(), "document": record("acme", 1, "T1", "T2").document}
    )
    Snapshot(tmp_path / "one.json").save((claims,), START)
    async with open_directory("one") as live:
        assert name_of(live.known("T2")) == "acme"
        await until(lambda: name_of(live.known("T2")) != "acme", within=3)
        assert name_of(await live.owner("T2")) == "globex"
        found = await live.owner("T1")
        assert isinstance(found, Known)
        assert found.revision == 1


async def test_questions_that_nobody_waits_for_any_more_are_dropped(database: DatabaseSettings, tmp_path: Path) -> None:
    settings = DirectorySettings(database_url=_elsewhere(database))
    async with directory(settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / "x.json")) as live:
        callers = [asyncio.create_task(live.owner(f"T{number % 50}")) for number in range(200)]
        await asyncio.sleep(0.1)
        assert len(live._questions._questions) == 50
        for each in callers:
            each.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        assert live._questions._questions == {}
        with pytest.raises(DatabaseAway, match="cannot be told"):
            await sign_in(live, f"tl_acme_{'0' * 12}_{'a' * 64}", "runs", START)


@pytest.mark.parametrize("odd", ["T\0", "T\ud800", "", "T' or true --"])
async def test_an_id_that_no_database_could_hold_is_nobodys(owner: OwnerDatabase, live: Directory, odd: str) -> None:
    await applied(owner, ACME)
    assert isinstance(await live.owner(odd), Unknown)
    assert isinstance(await live.tenant(odd), Unknown)


async def test_a_change_in_the_moment_in_which_a_read_ends_is_not_lost() -> None:
    begun: list[str] = []
    gates = [asyncio.Event(), asyncio.Event()]

    async def read(tenant_id: str) -> int:
        begun.append(tenant_id)
        number = len(begun)
        if number <= len(gates):
            await gates[number - 1].wait()
        return number

    reads: Reads[int] = Reads(read, lambda *_: None)
    first = reads.begin("a")
    await asyncio.sleep(0)
    reads.changed("a")  # while it is read
    gates[0].set()
    await asyncio.sleep(0)
    first.add_done_callback(lambda _: reads.changed("a"))  # in the turn in which it ends
    gates[1].set()
    assert await first == 2
    await until(lambda: len(begun) == 3 and not len(reads))


async def test_a_read_that_fails_is_told_and_may_be_begun_again() -> None:
    told: list[str] = []

    async def read(tenant_id: str) -> int:
        raise LookupError(tenant_id)

    reads: Reads[int] = Reads(read, lambda tenant_id, error: told.append(f"{tenant_id} {type(error).__name__}"))
    for _ in range(2):
        with pytest.raises(LookupError):
            await reads.begin("a")
    assert told == ["a LookupError"] * 2
    assert "a" not in reads


async def test_a_service_does_not_start_as_the_owner(database: DatabaseSettings, tmp_path: Path) -> None:
    settings = DirectorySettings(database_url=database.database_owner_url)
    with pytest.raises(WrongRole):
        async with directory(settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / "x.json")):
            pass


def record(tenant_id: str, revision: int, *workspaces: str) -> TenantRecord:
    document = {"id": tenant_id, "name": tenant_id, "connections": [{"workspace": each} for each in workspaces]}
    return TenantRecord(tenant_id=tenant_id, revision=revision, document=document)  # type: ignore[arg-type]


def test_memory_is_bounded_and_lets_go_what_was_read_longest_ago() -> None:
    holding = Holding(10)
    for number in range(25):
        holding.keep(record(f"t{number}", number + 1, f"T{number}"), number)
        holding.keep_unowned(("slack", f"T9{number}"), Unknown(1), 100)
    assert len(holding) == 10
    assert holding.owner_of(("slack", "T14")) is None
    assert holding.owner_of(("slack", "T24")) is not None
    assert holding.unowned(("slack", "T90"), 0) is None
    assert holding.unowned(("slack", "T924"), 0) == Unknown(1)


def test_that_nobody_owns_a_workspace_is_forgotten_after_a_while() -> None:
    holding = Holding(10)
    holding.keep_unowned(("slack", "T1"), Unknown(3), until=5)
    assert holding.unowned(("slack", "T1"), 4.9) == Unknown(3)
    assert holding.unowned(("slack", "T1"), 5) is None


@pytest.mark.parametrize(
    ("channel", "agent"),
    [("C1", "otto"), ("C9", "mara"), (None, "mara")],
)
def test_who_answers_where(channel: str | None, agent: str) -> None:
    facts = TenantFacts.model_validate(document(ACME).tenants[0].model_dump(), strict=False)
    found = facts.agent_for(channel)
    assert found is not None
    assert found.id == agent


def test_a_single_agent_answers_without_being_the_default_and_nobody_answers_where_all_are_off() -> None:
    one = {"id": "a", "name": "A", "agents": [{"id": "x", "name": "X"}]}
    facts = TenantFacts.model_validate(one, strict=False)
    found = facts.agent_for("C1")
    assert found is not None
    assert found.id == "x"
    off = {"id": "a", "name": "A", "agents": [{"id": "x", "name": "X", "enabled": False}]}
    assert TenantFacts.model_validate(off, strict=False).agent_for("C1") is None


async def test_a_snapshot_that_cannot_be_saved_is_told_and_tried_again(
    owner: OwnerDatabase, open_directory: Opened, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await applied(owner, ACME)
    (tmp_path / "one.json").mkdir()
    async with open_directory("one") as live:
        await live.owner("T0ACME")
        await until(lambda: "could not be saved" in caplog.text, within=3)
        (tmp_path / "one.json").rmdir()
        await until((tmp_path / "one.json").is_file, within=3)


async def test_questions_are_counted_by_how_they_were_answered(
    owner: OwnerDatabase, database: DatabaseSettings, tmp_path: Path
) -> None:
    await applied(owner, ACME)
    measured = metrics_of("test", CATALOGUE)
    settings = DirectorySettings.model_validate(database.model_dump())
    async with directory(settings, Surroundings(SystemClock(), measured.emitter, tmp_path / "x.json")) as live:
        assert "threadline_directory_away 1.0" in measured.text().decode()
        await heard(live)
        for workspace in ("T0ACME", "T0ACME", "T0NOBODY", "T0NOBODY"):
            await live.owner(workspace)
        live.known("T0ACME")
    text = measured.text().decode()
    for line in (
        'threadline_directory_lookups_total{result="read"} 1.0',
        'threadline_directory_lookups_total{result="cached"} 2.0',
        'threadline_directory_lookups_total{result="unknown"} 2.0',
        "threadline_directory_away 0.0",
        "threadline_directory_tenants 1.0",
        "threadline_directory_waiting 0.0",
    ):
        assert line in text, text


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port that takes connections and never says a word."""
    silent = asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        silent.set()
        server.close()


async def test_a_postgres_that_never_says_a_word_is_away(
    owner: OwnerDatabase, open_directory: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.directory.connecting.CONNECT_WITHIN_S", 0.3)
    await applied(owner, ACME)
    async with open_directory("kept") as live:
        await live.owner("T0ACME")
    async with black_hole() as port:
        settings = DirectorySettings(database_url=SecretStr(f"postgresql://a:b@127.0.0.1:{port}/c"))
        surroundings = Surroundings(SystemClock(), NoEmitter(), tmp_path / "kept.json")
        async with directory(settings, surroundings) as live:
            assert name_of(live.known("T0ACME")) == "Acme"
            waiting = asyncio.create_task(live.owner("T0NEW"))
            await asyncio.sleep(1)
            assert not waiting.done()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def test_many_tenants_that_change_at_once_are_all_seen(owner: OwnerDatabase, open_directory: Opened) -> None:
    await applied(owner, *(tenant(f"t{number}", f"T{number}") for number in range(300)))
    async with open_directory(database_connections=4) as live:
        await heard(live)
        for number in range(300):
            await live.owner(f"T{number}")
        async with owner.begin() as connection:
            await connection.execute(text("update threadline.tenants set name = 'Changed'"))
        await until(lambda: all(name_of(live.known(f"T{number}")) == "Changed" for number in range(300)), within=10)


async def test_a_tenant_that_cannot_be_read_keeps_no_other_from_being_read_again(
    owner: OwnerDatabase, open_directory: Opened
) -> None:
    await applied(owner, tenant("bad", "T1"), tenant("good", "T2"))
    async with open_directory(directory_fresh_s=1) as live:
        await heard(live)
        for workspace in ("T1", "T2"):
            await live.owner(workspace)
        async with owner.begin() as connection:
            await connection.execute(text("update threadline.agents set id = 'NO SLUG' where tenant_id = 'bad'"))
        await asyncio.sleep(1.1)
        before = live.known("T2")

        def renewed() -> bool:
            for _ in range(20):
                live.known("T1")
            return live.known("T2") is not before

        await until(renewed, within=5)
        assert name_of(live.known("T1")) == "bad", "what was known of it stays"
