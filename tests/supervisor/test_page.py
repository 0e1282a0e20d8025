"""The page for people: who gets in, what they see, and that what they decide is decided as in Slack."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bench.beds.inbox import Inbox
from schemas.agent import ApprovalAttempted, ApprovalDecided, Intervention
from schemas.topics import AGENTS_EVENTS
from services.kit.clock import SystemClock
from services.slack_sim.control import asks
from services.supervisor.adapters.codes import Codes, NobodyThere
from services.supervisor.page.server import STATIC
from tests.commands import said
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.supervisor.visitor import Looking, looking

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
HIDDEN = "safe\u202eevil\u200b"


@pytest.fixture(scope="module")
async def page(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Looking]:
    """One for all tests of a module."""
    async with topics_of(fresh(brokers)) as kafka, looking(kafka, databases, tmp_path_factory.mktemp("page")) as found:
        yield found


async def events(page: Looking, task_id: str) -> list[object]:
    found = [each.event for each in await Inbox(page.kafka).found(AGENTS_EVENTS) if each.event.task_id == task_id]
    return [each for each in found if isinstance(each, ApprovalDecided | ApprovalAttempted | Intervention)]


async def until_folded(page: Looking, agent_shown: str, path: str = "/") -> str:
    """The page as Acme's people see it, once there is something on it."""
    async with page.visitor("acme") as visitor:
        return await visitor.until(agent_shown, path)


def token_in(text: str) -> str:
    """What the forms of a page carry."""
    found = re.search(r'name="token" value="([^"]*)"', text)
    assert found is not None
    return found.group(1)


def approval_in(text: str) -> str:
    """Where the answers to the first approval on a page go."""
    found = re.search(r'id="approval-([^"]+)"', text)
    assert found is not None
    return f"/approvals/{found.group(1)}"


async def test_nobody_sees_anything_without_signing_in(page: Looking) -> None:
    agent = page.agent("secret")
    await agent.start(task_name="Something secret")
    await until_folded(page, "Something secret")
    async with page.visitor() as stranger:
        for path in ("/", f"/show/{agent.task_id}", "/live"):
            status, text = await stranger.get(path)
            assert (status, "Something secret" in text, "Sign in with Slack" in text) == (401, False, True)
        for path in ("/approvals/any", f"/show/{agent.task_id}/cancel", "/out"):
            assert (await stranger.post(path, {"token": "x"}))[0] == 401
        stranger.session.cookie_jar.update_cookies({"threadline_page": "made-up"})
        assert (await stranger.get("/"))[0] == 401
        status, text = await stranger.get("/health")
        assert (status, "ready" in text) == (200, True)
    await agent.end()


async def test_what_a_browser_is_told_not_to_do(page: Looking) -> None:
    async with page.visitor("acme") as visitor:
        for path in ("/", "/show/none", "/in"):
            await visitor.get(path)
            policy = visitor.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert visitor.headers["Referrer-Policy"] == "same-origin"
            assert visitor.headers["X-Content-Type-Options"] == "nosniff"
            assert visitor.headers["Cache-Control"] == "no-store"
        _, text = await visitor.get("/")
        addresses = re.findall(r'(?:src|href|action)="([^"]+)"', text)
        assert all(each.startswith(("/", "#", "data:,")) for each in addresses), addresses
        assert " style=" not in text
        for name in ("page.css", "page.js"):
            assert (await visitor.get(f"/static/{name}"))[0] == 200
        for path in ("/static/none", "/static/..%2fserver.py", "/show/%00", "/show/" + "x" * 101):
            assert (await visitor.get(path))[0] == 404


async def test_a_code_is_good_once(page: Looking) -> None:
    environment = {**page.environment, "THREADLINE_STATE_FOLDER": str(page.state)}
    (line,) = (await said(environment, page.folder, "supervisor", "open", "--tenant", "acme")).splitlines()
    assert line.startswith(f"{page.address}/in?code=")
    path = line.removeprefix(page.address)
    async with ClientSession() as session, session.get(line) as answer:
        (cookie,) = [each for each in answer.headers.getall("Set-Cookie") if "threadline_page" in each]
        assert answer.status == 200
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    async with page.visitor() as late:
        assert (await late.get(path))[0] == 403
        assert (await late.get("/in?code="))[0] == 403
        assert (await late.get("/"))[0] == 401
    async with page.visitor() as other, other.session.get(page.way_in("acme"), headers={"Host": "evil.example"}) as no:
        assert no.status == 403
    owner = {"DATABASE_URL": page.environment["DATABASE_URL"], "THREADLINE_DATABASE_OWNER_URL": owner_url(page)}
    told = await said({**environment, **owner}, page.folder, "supervisor", "open", code=1)
    assert "acme, globex, initech" in told
    with pytest.raises(NobodyThere):
        Codes(page.folder / "none", SystemClock()).way_in("acme")


