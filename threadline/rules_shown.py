"""What a back-test of rules came to, as people read it."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from rich.console import Console
from rich.table import Table

from services.router.replay.backtest import ComesTo, Happened, Tried
from services.router.replay.backtested import Backtested, Cost

SHOWN: Final = 5
"""So many messages of a rule are shown, where nobody asks for all."""

_COMES_TO: Final = {
    "throttled": "over the limit",
    "duplicate": "done before",
    "no_agent": "no agent answers there",
    "nothing": "no match",
}
_LOST: Final[tuple[ComesTo, ...]] = ("throttled", "duplicate", "no_agent")
_BACK_THEN: Final = {"this_rule": "a run of this rule", "another_run": "another run", "no_run": "no run"}


def show(found: Backtested, console: Console, *, everything: bool) -> None:
    """Each rule: how often it matches, where, what comes of it, and what that costs."""
    stretch = f"From {found.stretch.since:%Y-%m-%d %H:%M:%S} to {found.stretch.until:%Y-%m-%d %H:%M:%S} UTC"
    again = f"{found.decided + found.undecided} records were decided again, {found.against}; nothing was sent."
    console.print(f"{stretch} {again}", soft_wrap=True)
    if found.undecided:
        rest = "have no decision on record: what comes of them counts as new."
        console.print(f"{found.undecided} of them {rest}", soft_wrap=True)
    if not found.rules:
        console.print("There is no rule that is switched on.", soft_wrap=True)
    for tried in found.rules:
        console.print()
        for line in chain([_headline(tried)], _more(tried)):
            console.print(line, soft_wrap=True)
        _show_messages(tried, console, everything=everything)
        for cost in found.costs(tried):
            console.print(f"  {_cost(cost)}", soft_wrap=True)


def _headline(tried: Tried) -> str:
    whose = f"{tried.tenant_id}: {tried.rule_name}"
    if tried.when is None:
        return f"{whose} is not there any more; it had {_runs(len(tried.no_longer))} back then"
    if not tried.matches:
        return f"{whose} would not have matched"
    old = tried.count("run", "this_rule")
    counts = [f"{old} as it was" if old else "", f"{tried.count('run') - old} new" if tried.count("run") > old else ""]
    counts += [f"{tried.count(kind)} {_COMES_TO[kind]}" if tried.count(kind) else "" for kind in _LOST]
    return f"{whose} would have matched {_times(len(tried.matches))}: {', '.join(each for each in counts if each)}"


def _more(tried: Tried) -> Iterator[str]:
    """What else is to be known of it."""
    if tried.channels:
        yield f"  {', '.join(f'{channel} {_times(count)}' for channel, count in tried.channels.items())}"
    if tried.no_longer and tried.when is not None:
        yield f"  no longer a run of this rule: {len(tried.no_longer)}"
    threads = tried.in_its_threads.total()
    if threads:
        yield f"  in the threads that it would have opened: {_runs(threads)} more"
    if tried.is_answered_anyhow and tried.matches:
        yield "  a mention is answered in any case: its runs cost nothing extra"


def _show_messages(tried: Tried, console: Console, *, everything: bool) -> None:
    all_of_them = [*tried.matches, *(each for each in tried.no_longer if each.comes_to == "nothing")]
    shown = all_of_them if everything else all_of_them[:SHOWN]
    if not shown:
        return
    table = Table("  message", "received (UTC)", "would be", "was", box=None, pad_edge=False)
    for each in shown:
        at = f"{each.received_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(f"  {each.name}", at, _would_be(each), _BACK_THEN[each.back_then])
    console.print(table)
    if len(all_of_them) > len(shown):
        console.print(f"  and {len(all_of_them) - len(shown)} more; --all shows them", soft_wrap=True)


def _would_be(happened: Happened) -> str:
    return f"a run of {happened.agent_id}" if happened.comes_to == "run" else _COMES_TO[happened.comes_to]


def _cost(cost: Cost) -> str:
    """What an agent's runs come to, in words."""
    more = f"{cost.agent_id}: {_runs(cost.more)} more than there were"
    usual = cost.usual
    if usual is None:
        return f"{more}; what they cost is not known: no run of {cost.agent_id} was completed in that time"
    each = f"at its usual {usual.input_tokens:,g} tokens in and {usual.output_tokens:,g} out"
    whole = f" (all {_runs(cost.runs)} of the rule: {_sum(cost, cost.runs)})" if cost.runs > cost.more else ""
    return f"{more}, {each} (the median of {_runs(usual.runs)}): {_sum(cost, cost.more)}{whole}"


def _sum(cost: Cost, runs: int) -> str:
    found = cost.of(runs)
    price = f"${found['cost_usd']:.4f}" if found["cost_usd"] is not None else "its model has no price"
    return f"{found['input_tokens']:,.0f} tokens in, {found['output_tokens']:,.0f} out, {price}"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
