"""What docker compose is told holds together: settings, images, rights, names, and who may read what."""

import asyncio
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from aiohttp import ClientSession, TCPConnector, web
from typer.core import TyperGroup
from typer.main import get_command

from services.kit import http, process
from services.kit.http import Served, served
from services.kit.settings import child_environment, environment_name
from services.local import ports
from services.supervisor.settings import SupervisorSettings
from tests import containers
from tests.ops.alerts import PROMETHEUS, ROOT, RULES, read
from tests.ops.composed import (
    COMPOSE,
    DOCKERFILE,
    INFRA,
    JOBS,
    OURS,
    SCALED,
    SERVICES,
    WHOLE,
    filled_in,
    in_dockerfile,
    needed,
    offered,
    variables,
)
from tests.ops.test_alerts import promtool
from threadline.catalogue import SETTINGS
from threadline.command_line import application

OPENTELEMETRYS = {"OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}
"""Variables that its SDK reads itself."""
each_service = pytest.mark.parametrize("name", SERVICES)


def compose() -> list[str]:
    """The plugin, or Debian's program of the same name."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip(
            "infra/compose.yaml is read by docker compose, and it is not here: `apt-get install docker-compose`"
        )
    return [program]


def configured(folder: Path, env: str) -> "subprocess.CompletedProcess[str]":
    """What compose makes of it, with every profile."""
    env_file = folder / "env"
    env_file.write_text(env)
    profiles = {profile for each in SERVICES.values() for profile in each.get("profiles", ())}
    return subprocess.run(
        [
            *(*compose(), "--env-file", str(env_file), "--file", str(COMPOSE)),
            *(word for each in profiles for word in ("--profile", each)),
            "config",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=child_environment({}),
        timeout=60,
    )


def test_compose_takes_it_without_a_word(tmp_path: Path) -> None:
    done = configured(tmp_path, filled_in(dict.fromkeys(needed(), "abc")))
    assert (done.returncode, done.stderr) == (0, "")
    assert "postgresql://threadline_service:abc@postgres:5432/threadline" in done.stdout


def test_what_is_not_set_is_told_before_anything_starts(tmp_path: Path) -> None:
    done = configured(tmp_path, filled_in(dict.fromkeys(needed() - {"OWNER_PASSWORD"}, "abc")))
    assert done.returncode != 0
    assert "OWNER_PASSWORD" in done.stderr
    assert "set it in .env" in done.stderr


def test_the_example_has_what_compose_asks_for_and_nothing_else() -> None:
    asked = {name: default for name, _, default in variables()}
    of_compose = {"COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"}
    assert offered().keys() == asked.keys() | of_compose
    for name, value in offered().items():
        if name not in needed() | of_compose:
            assert value == asked[name], f"{name}: the example shows another default than compose.yaml has"
    assert {name for name in needed() if not offered()[name]} == needed()


def test_each_line_of_the_example_has_a_comment() -> None:
    before = ""
    for line in (INFRA / ".env.example").read_text("utf-8").splitlines():
        if re.match(r"#?[A-Z_]+=", line):
            assert before, line
        before = line


def test_processes_are_told_settings_that_there_are() -> None:
    known = {environment_name(name, field) for kind in SETTINGS for name, field in kind.model_fields.items()}
    known |= OPENTELEMETRYS
    for name, each in OURS.items():
        assert set(each["environment"]) <= known, name
    assert set(re.findall(r"\bTHREADLINE_[A-Z_]+", DOCKERFILE)) <= known
    assert {name for name in offered() if name.startswith("THREADLINE_")} <= known


@pytest.mark.parametrize("name", OURS)
def test_its_command_is_one_that_there_is(name: str) -> None:
    words, found = list(OURS[name]["command"]), get_command(application)
    while words and isinstance(found, TyperGroup):
        inner = found.get_command(typer.Context(found), words.pop(0))
        assert inner is not None, OURS[name]["command"]
        found = inner
    assert not isinstance(found, TyperGroup) or found.invoke_without_command
    found.make_context(name, words)


@each_service
def test_its_image_is_pinned_and_has_a_short_name(name: str) -> None:
    assert re.fullmatch(r"([a-z]+/)?[a-z-]+:v?\d+\.\d+(\.\d+)?(-alpine)?", SERVICES[name]["image"])


def test_images_are_those_that_are_known_elsewhere() -> None:
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version is not None
    assert {each["image"] for each in OURS.values()} == {f"threadline:{version[1]}"}
    assert [name for name, each in SERVICES.items() if "build" in each] == ["migrate"]
    assert SERVICES["redpanda"]["image"] == containers.REDPANDA
    assert SERVICES["postgres"]["image"] == containers.POSTGRES
    assert SERVICES["migrate"]["build"]["args"]["PYTHON"] == f"${{PYTHON_IMAGE:-{in_dockerfile('PYTHON')}}}"


@each_service
def test_it_may_do_no_more_than_it_needs(name: str) -> None:
    each = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", each["user"])
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert each["read_only"] is (name != "redpanda")
    assert each["mem_limit"]
    assert each["pids_limit"]
    assert each["logging"]["options"].keys() == {"max-size", "max-file"}
    if name in OURS:
        assert each["user"].split(":") == [in_dockerfile("USER_ID")] * 2


@each_service
def test_it_says_whether_it_is_well_and_is_started_again(name: str) -> None:
    each = SERVICES[name]
    assert ("healthcheck" in each) is (name not in JOBS)
    assert each["restart"] == ("no" if name in JOBS else "unless-stopped")


def test_only_what_people_and_programs_reach_is_published_and_on_loopback() -> None:
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published.keys() == {"slack-sim", "proxy", "prometheus", "grafana", "console"}
    for (port,) in published.values():
        assert port.startswith(("127.0.0.1:", "${PROXY_ADDRESS:-127.0.0.1}:"))


def test_services_can_be_scaled() -> None:
    for name in SCALED:
        assert not {"ports", "container_name", "hostname"} & SERVICES[name].keys()


def test_agents_reach_the_supervisor_and_nothing_else_of_ours() -> None:
    assert WHOLE["networks"]["agents"] == {"internal": True}
    assert {name for name, each in SERVICES.items() if "agents" in each["networks"]} == {"supervisor", "proxy"}
    assert UPSTREAMS["supervisor"] == SupervisorSettings.model_fields["supervisor_http_port"].default


def test_the_log_and_the_database_have_no_way_out() -> None:
    assert WHOLE["networks"]["inside"] == {"internal": True}
    for name in ("redpanda", "postgres", "router", *JOBS - {"threadline"}):
        assert SERVICES[name]["networks"] == ["inside"]


def test_only_whoever_owns_the_tables_knows_the_owner() -> None:
    told = {name for name, each in OURS.items() if "THREADLINE_DATABASE_OWNER_URL" in each["environment"]}
    assert told == {"migrate", "threadline"}


def test_what_is_mounted_is_there_and_every_volume_is_used() -> None:
    mounts = [mount.split(":") for each in SERVICES.values() for mount in each.get("volumes", ())]
    for source, *_ in mounts:
        if source.startswith("./"):
            assert (INFRA / source).exists(), source
    assert {source for source, *_ in mounts if not source.startswith("./")} == WHOLE["volumes"].keys()
    assert all(mount[-1] == "ro" for mount in mounts if mount[0].startswith("./"))


def test_processes_have_the_time_that_they_need_to_leave() -> None:
    needs = process.GRACE_S + process.CUT_SHORT_S + http.SHUTDOWN_S
    assert all(int(each["stop_grace_period"].removesuffix("s")) > needs for each in OURS.values())


def test_the_image_gets_every_file_that_it_is_made_of() -> None:
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    let_through = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert sorted(sources) == sorted(let_through)
    assert all((ROOT / source).exists() for source in sources)
    (tools,) = re.findall(r"for name in (.+); do", DOCKERFILE)
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert all(re.search(rf"^{name}==", lock, re.MULTILINE) for name in tools.split())


def test_prometheus_reads_every_process_and_loads_every_rule() -> None:
    assert f"SUCCESS: {len(RULES)} rule files found" in promtool("check", "config", "compose.yaml")
    jobs = {each["job_name"]: each for each in read(PROMETHEUS / "compose.yaml")["scrape_configs"]}
    assert jobs.keys() == {*(f"threadline-{name}" for name in SCALED), "redpanda"}
    for name in SCALED:
        (found,) = jobs[f"threadline-{name}"]["dns_sd_configs"]
        assert (found["names"], found["port"]) == ([name], int(in_dockerfile("THREADLINE_HTTP_PORT")))
    assert "./prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]


def test_prometheus_meets_each_process_on_one_network_only() -> None:
    """A name that is found on two networks would be two addresses of one process, each counted."""
    for name in SCALED:
        assert set(SERVICES[name]["networks"]) & set(SERVICES["prometheus"]["networks"]) == {"inside"}


def test_grafana_finds_its_dashboards_and_prometheus() -> None:
    (provider,) = read(INFRA / "grafana/provisioning/dashboards/threadline.yaml")["providers"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]
    (source,) = read(INFRA / "grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert set(SERVICES["grafana"]["networks"]) & set(SERVICES["prometheus"]["networks"])


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
async def test_the_health_check_says_what_health_says(status: int, code: int) -> None:
    async def health(_: web.Request) -> web.Response:
        return web.Response(status=status)

    pages = web.Application()
    pages.router.add_get("/health", health)
    (command,) = {each["healthcheck"]["test"][-1] for name, each in OURS.items() if name in SCALED}
    async with served(pages, "127.0.0.1", 0) as address:
        asked = command.replace("127.0.0.1:9100", f"127.0.0.1:{address.port}")
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", asked), stderr=asyncio.subprocess.DEVNULL
        )
        assert await running.wait() == code


UPSTREAMS = {"ingress": 8001, "responder": 8002, "supervisor": 3001, "prometheus": 9090}


@asynccontextmanager
async def upstream(name: str) -> AsyncIterator[Served]:
    """A server that says what it was asked for, and by whom."""

    async def tell(request: web.Request) -> web.Response:
        return web.Response(text=f"{name} {request.path_qs} {request.headers['X-Forwarded-For']}")

    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", tell)
    async with served(application, "127.0.0.1", 0) as address:
        yield address


@pytest.fixture(scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The sample's address, run by a real nginx."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("the sample proxy is tried with nginx, and it is not here: `apt-get install nginx-light`")
    folder = tmp_path_factory.mktemp("proxy")
    text = (INFRA / "proxy/nginx.conf").read_text("utf-8")
    port = ports.free()
    changed = {"listen 8080;": f"listen 127.0.0.1:{port};", " /tmp/": f" {folder}/"}
    async with AsyncExitStack() as stack:
        for name, at in UPSTREAMS.items():
            address = await stack.enter_async_context(upstream(name))
            changed[f"http://{name}:{at};"] = f"{address};"
        for written, here in changed.items():
            assert written in text
            text = text.replace(written, here)
        (folder / "nginx.conf").write_text(text)
        shutil.copyfile(INFRA / "proxy/metrics-readers.conf", folder / "metrics-readers.conf")
        words = (nginx, "-e", "stderr", "-c", str(folder / "nginx.conf"))
        checked = await asyncio.create_subprocess_exec(*words, "-t", stderr=asyncio.subprocess.PIPE)
        said = (await checked.communicate())[1].decode()
        assert "test is successful" in said
        assert "warn" not in said
        running = await asyncio.create_subprocess_exec(
            *words, "-g", "daemon off;", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(30):
                while True:
                    with suppress(OSError):
                        socket.create_connection(("127.0.0.1", port)).close()
                        break
                    await asyncio.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            await running.wait()


async def through(proxy: str, path: str, own: str = "127.0.0.2") -> tuple[int, str]:
    """What is answered to somebody who has this address."""
    connector = TCPConnector(local_addr=(own, 0))
    headers = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}
    async with ClientSession(connector=connector) as session, session.get(f"{proxy}{path}", headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/health", "ingress"),
        ("/slack/events", "ingress"),
        ("/slack/oauth_redirect?code=1", "ingress"),
        ("/v1/runs", "ingress"),
        ("/v1/runs/8a6e/cancel", "ingress"),
        ("/v1/messages", "responder"),
        ("/v1/effects/8a6e", "responder"),
        ("/v1/agents/events", "supervisor"),
        ("/v1/agents/alive", "supervisor"),
        ("/v1/approvals/deploy-4.ask?wait=25", "supervisor"),
        ("/tasks?status=working", "supervisor"),
        ("/tasks/deploy-4", "supervisor"),
    ],
)
async def test_the_proxy_hands_on_what_slack_and_programs_ask(proxy: str, path: str, who: str) -> None:
    assert await through(proxy, path) == (200, f"{who} {path} 127.0.0.2")


async def test_the_proxy_shows_metrics_to_the_addresses_that_are_named_alone(proxy: str) -> None:
    assert (await through(proxy, "/metrics"))[0] == 403
    status, text = await through(proxy, "/metrics", own="127.0.0.1")
    assert (status, text.split()[0]) == (200, "prometheus")
    assert unquote(text.split()[1]) == '/federate?match[]={job=~"threadline-.+"}'


@pytest.mark.parametrize(
    "path",
    ["/", "/metrics/", "/metrics/x", "/health/live", "/v1/", "/slacks", "/%6detrics/", "//x", "/tasksx", "/v1/agents"],
)
async def test_the_proxy_knows_nothing_else(proxy: str, path: str) -> None:
    assert (await through(proxy, path, own="127.0.0.1"))[0] == 404