def owner_url(page: Looking) -> str:
    url = page.database.database_owner_url
    assert url is not None
    return url.get_secret_value()


async def test_a_tenant_sees_its_own_alone(page: Looking) -> None:
    ours, theirs = page.agent("ours"), page.agent("theirs", "globex")
    await ours.start(task_name="Acme's task")
    await theirs.start(task_name="Globex's task")
    name = await theirs.ask_to("sell", {})
    await until_folded(page, "Acme's task")
    async with page.visitor("globex") as globex:
        text = await globex.until("sell")
        assert "Globex's task" in text
        assert "Acme's task" not in text
        where = approval_in(text)
        assert (await globex.get(f"/show/{ours.task_id}"))[0] == 404
        assert (await globex.post(f"/show/{ours.task_id}/cancel", {"token": token_in(text)}))[0] == 404
    async with page.person(page.first.you) as anna:
        assert (await anna.get(f"/show/{theirs.task_id}"))[0] == 404
        _, text = await anna.get("/")
        assert "Globex" not in text
        form = {"token": token_in(text), "hash": "0" * 64, "answer": "approve"}
        status, text = await anna.post(where, form)
        assert (status, "no such approval" in text) == (404, True)
    status, still = await theirs.ask("GET", f"/v1/approvals/{name}")
    assert (status, still["state"]) == (200, "open")
    await ours.end()
    await theirs.end()


async def test_what_is_approved_here_the_agent_hears(page: Looking) -> None:
    agent = page.agent("approve")
    await agent.start()
    name = await agent.ask_to("deploy it", {"to": "production", "note": HIDDEN})
    text = await until_folded(page, "deploy it")
    assert '"to": "production"' in text
    assert "safe\\u202eevil\\u200b" in text
    assert HIDDEN not in text
    waiting = asyncio.create_task(agent.answer(name))
    async with page.person(page.first.you) as anna, page.person(page.first.you) as in_another_window:
        where, form = await anna.form("/", "deploy it")
        other, same = await in_another_window.form(f"/show/{agent.task_id}", "deploy it")
        assert other == where
        status, text = await anna.post(where, form | {"answer": "approve"})
        assert (status, "Approved. Its agent is told." in text) == (200, True)
        answer = await waiting
        assert (answer["state"], answer["decided_by"]) == ("approved", page.first.you)
        status, text = await in_another_window.post(other, same | {"answer": "reject", "reason": "too late"})
        assert (status, "You have approved this already. Nothing was changed." in text) == (409, True)
        assert "on this page" in (await anna.get(f"/show/{agent.task_id}"))[1]
    made, tried = await events(page, agent.task_id)
    assert isinstance(made, ApprovalDecided)
    assert (made.outcome, made.via, made.decided_by) == ("approved", "page", page.first.you)
    assert isinstance(tried, ApprovalAttempted)
    assert (tried.fault, tried.via) == ("already_decided", "page")
    await agent.end()


async def test_of_two_at_once_one_has_decided(page: Looking) -> None:
    agent = page.agent("race")
    await agent.start()
    name = await agent.ask_to("race it", {})
    await until_folded(page, "race it")
    async with page.person(page.first.you) as one, page.person(page.first.you) as two:
        where, form = await one.form("/", "race it")
        _, same = await two.form("/", "race it")
        answers = await asyncio.gather(
            one.post(where, form | {"answer": "approve"}), two.post(where, same | {"answer": "reject"})
        )
    assert sorted(status for status, _ in answers) == [200, 409]
    outcome = (await agent.answer(name))["state"]
    for (status, text), answered in zip(answers, ("approved", "rejected"), strict=True):
        assert (status == 200) == (outcome == answered)
        assert (f"{outcome} this already" in text) == (status == 409)
    await agent.end()


async def test_a_choice_an_answer_and_a_reason(page: Looking) -> None:
    agent = page.agent("choose")
    await agent.start()
    region = await agent.ask_to("which region", {}, kind="choice", choices=["eu", "us"])
    called = await agent.ask_to("what name", {}, kind="question")
    risky = await agent.ask_to("do harm", {})
    await until_folded(page, "do harm")
    async with page.person(page.first.you) as anna:
        for words, given in (
            ("which region", {"answer": "choose 1"}),
            ("what name", {"answer": "answer", "reason": "  The new\0 one "}),
            ("do harm", {"answer": "reject", "reason": "Not on a Friday"}),
        ):
            where, form = await anna.form(f"/show/{agent.task_id}", f"<h3>{words}")
            assert (await anna.post(where, form | given))[0] == 200
    assert (await agent.answer(region))["answer"] == "us"
    assert (await agent.answer(called))["answer"] == "The new one"
    refused = await agent.answer(risky)
    assert (refused["state"], refused["reason"]) == ("rejected", "Not on a Friday")
    await agent.end()


