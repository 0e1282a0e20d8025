"""Findings as people read them."""

from rich.console import Console
from rich.text import Text

from threadline.checkup.finding import Finding

MARKS = {"fine": "green", "note": "yellow", "wrong": "bold red"}


def show(findings: list[Finding]) -> None:
    """A line for how it is, and one for what mends it."""
    console = Console(soft_wrap=True)
    wide = max(len(each.subject) for each in findings)
    for each in findings:
        mark = Text(f"{each.state:<7}", MARKS[each.state])
        console.print(mark, Text(f"{each.subject:<{wide}}  {each.what}"), sep="")
        if each.mend is not None:
            console.print(Text(f"{'':<{wide + 9}}-> {each.mend}", "dim"))
    counted = {state: sum(each.state == state for each in findings) for state in MARKS}
    console.print(f"{counted['wrong']} wrong, {counted['note']} to note, {counted['fine']} fine", highlight=False)
