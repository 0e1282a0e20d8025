"""What the board shows, line by line, in a terminal of a size. Decided from facts alone."""

from dataclasses import dataclass
from datetime import UTC

from rich.cells import cell_len, set_cell_size

from threadline.board.facts import Facts, Happened, Heading, ServiceSeen
from threadline.board.runs import RunSeen

Span = tuple[str, str]
"""Words, and their style."""
Line = tuple[Span, ...]

DIM, LOUD, GOOD, BUSY, BAD = "dim", "bold", "green", "yellow", "bold red"
CONDITIONS = {"ready": GOOD, "starting": BUSY, "restarting": BAD, "stopping": BUSY, "waiting": DIM, "stopped": DIM}
LEVELS = {"news": "", "warning": BUSY, "error": BAD}
STATES = {
    "start": ("answering", BUSY),
    "complete": ("answered", GOOD),
    "cancel_requested": ("stopping", BUSY),
    "cancelled": ("stopped", ""),
    "error": ("failed", BAD),
}
LATELY = "lately, with warnings and errors"
EMPTY: Line = ()
WIDE = 100
"""From here on there is room for whole addresses, and for which model answered or why none did."""
FEWEST_HAPPENED, MOST_HAPPENED = 4, 12
HEADED = 2
"""Lines that a part takes before its first row: an empty one, and its heading."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    width: int
    right: bool = False


SERVICES = (
    Column("service", 10),
    Column("state", 10),
    Column("lag", 6, right=True),
    Column("a minute", 8, right=True),
    Column("memory", 7, right=True),
    Column("restarts", 8, right=True),
    Column("up", 8, right=True),
)
RUNS = (
    Column("at (UTC)", 8),
    Column("run", 8),
    Column("from", 8),
    Column("channel", 11),
    Column("state", 9),
    Column("first word", 10, right=True),
    Column("last", 7, right=True),
    Column("tokens", 9, right=True),
)
GAP = " "


def picture(facts: Facts, width: int, height: int) -> tuple[Line, ...]:
    """No more lines than the terminal has, none wider than it is."""
    head = _heading(facts)
    is_wide = width >= WIDE
    services = [_titles(SERVICES, "address"), *(_service(each, is_wide=is_wide) for each in facts.services)]
    left = height - len(head) - 1 - len(services) - 2 * HEADED
    shown = max(0, min(len(facts.happened), MOST_HAPPENED, max(FEWEST_HAPPENED, left - len(facts.runs), left // 3)))
    room = max(1, left - max(1, shown))
    runs = [_run(each, facts, is_wide=is_wide) for each in facts.runs[:room]] or [_hint(facts)]
    last = facts.happened[len(facts.happened) - shown :]
    happened = [_happened(each) for each in last] or [((" nothing yet", DIM),)]
    lines = [
        *head,
        EMPTY,
        *services,
        EMPTY,
        _titles(RUNS, "model" if is_wide else ""),
        *runs,
        EMPTY,
        ((LATELY, DIM),),
        *happened,
    ]
    return tuple(_cut(line, width) for line in lines[:height])


def _heading(facts: Facts) -> list[Line]:
    known: Heading = facts.heading
    where = known.workspace or "a workspace that is still asked for"
    first: Line = (("Threadline", LOUD), (f"  up {_clock(facts.up_s)}   ", DIM), ("Ctrl-C stops it", DIM))
    chat: Line = (
        (("chat at ", DIM), (known.chat, "bold cyan"), (f"  {where}", ""))
        if known.chat is not None
        else (("answers in ", DIM), (where, ""))
    )
    model: Line = (("model ", DIM), (known.model, ""), (f"   data in {known.folder}", DIM))
    agents: list[Line] = [] if known.agents is None else [(("agents report with ", DIM), (known.agents, ""))]
    token: list[Line] = [] if known.token is None else [(("token: ", DIM), (known.token, ""))]
    return [first, chat, model, *agents, *token]


def _hint(facts: Facts) -> Line:
    if not all(each.condition == "ready" for each in facts.services):
        return ((" everything starts", DIM),)
    return ((" nobody has asked anything yet: mention Mara in #support, or write to her", DIM),)


def _titles(columns: tuple[Column, ...], last: str) -> Line:
    return (*((f"{_fit(each.title, each)}{GAP}", DIM) for each in columns), (last, DIM))


def _row(columns: tuple[Column, ...], cells: tuple[Span, ...]) -> Line:
    fitted = zip(columns, cells, strict=False)
    return (*((_fit(text, each) + GAP, style) for each, (text, style) in fitted), cells[-1])


def _service(seen: ServiceSeen, *, is_wide: bool) -> Line:
    state: Span = (seen.condition, CONDITIONS[seen.condition])
    last: Span = (seen.address if is_wide else seen.address.removeprefix("http://").partition("/")[0], DIM)
    if seen.condition == "ready" and seen.unready is not None:
        state, last = ("not ready", BUSY), (seen.unready, BUSY)
    return _row(
        SERVICES,
        (
            (seen.name, LOUD),
            state,
            ("" if seen.lag is None else str(seen.lag), BUSY if seen.lag else ""),
            ("" if seen.a_minute is None else f"{seen.a_minute:.0f}", ""),
            ("" if seen.memory is None else f"{seen.memory / 1e6:.0f} MB", ""),
            (str(seen.restarts or ""), BUSY),
            ("" if seen.up_s is None else _clock(seen.up_s), ""),
            last,
        ),
    )


def _run(seen: RunSeen, facts: Facts, *, is_wide: bool) -> Line:
    state, style = STATES[seen.state]
    took = (facts.now - seen.begun).total_seconds() if not seen.is_over else seen.finished_s
    return _row(
        RUNS,
        (
            (f"{seen.begun.astimezone(UTC):%H:%M:%S}", DIM),
            (seen.run_id[:8], ""),
            (seen.trigger or "", ""),
            (facts.heading.channels.get(seen.channel or "", seen.channel or ""), ""),
            (state, style),
            (_seconds(seen.first_token_s), ""),
            (_seconds(took), "" if seen.is_over else BUSY),
            ("" if seen.tokens is None else f"{seen.tokens[0]}+{seen.tokens[1]}", ""),
            (seen.reason or seen.model or "", BAD if seen.reason else DIM) if is_wide else ("", ""),
        ),
    )


def _happened(each: Happened) -> Line:
    at = f"{each.at.astimezone(UTC):%H:%M:%S} "
    return ((at, DIM), (f"{each.name:<10} ", LOUD), (each.what.replace("\n", " "), LEVELS[each.level]))


def _fit(text: str, column: Column) -> str:
    if cell_len(text) > column.width:
        return set_cell_size(text, column.width - 1) + "…"
    return " " * (column.width - cell_len(text)) + text if column.right else set_cell_size(text, column.width)


def _cut(line: Line, width: int) -> Line:
    """The line, no wider than that, and an ellipsis where something is left out."""
    if sum(cell_len(text) for text, _ in line) <= width:
        return line
    left, cut = width - 1, []
    for text, style in line:
        taken = set_cell_size(text, left) if cell_len(text) > left else text
        cut.append((taken, style))
        left -= cell_len(taken)
        if left <= 0:
            break
    return (*cut, ("…", DIM))


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - two digits say enough from there on


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
