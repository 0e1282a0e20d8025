"""The deployment with docker compose, on a real engine: `./dev compose`."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.engine.deployment import SERVICES, Deployment, until
from tests.engine.docker import said

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]


@pytest.fixture
async def talk(deployment: Deployment) -> AsyncIterator[Deployment]:
    """Everything runs, one process of each, and somebody is in the local Slack."""
    await deployment.up(*(f"--scale={each}=1" for each in SERVICES))
    async with deployment.talking():
        yield deployment


async def fetched(address: str, path: str) -> tuple[int, str]:
    """What a page answers from here."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}{path}") as answer:
        return answer.status, await answer.text()


async def test_somebody_asks_and_is_answered(talk: Deployment) -> None:
    await talk.answers("hello")


async def test_operators_commands_run_beside_it(talk: Deployment) -> None:
    ts = await talk.answers("why not")
    assert "acme" in await talk.threadline("directory", "show")
    assert "are as declared" in await talk.threadline("topics", "check")
    assert "complete" in await talk.threadline("why", f"{talk.first.support}/{ts}")
    kept = await talk.threadline("backup", "create", "--only", "topics", "backups/tried")
    assert "backups/tried" in kept
    assert "whole" in await talk.threadline("backup", "check", "backups/tried")
    found = json.loads(await talk.threadline("doctor", "--json"))
    assert [each for each in found["findings"] if each["state"] == "wrong"] == []


async def test_no_container_may_do_more_than_it_needs(talk: Deployment) -> None:
    for service in ("redpanda", "postgres", *SERVICES, "slack-sim", "prometheus", "proxy"):
        (found,) = await talk.inspected(service)
        user = await said(
            "docker", "exec", found["Id"], "sh", "-c", "grep -E '^(Uid|CapEff|NoNewPrivs)' /proc/1/status"
        )
        shown = dict(line.split(":", 1) for line in user.splitlines())
        assert shown["Uid"].split()[0] != "0", service
        assert int(shown["CapEff"], 16) == 0, service
        assert shown["NoNewPrivs"].strip() == "1", service
        assert found["HostConfig"]["ReadonlyRootfs"] is (service != "redpanda"), service
    for service in SERVICES:
        (container,) = await talk.ids(service)
        for place in ("/opt/threadline", "/var/lib/threadline", "/etc"):
            with pytest.raises(AssertionError, match=r"Read-only file system|Permission denied"):
                await talk.python(container, f"open('{place}/planted', 'w')")


async def test_the_log_and_the_database_cannot_reach_the_outside(talk: Deployment) -> None:
    router, responder = (await talk.ids("router"))[0], (await talk.ids("responder"))[0]
    reach = "import socket; socket.create_connection(('slack-sim', 8585), 3)"
    await talk.python(responder, reach)
    for container in (router, (await talk.ids("redpanda"))[0], (await talk.ids("postgres"))[0]):
        with pytest.raises(AssertionError, match=r"gaierror|Network is unreachable|timed out"):
            await said("docker", "exec", container, "python3", "-c", reach)


