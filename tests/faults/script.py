"""What the stub model says to each message, and so what every tab must end with. Pure.

Nothing here has looked at the log, at a channel or at what a tab was given.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from tests.support.stub_model import Call, Reply

WORDS = ("blood", "pressure", "is", "normal", "and", "the", "pulse", "ümlaut", "温度", "🙂", "\n- ")
TOOL = "count_patients"


@dataclass
class Answer:
    """One message and what it must come to."""

    message_id: str
    content: str
    text: str
    calls: frozenset[str]
    """Tool calls of an attempt that was not disturbed, by the ids that the model gives them."""
    model_calls: int
    statuses: frozenset[str] = frozenset({"completed"})
    """What `turn_finished` may say: more than one where a stop races with the end."""
    may_be_forgotten: bool = False
    """Whether Redis was made to forget it: then it may be gone as a whole, never in part."""
    replies: list[Reply] = field(default_factory=lambda: [], repr=False)


def write_answer(
    random: Random,
    mark: str,
    *,
    pace: float = 0.02,
    shape: Callable[[Random], tuple[int, int]] | None = None,
) -> Answer:
    """A message with the unique `mark`, and a scripted answer: some text, perhaps after one or two
    rounds of tool calls. `shape` chooses the words of the last text and the rounds."""
    words, rounds = (shape or _any_shape)(random)
    replies: list[Reply] = []
    for number in range(rounds):
        said = _words(random, random.randint(0, 6))
        asked = [
            Call(TOOL, {}, call_id=f"call-{number}-{place}-{random.getrandbits(32):08x}")
            for place in range(random.randint(1, 2))
        ]
        replies.append(Reply(said, calls=asked, chunk_seconds=pace))
    replies.append(Reply([f"{mark}: ", *_words(random, words)], chunk_seconds=pace))
    return answer_with(random, mark, replies)


def answer_with(random: Random, mark: str, replies: list[Reply]) -> Answer:
    """A message with the unique `mark`, and what these replies make of it."""
    return Answer(
        message_id=make_message_id(random),
        content=mark,
        text="".join(text for reply in replies for text in reply.chunks),
        calls=frozenset(call.call_id for reply in replies for call in reply.calls),
        model_calls=len(replies),
        replies=replies,
    )


def make_message_id(random: Random) -> str:
    """A UUID that comes again with the same seed."""
    return str(UUID(int=random.getrandbits(128), version=4))


def _any_shape(random: Random) -> tuple[int, int]:
    return random.randint(5, 40), random.choice((0, 0, 1, 1, 2))


def _words(random: Random, count: int) -> list[str]:
    return [random.choice(WORDS) + " " for _ in range(count)]