async def test_who_may_not_decide_may_look(page: Looking) -> None:
    agent = page.agent("look")
    await agent.start()
    name = await agent.ask_to("look at me", {})
    await until_folded(page, "look at me")
    async with page.person(page.first.you) as anna:
        where, form = await anna.form("/", "look at me")
    for user in (page.first.colleague, None):
        async with page.person(user) if user else page.visitor("acme") as visitor:
            _, text = await visitor.get(f"/show/{agent.task_id}")
            assert "You may look at this, and not decide it." in text
            token = token_in(text)
            status, told = await visitor.post(where, form | {"token": token, "answer": "approve"})
            assert (status, "You may not decide this" in told) == (409, True)
            status, told = await visitor.post(f"/show/{agent.task_id}/cancel", {"token": token})
            assert (status, "You may not tell this task what to do" in told) == (403, True)
    tried = await events(page, agent.task_id)
    assert [getattr(each, "attempted_by", None) for each in tried] == [page.first.colleague, "local"]
    assert (await agent.ask("GET", f"/v1/approvals/{name}"))[1]["state"] == "open"
    await agent.end()


async def test_arguments_that_changed_are_not_what_was_asked(page: Looking) -> None:
    agent = page.agent("changed")
    await agent.start()
    name = await agent.ask_to("change it", {"version": 4})
    await until_folded(page, "change it")
    async with page.person(page.first.you) as anna:
        where, form = await anna.form("/", "change it")
        for digest in ("0" * 64, "", "\0"):
            status, text = await anna.post(where, form | {"hash": digest, "answer": "approve"})
            assert (status, "not what was asked any more" in text) == (409, True)
    assert (await agent.ask("GET", f"/v1/approvals/{name}"))[1]["state"] == "open"
    await agent.end()


async def test_only_a_page_of_ones_own_session_acts(page: Looking) -> None:
    agent = page.agent("csrf", "initech")
    await agent.start()
    name = await agent.ask_to("act for me", {})
    async with page.visitor("initech") as mine, page.visitor("initech") as other:
        await mine.until("act for me")
        where, form = await mine.form("/", "act for me")
        _, others = await other.form("/", "act for me")
        wanted = form | {"answer": "approve"}
        refused = [
            await mine.post(where, {name: value for name, value in wanted.items() if name != "token"}),
            await mine.post(where, wanted | {"token": others["token"]}),
            await mine.post(where, wanted | {"token": "é"}),
            await mine.post(where, wanted, Origin="http://evil.example"),
            await mine.post(where, wanted, Origin="null"),
            await mine.post(where, wanted, Sec_Fetch_Site="cross-site"),
            await mine.post(where, wanted, Sec_Fetch_Site="same-site"),
            await mine.post(f"/show/{agent.task_id}/cancel", wanted, Origin="http://127.0.0.1:1"),
            await mine.post(where, wanted, Content_Type="application/x-www-form-urlencoded; charset=none"),
            await mine.post(where, wanted, Content_Type="text/plain"),
        ]
        assert [status for status, _ in refused] == [403] * len(refused)
        assert (await mine.get(where))[0] == 405
        assert (await agent.ask("GET", f"/v1/approvals/{name}"))[1]["state"] == "open"
        status, text = await mine.post(where, wanted, Origin=page.address, Sec_Fetch_Site="same-origin")
        assert (status, "Approved" in text) == (200, True)
        assert (await agent.answer(name))["decided_by"] == "local"
        _, text = await other.get(f"/show/{agent.task_id}")
        assert "Approved by somebody on the supervisor's machine" in text
        status, text = await mine.post(f"/show/{agent.task_id}/cancel", {"token": form["token"]})
        assert (status, "Its agent is told to end it." in text) == (200, True)
        orders = await agent.alive(wait_s=5)
        assert orders["cancel"]["by"] == "local"
        status, text = await mine.post(f"/show/{agent.task_id}/cancel", {"token": form["token"]})
        assert (status, "told to end it already" in text) == (409, True)
        assert (await mine.post("/out", {"token": form["token"]}))[0] == 200
        assert (await mine.get("/"))[0] == 401
    await agent.end("cancelled")