async def test_metrics_are_for_those_who_may_read_them_and_health_for_all(talk: Deployment) -> None:
    proxy = await talk.address("proxy", 8080)
    assert (await fetched(proxy, "/metrics"))[0] == 403
    assert await fetched(proxy, "/health") == (200, '{"live": true, "ready": true}')
    assert (await fetched(proxy, "/"))[0] == 404
    assert (await fetched(proxy, "/v1/runs/none"))[0] == 401
    assert (await fetched(proxy, "/v1/effects/none"))[0] == 401
    async with aiohttp.ClientSession() as session, session.post(f"{proxy}/slack/events", data="{}") as answer:
        assert answer.status == 401
    beside = (
        "docker",
        "run",
        "--rm",
        "--network",
        f"{talk.name}_outside",
        "--entrypoint",
        "python",
        "threadline:0.1.0",
    )
    read = "import sys, urllib.request; urllib.request.urlopen('http://proxy:8080/metrics')"
    with pytest.raises(AssertionError, match="403: Forbidden"):
        await said(*beside, "-c", read)
    from_itself = ("exec", "-T", "proxy", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/metrics")

    async def it_has_the_responders() -> bool:
        return 'job="threadline-responder"' in await talk.compose(*from_itself)

    await until(it_has_the_responders)
    assert "threadline_slack_socket_state{" in await talk.compose(*from_itself)


async def readers(talk: Deployment) -> dict[str, int]:
    """How many processes of each service Prometheus reads."""
    address = await talk.address("prometheus", 9090)
    _, text = await fetched(address, '/api/v1/query?query=count by (job) (up{job=~"threadline-.%2B"} == 1)')
    found: list[dict[str, Any]] = json.loads(text)["data"]["result"]
    return {each["metric"]["job"].removeprefix("threadline-"): int(each["value"][1]) for each in found}


async def test_processes_are_added_seen_killed_and_nobody_waits_for_them(talk: Deployment) -> None:
    await talk.up("--no-recreate", *(f"--scale={each}=2" for each in SERVICES))
    await talk.answers("two of each")
    spools = await talk.threadline("ingress", "spools")
    assert "spool-1" in spools
    assert "spool-2" in spools

    async def all_are_read() -> bool:
        return await readers(talk) == dict.fromkeys(SERVICES, 2)

    await until(all_are_read)
    for service in SERVICES:
        both = await talk.ids(service)
        assert len(both) == 2
        for number, each in enumerate(both):  # one of them has the partition that all of this goes through
            await said("docker", "kill", "--signal", "KILL", each)  # the engine starts no container that was killed so
            await talk.answers(f"without a {service}, {number}")
            await talk.up("--no-recreate", *(f"--scale={each}=2" for each in SERVICES))


async def test_a_process_that_dies_is_started_again(talk: Deployment) -> None:
    for service in SERVICES:
        (container,) = await talk.ids(service)
        ts = await talk.ask(f"kill the {service}")
        kill = (
            "import psutil; [each.kill() for each in psutil.process_iter(['cmdline']) "
            f"if 'services.{service}' in each.info['cmdline']]"
        )
        await said("docker", "exec", "--detach", container, "python", "-c", kill)

        async def it_is_there_again(service: str = service, container: str = container) -> bool:
            found = await talk.inspected(service)
            return [(each["Id"], each["RestartCount"]) for each in found] == [(container, 1)]

        await until(it_is_there_again)
        await talk.is_answered(ts, f"kill the {service}")
        await talk.answers(f"the {service} is back")


async def test_what_comes_while_the_log_is_away_is_kept_and_answered(talk: Deployment) -> None:
    await talk.compose("stop", "redpanda")
    ts = await talk.ask("anybody there")
    (ingress,) = await talk.ids("ingress")
    page = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9100/metrics').read().decode())"

    async def it_is_in_the_spool() -> bool:
        waiting = re.findall(r"threadline_ingress_spool_records\{.*} (\S+)", await talk.python(ingress, page))
        return any(float(each) for each in waiting)

    await until(it_is_in_the_spool)
    await talk.compose("kill", "ingress")
    await talk.compose("rm", "--force", "ingress")
    await talk.compose("restart", "router", "responder")  # as after a start of the machine: nobody waits for the log
    await talk.compose("start", "redpanda")
    await talk.up()
    await talk.is_answered(ts, "anybody there")
    await talk.answers("and now")


async def test_down_and_up_keep_everything(deployment: Deployment) -> None:
    async with deployment.talking():
        ts = await deployment.answers("remember me")
    await deployment.compose("--profile", "*", "down")
    await deployment.up()
    async with deployment.talking():
        await deployment.is_answered(ts, "remember me")
        assert "complete" in await deployment.threadline("why", f"{deployment.first.support}/{ts}")
        await deployment.sim.say(deployment.first.you, deployment.first.support, "still following?", ts)
        await deployment.is_answered(ts, "still following?")
