"""What a back-test of rules came to: each rule's matches, and what its runs cost at its agents' usual tokens."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.router.replay.backtest import Tried
from services.router.replay.replay import Stretch
from services.router.replay.usual import Spent, Usual


@dataclass(frozen=True, slots=True)
class Cost:
    """What an agent's runs for a rule come to."""

    agent_id: str
    runs: int
    """All that are there because of the rule."""
    more: int
    """Those of them that there were not back then."""
    usual: Usual | None
    """None where no run of the agent was completed in the stretch: then nobody knows."""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "agent": self.agent_id,
            "usual": self.usual.as_json() if self.usual is not None else None,
            "additional": self.of(self.more),
            "whole": self.of(self.runs),
        }

    def of(self, runs: int) -> dict[str, Any]:
        """What so many runs come to: tokens that are not known, and a price that there is not, are none."""
        usual = self.usual
        return {
            "runs": runs,
            "input_tokens": usual.input_tokens * runs if usual is not None else None,
            "output_tokens": usual.output_tokens * runs if usual is not None else None,
            "cost_usd": round(usual.cost_usd * runs, 6) if usual is not None and usual.cost_usd is not None else None,
        }


@dataclass(frozen=True)
class Backtested:
    """The rules that somebody asked for, over a stretch of the log."""

    stretch: Stretch
    against: str
    """Which directory is tried."""
    decided: int
    undecided: int
    """Records of which no decision stands: whatever comes of them is as if there had been nothing."""
    rules: tuple[Tried, ...]
    spent: Spent

    def costs(self, tried: Tried) -> Iterator[Cost]:
        """By agent, what a rule's runs cost."""
        more = tried.more_runs
        for agent_id, runs in sorted(tried.runs.items()):
            yield Cost(agent_id, runs, more[agent_id], self.spent.usual(tried.tenant_id, agent_id))

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "from": self.stretch.since.isoformat(),
            "to": self.stretch.until.isoformat(),
            "against": self.against,
            "decided": self.decided,
            "undecided": self.undecided,
            "rules": [self._of_rule(each) for each in self.rules],
        }

    def _of_rule(self, tried: Tried) -> dict[str, Any]:
        return {
            "tenant": tried.tenant_id,
            "rule": tried.rule_name,
            "when": tried.when,
            "matched": len(tried.matches),
            "runs": tried.count("run"),
            "as_it_was": tried.count("run", "this_rule"),
            "new": tried.count("run") - tried.count("run", "this_rule"),
            "throttled": tried.count("throttled"),
            "duplicates": tried.count("duplicate"),
            "without_agent": tried.count("no_agent"),
            "in_its_threads": tried.in_its_threads.total(),
            "answered_anyhow": tried.is_answered_anyhow,
            "channels": tried.channels,
            "messages": [each.as_json() for each in tried.matches],
            "no_longer": [each.as_json() for each in tried.no_longer],
            "costs": [each.as_json() for each in self.costs(tried)],
        }
