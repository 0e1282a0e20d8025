"""A run's talk with its model: asked, given what its tools say, and asked again, until it has answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from schemas.command import ToolAnswer
from services.responder.adapters.answering import Answering, Question
from services.responder.adapters.run import NotAnswered, Run
from services.responder.adapters.tools import Tools, Use
from services.responder.decisions import words
from services.responder.decisions.tools import (
    MOST_TURNS,
    Ruled,
    ToolCall,
    ToolResult,
    Turn,
    arguments_of,
    effect_id_of,
    hindrance,
    to_be_allowed,
)

TOO_MANY_TURNS: Final = "too_many_turns"


@dataclass(frozen=True)
class Decided:
    """A turn that waited, and what people decided about it."""

    turn: Turn
    answers: Sequence[ToolAnswer]


class Suspends(Exception):
    """People must decide before the run goes on."""

    def __init__(self, turn: Turn, wanted: Sequence[ToolCall]) -> None:
        super().__init__(f"{len(wanted)} tools")
        self.turn, self.wanted = turn, wanted


class Conversing:
    """Every run's."""

    def __init__(self, answering: Answering, tools: Tools) -> None:
        self._answering, self._tools = answering, tools

    async def converse(
        self, run: Run, question: Question, heard: Callable[[str], None], decided: Decided | None
    ) -> str:
        """The whole answer. `Suspends` where people must decide first."""
        asked = question.asked
        if decided is not None:
            asked = run.asked = replace(asked, turns=(*asked.turns, await self._used(run, decided)))
        while True:
            before = f"{run.said.strip()}\n\n" if run.said.strip() else ""
            answered = await self._answering.answer(replace(question, asked=asked), _behind(before, heard))
            run.spent(answered.used)
            if not answered.calls:
                return before + answered.text
            if len(asked.turns) >= MOST_TURNS:
                raise NotAnswered(TOO_MANY_TURNS, words.TOO_MANY_TURNS)
            turn = Turn(answered.text, answered.calls)
            if wanted := to_be_allowed(turn.calls, _rules(run)):
                raise Suspends(turn, wanted)
            asked = run.asked = replace(asked, turns=(*asked.turns, await self._used(run, Decided(turn, ()))))

    async def _used(self, run: Run, decided: Decided) -> Turn:
        """The turn with what came of its calls, one after the other, as they were asked."""
        results: list[ToolResult] = []
        for number, call in enumerate(decided.turn.calls):
            said = hindrance(call, number, _rules(run), decided.answers)
            if said is None:
                said = await self._use(run, decided, number)
            results.append(ToolResult(call.call_id, call.tool, said))
        return replace(decided.turn, results=tuple(results))

    async def _use(self, run: Run, decided: Decided, number: int) -> str:
        calls, request = decided.turn.calls, run.request
        call = calls[number]
        if request is None or run.asked is None:
            raise ValueError("a run knows what it was asked before it uses anything")
        effect_id = effect_id_of(run.command.run_id, call, run.asked.turns, calls[:number])
        by = next((each.decided_by for each in decided.answers if each.call_id == call.call_id), None)
        use = Use(
            effect_id=effect_id,
            tool=run.rules[call.tool],
            arguments=arguments_of(call) or {},
            run_id=run.command.run_id,
            agent_id=request.agent_id,
            asked_by=request.message.sender.id,
            approved_by=by,
        )
        run.using = call.tool
        said = await self._tools.use(use, run.subject, run.standing)
        run.using = None
        return said


def _behind(before: str, heard: Callable[[str], None]) -> Callable[[str], None]:
    """What is said now stands behind what was said in the turns before."""
    return lambda text: heard(before + text)


def _rules(run: Run) -> dict[str, Ruled]:
    return {name: Ruled(name, tool.approval == "always") for name, tool in run.rules.items()}