async def test_what_programs_say_is_only_text(page: Looking) -> None:
    agent = page.agent("evil", agent_id="evil-agent")
    await agent.start(task_name=EVIL, repo_scope=EVIL, worker=EVIL)
    await agent.checkpoint(EVIL, step=EVIL, details={EVIL: EVIL}, progress=0.5)
    await agent.taken(
        agent.event("task.artifact", artifact="link", title=EVIL, link="file:///etc/passwd"),
        agent.event("task.artifact", artifact="link", title="fine", link='https://example.com/?a=1&b="2"'),
    )
    await agent.ask_to(EVIL, {EVIL: EVIL}, approval_id="evil")
    await until_folded(page, "evil-agent")
    for path in ("/", f"/show/{agent.task_id}"):
        text = await until_folded(page, "&lt;img src=x", path)
        assert "<script>" not in text
        assert "<img" not in text
        assert 'href="file' not in text
    assert 'href="https://example.com/?a=1&amp;b=&quot;2&quot;"' in await until_folded(
        page, "example.com", f"/show/{agent.task_id}"
    )
    await agent.end("error", summary=EVIL)
    assert "<script>" not in await until_folded(page, "evil-agent · $0")


async def test_sign_in_with_slack_is_for_those_whose_workspace_is_somebodys(page: Looking) -> None:
    nobodys = (await page.sim.ask(asks.AddWorkspace(name="Nobody's"))).id
    stranger = (await page.sim.ask(asks.AddUser(team_id=nobodys, name="stranger"))).id
    async with page.visitor() as visitor:
        status, text = await visitor.sign_in_with_slack(stranger)
        assert (status, "belongs to nobody here" in text) == (403, True)
        assert (await visitor.get("/"))[0] == 401
        status, text = await visitor.sign_in_with_slack(page.first.colleague)
        assert (status, "Acme" in text) == (200, True)
        _, text = await visitor.get("/")
        assert "A Colleague" in text


async def test_a_sign_in_belongs_to_the_browser_that_began_it(page: Looking) -> None:
    async with page.visitor() as mine, page.visitor() as others:
        async with mine.session.get(f"{page.address}/in/slack/begin", allow_redirects=False) as begun:
            asked, cookie = begun.headers["Location"], begun.headers["Set-Cookie"]
        assert asked.startswith(f"{page.sim.address}/openid/connect/authorize?")
        assert {"HttpOnly", "SameSite=Lax", "Path=/in/slack"} <= set(cookie.split("; "))
        state = re.search(r"state=([^&]+)", asked)
        assert state is not None
        for visitor, query, why in (
            (others, f"state={state.group(1)}&code=x", "in another browser"),
            (mine, "state=made-up&code=x", "not reached from our own"),
            (mine, f"state={state.group(1)}&error=access_denied", "not allowed"),
            (mine, f"state={state.group(1)}&code=made-up", "invalid_code"),
        ):
            status, text = await visitor.get(f"/in/slack?{query}")
            assert (status, why in text) == (403, True), text
            assert (await visitor.get("/"))[0] == 401


async def test_open_pages_hear_of_what_changes_and_of_nothing_else(page: Looking) -> None:
    agent, foreign = page.agent("live"), page.agent("foreign", "globex")
    await agent.start()
    async with page.visitor("acme") as visitor, visitor.session.get(f"{page.address}/live") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        await foreign.start()
        await agent.checkpoint("It goes on")
        heard = ""
        async with asyncio.timeout(20):
            while agent.task_id not in heard:
                heard += (await stream.content.readline()).decode()
        assert foreign.task_id not in heard
    await agent.end()
    await foreign.end()


async def test_tasks_stand_under_those_that_they_are_part_of(page: Looking) -> None:
    parent, child = page.agent("parent"), page.agent("child")
    await parent.start(task_name="The whole")
    await child.start(task_name="A part", parent_task_id=parent.task_id)
    await child.checkpoint("Reading", cost_usd=0.25, context_used=150_000, level="warning")
    await until_folded(page, "The whole")  # they stand in partitions of their own
    text = await until_folded(page, "A part")
    branch = text.partition(f'id="branch-{parent.task_id}"')[2]
    assert f'id="branch-{child.task_id}"' in branch.partition("</section>")[0]
    shown = await until_folded(page, "75%", f"/show/{child.task_id}")
    assert "The whole" in shown.partition('id="family"')[2]
    assert "$0.25" in shown
    ring = page.agent("ring")
    await ring.start(task_name="Its own parent", parent_task_id=ring.task_id)
    await until_folded(page, "Its own parent", f"/show/{ring.task_id}")
    for each in (child, parent, ring):
        await each.end(summary="All went well")
    assert "All went well" in await until_folded(page, "All went well", f"/show/{parent.task_id}")


async def test_a_session_outlives_the_process(page: Looking) -> None:
    async with page.visitor("acme") as visitor, visitor.session.get(f"{page.address}/live") as stream:
        assert stream.status == 200
        await page.supervisor.child.stop()
        async with asyncio.timeout(20):
            while await stream.content.readline():
                pass
        async with page.again():
            assert (await visitor.get("/"))[0] == 200


def test_the_page_is_light() -> None:
    assert sum(each.stat().st_size for each in STATIC.iterdir()) < 30_000
