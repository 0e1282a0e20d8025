"""The whole product on this machine: the stack, a Slack, and every service between them."""

import json
import sys
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

from schemas.partitions import PARTITIONS_ON_ONE_MACHINE
from services.kit.groups import SecretSettings, SlackSettings
from services.kit.secrets.sealing import new_key
from services.kit.settings import load
from services.local import kafka, ports, postgres
from services.local.home import Home, LocalFault
from services.local.names import AGENT_URL, AGENTS, SERVICES, SLACK_SIM, SUPERVISOR, WORKSPACE
from services.local.page import Page
from services.local.program import Program
from services.local.supervisor import NAME, Say
from services.supervisor.settings import SupervisorSettings

SLACK_SIM_PORT, AGENTS_PORT = 8585, 3001


@dataclass
class Product:
    """What its programs are told. Some of it is known only when others are ready: the mapping is theirs, too."""

    home: Home
    say: Say
    slack: SlackSettings
    told: dict[str, str] = field(default_factory=dict)
    workspace: str | None = None
    """Whose it is, once that is known."""
    tenant: str | None = None
    """Who owns it, likewise."""
    chat: str | None = None
    """Where people chat, where the Slack is on this machine."""
    agents: str | None = None
    """Where agents report, unless THREADLINE_SUPERVISOR_HTTP_PORT says it."""
    channels: dict[str, str] = field(default_factory=dict)
    """Names of channels by their ids, as far as the simulator told them."""
    _claims: list[IO[bytes]] = field(default_factory=list)
    """To the ports that every one would like."""

    @property
    def is_real(self) -> bool:
        """Whether it is a workspace by tokens, and not the one on this machine."""
        return self.slack.slack_bot_token is not None or self.slack.slack_app_token is not None

    def programs(self, stack: Sequence[Program]) -> list[Program]:
        """The stack's, and all others behind it."""
        addresses = {each.name: each.address or "" for each in stack}
        self.told |= {
            "THREADLINE_KAFKA_BROKERS": addresses[kafka.NAME],
            "THREADLINE_TOPIC_PARTITIONS": str(PARTITIONS_ON_ONE_MACHINE),
            "THREADLINE_TOPIC_REPLICATION": "1",
        }
        if load(SecretSettings).sealing_keys is None:
            self.told["THREADLINE_SEALING_KEYS"] = _kept_key(self.home.sealing_key)
        taken = {int(each.rpartition(":")[2].partition("/")[0]) for each in addresses.values()}
        choose = partial(ports.choose, ports_file=self.home.ports_file, taken=taken)

        found = [_started_fast(each) if each.name == kafka.NAME else each for each in stack]
        if not self.is_real:
            found.append(self._slack_sim(choose(SLACK_SIM, self._ours_or_any(SLACK_SIM_PORT))))
        found.append(self._workspace(postgres.Database.at(self.home, addresses[postgres.NAME])))
        ports_of = {name: choose(name, 0) for name in SERVICES}
        self._tell_prometheus(ports_of)
        services = {name: self._service(name, port) for name, port in ports_of.items()}
        if "supervisor_http_port" not in load(SupervisorSettings).model_fields_set:
            port = choose(AGENTS, self._ours_or_any(AGENTS_PORT))
            self.agents = f"http://{ports.HOST}:{port}"
            self.told["THREADLINE_SUPERVISOR_HTTP_PORT"] = str(port)
            services[SUPERVISOR] = replace(services[SUPERVISOR], once_ready=self._say_where_agents_report)
        return [*found, *services.values()]

    def _ours_or_any(self, port: int) -> int:
        """A port that is well known, where it is free and no other start has the right to it; otherwise any."""
        claim = ports.claim(port, self.home.cache) if ports.is_free(port) else None
        if claim is None:
            return 0
        self._claims.append(claim)
        return port

    @property
    def token_command(self) -> str | None:
        """What makes the token that they report with, once it is known whose."""
        return f"threadline token create {self.tenant} --name deployer --for agents" if self.tenant else None

    async def _say_where_agents_report(self) -> None:
        """In the words that an agent's program is told."""
        self.say(NAME, f"agents report with {AGENT_URL}={self.agents}")
        self.say(NAME, f"their token: {self.token_command}")

    def close(self) -> None:
        """Others may have the ports that every one would like."""
        for claim in self._claims:
            claim.close()

    def _tell_prometheus(self, ports_of: Mapping[str, int]) -> None:
        """Where the services serve their metrics, as Prometheus reads targets from a file."""
        groups = [
            {"targets": [f"{ports.HOST}:{port}"], "labels": {"job": f"threadline-{name}"}}
            for name, port in ports_of.items()
        ]
        self.home.targets_file.write_text(json.dumps(groups, indent=2), "utf-8")

    def _slack_sim(self, port: int) -> Program:
        address = f"http://127.0.0.1:{port}"
        self.chat = f"{address}/"
        state = self.home.root / "slack-sim.json"
        command = (sys.executable, "-m", "threadline", "slack-sim", "--port", str(port), "--state", str(state))
        return Program(
            name=SLACK_SIM,
            command=command,
            address=f"chat at {address}/",
            log_file=self.home.logs / f"{SLACK_SIM}.log",
            is_ready=Page(f"{address}/").is_there,
            once_ready=partial(self._learn_tokens, address),
        )

    async def _learn_tokens(self, address: str) -> None:
        """The simulator hands out its own."""
        # Imported when the first programs have been started: it takes as long as one of them does.
        from services.local.own_slack import handed_out  # noqa: PLC0415

        own = await handed_out(address)
        self.channels |= own.channels
        self.slack = own.settings(self.slack)
        self.told |= own.variables()

    def _workspace(self, database: postgres.Database) -> Program:
        """No process, but a step: services are told whose workspace it is, and their database has its owner."""
        return Program(
            name=WORKSPACE,
            needs=(postgres.NAME,) if self.is_real else (postgres.NAME, SLACK_SIM),
            prepare=partial(self._know_workspace, database),
        )

    async def _know_workspace(self, database: postgres.Database) -> None:
        """Whose workspace it is; a new one gets the sample tenant, said aloud."""
        # Imported when the first programs have been started, likewise.
        from services.directory.owner import owner_database  # noqa: PLC0415
        from services.local.sample import make_sample, owner_of, workspace_of  # noqa: PLC0415

        workspace = await workspace_of(self.slack)
        self.workspace = f"{workspace.name} ({workspace.team})"
        settings = database.settings()
        url = settings.database_url
        self.told["DATABASE_URL"] = url.get_secret_value() if url is not None else ""
        async with owner_database(settings) as owner:
            self.tenant = await owner_of(owner, workspace)
            if self.tenant is None:
                self.tenant = await make_sample(owner, workspace, self.slack, is_real=self.is_real)
                self.say(NAME, f"{self.workspace} was nobody's: Mara of the sample tenant answers there")

    def _service(self, name: str, port: int) -> Program:
        address = f"http://127.0.0.1:{port}"
        own = {
            "THREADLINE_HTTP_PORT": str(port),
            "THREADLINE_STATE_FOLDER": str(self.home.services),
            "THREADLINE_SPOOL_FOLDER": str(self.home.spool),
        }
        return Program(
            name=name,
            needs=(kafka.NAME, WORKSPACE),
            command=(sys.executable, "-m", f"services.{name}"),
            address=f"{address}/health",
            log_file=self.home.logs / f"{name}.log",
            environment=ChainMap(own, self.told),
            is_ready=Page(f"{address}/health").is_there,
        )


def _started_fast(broker: Program) -> Program:
    java, *rest = broker.command
    return replace(broker, command=(java, *kafka.STARTS_FAST, *rest))


def _kept_key(path: Path) -> str:
    """The key that seals what is stored on this machine, made once."""
    try:
        return path.read_text("utf-8").strip()
    except FileNotFoundError:
        key = new_key()
        path.touch(mode=0o600)
        path.write_text(key, "utf-8")
        return key
    except OSError as error:
        raise LocalFault(f"{path} cannot be read ({error.strerror}); mend its rights") from error
