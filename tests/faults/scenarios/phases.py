"""The phases of a turn in which its worker can die, and how a turn is held in each."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.faults.scenarios.script_proxy import Trap
from tests.faults.scenarios.told import PIECE, collapse, pieces_of, starts_of, told_by
from tests.faults.script import TOOL, WORDS, Answer, answer_with
from tests.faults.traffic import Session, Traffic
from tests.faults.view import View
from tests.support.stub_model import Call, Reply

PHASES = (
    "before the first token",
    "in mid-text",
    "during a tool call",
    "between two tool rounds",
    "after the last text",
)
"""Those in which a turn can stand still as long as one likes: its worker waits for the model or for
a tool."""
SLOW_TOOL = "read_resource"

BEGUN = ("turn_started", "openai_call")
SPOKEN = (*BEGUN, PIECE)
ASKED = (*SPOKEN, "openai_response", "assistant", "tool_call")


@dataclass(eq=False)
class Held:
    """A turn that stands still in one phase, once `is_there`, until `let_go`."""

    phase: str
    session: Session
    answer: Answer
    told: tuple[str, ...]
    """What the attempt has told in this phase."""
    is_there: Callable[[], bool]
    let_go: Callable[[], object]
    said: str | None = ""
    """The text it has told in pieces; `None`: some of it."""
    further: tuple[str, ...] = ()
    """What it may have told after `told`: all of it, or only the first ones."""
    trap: Trap | None = None
    refusals: tuple[bytes, ...] = (b"fenced",)
    """What its call is told that arrives when another worker has taken over."""
    attempts: int = 1
    """Attempts that have begun when it is there."""

    @property
    def view(self) -> View:
        return self.session.tabs[0].view

    @property
    def turn_id(self) -> str:
        return self.answer.message_id

    def worker(self) -> str:
        """The name of the worker that runs it."""
        return str(starts_of(self.view, self.turn_id)[-1]["worker"])

    def is_in_phase(self) -> bool:
        """Whether this attempt has told what belongs to its phase, and nothing else."""
        told, said = self.seen()
        full = self.told + self.further
        as_told = len(told) >= len(self.told) and told == full[: len(told)]
        return as_told and self.said in (None, said)

    def seen(self) -> tuple[tuple[str, ...], str]:
        """What this attempt has told: the types of its events, and the text that has no end yet."""
        told = told_by(self.view, self.turn_id, self.attempts)
        return tuple(collapse(told)), pieces_of(told)


@dataclass
class SlowFhirServer:
    """A FHIR server's answers: a resource is given when the test lets it go."""

    asked: set[str] = field(default_factory=lambda: set())
    releases: dict[str, Reply] = field(default_factory=lambda: {})

    def answer(self, request: Request) -> Response:
        resource_id = request.url.path.rsplit("/", 1)[-1]
        if resource_id not in self.releases:
            return JSONResponse({"resourceType": "Bundle", "type": "searchset", "total": 3})
        self.asked.add(resource_id)
        return StreamingResponse(self._slowly(resource_id), media_type="application/fhir+json")

    async def _slowly(self, resource_id: str) -> AsyncIterator[str]:
        yield "{"
        await self.releases[resource_id].released.wait()
        yield f'"resourceType": "Condition", "id": "{resource_id}"}}'


class Phases:
    """Begins turns that are held, each in a session of its own."""

    def __init__(self, traffic: Traffic, random: Random, fhir: SlowFhirServer) -> None:
        self._traffic = traffic
        self._random = random
        self._fhir = fhir

    def hold(self, due: Sequence[str], sessions: Sequence[Session]) -> list[Held]:
        """A turn in each phase of `due`."""
        makers = {
            "before the first token": self._before_the_first_token,
            "in mid-text": self.in_mid_text,
            "during a tool call": self._during_a_tool_call,
            "between two tool rounds": self._between_two_tool_rounds,
            "after the last text": self._after_the_last_text,
        }
        return [makers[phase](one) for phase, one in zip(due, sessions, strict=True)]

    def _before_the_first_token(self, session: Session) -> Held:
        reply = Reply(words(self._random, 8), hold_after=0)
        return self._held("before the first token", session, [reply], reply, BEGUN)

    def in_mid_text(self, session: Session) -> Held:
        reply = Reply(words(self._random, 12), hold_after=self._random.randint(1, 11))
        return self._held("in mid-text", session, [reply], reply, SPOKEN)

    def _after_the_last_text(self, session: Session) -> Held:
        reply = Reply(words(self._random, 8), hold_after=8)
        return self._held("after the last text", session, [reply], reply, SPOKEN)

    def _between_two_tool_rounds(self, session: Session) -> Held:
        first = Reply(words(self._random, 2), calls=[a_call(self._random, TOOL, {})])
        second = Reply((), calls=[a_call(self._random, TOOL, {})], hold_after=0)
        replies = [first, second, Reply(words(self._random, 5))]
        told = (*ASKED, "tool_result", "openai_call")
        held = self._held("between two tool rounds", session, replies, second, told)
        held.said = ""  # the whole text has replaced its pieces
        return held

    def _during_a_tool_call(self, session: Session) -> Held:
        resource_id = f"{self._random.getrandbits(64):016x}"
        call = a_call(self._random, SLOW_TOOL, {"reference": f"Condition/{resource_id}"})
        first = Reply(words(self._random, 2), calls=[call])
        self._fhir.releases[resource_id] = first
        replies = [first, Reply(words(self._random, 5))]
        held = self._held("during a tool call", session, replies, first, ASKED)
        held.said = ""
        held.is_there = lambda: resource_id in self._fhir.asked and held.is_in_phase()
        return held

    def _held(
        self, phase: str, session: Session, replies: list[Reply], at: Reply, told: tuple[str, ...]
    ) -> Held:
        answer = self._say(session, replies)
        said = "".join(list(at.chunks)[: at.hold_after or 0])
        held = Held(phase, session, answer, told, at.reached_hold.is_set, at.release, said)
        held.is_there = lambda: at.reached_hold.is_set() and held.is_in_phase()
        return held

    def _say(self, session: Session, replies: list[Reply]) -> Answer:
        answer = answer_of(self._random, session, replies)
        self._traffic.say(session, answer, session.tabs[0])
        return answer


def answer_of(random: Random, session: Session, replies: list[Reply]) -> Answer:
    """A message that is answered with exactly these replies."""
    mark = f"{session.session_id} held {random.getrandbits(64):016x}"
    return answer_with(random, mark, replies)


def a_call(random: Random, tool: str, arguments: dict[str, object]) -> Call:
    return Call(tool, arguments, call_id=f"call-{random.getrandbits(64):016x}")


def words(random: Random, count: int) -> list[str]:
    return [random.choice(WORDS) + " " for _ in range(count)]
