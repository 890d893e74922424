"""What the sessions of these tests are about: each function tells a part of one."""

from shared.protocol import Event, Failure
from tests.browser.stage import ToldSession

QUESTION = "Which patients have diabetes, and what do they take?"
CODE = 'curl "$FHIR/Condition?code=44054006"'
ANSWER = f"""Three of the eight patients have **type 2 diabetes**
([SNOMED CT 44054006](https://example.org/44054006)):

| Patient | Born | Medication | Dose |
|---|---|---|---|
| Ada Novak | 1958 | Metformin | 500 mg twice a day |
| Ben Okafor | 1971 | Metformin | 850 mg twice a day |
| Clara Lindqvist | 1949 | Insulin glargine | 18 units at night |

- Two of them take **metformin** alone.
- *Clara Lindqvist* has changed from tablets to insulin.

To see their records yourself:

```shell
{CODE}
```"""
"""A table, a list, code and a link."""
LAST_WORDS = "Their last HbA1c values are all below 7.5 %."
CONDITIONS = '{"resourceType":"Bundle","total":3,"entry":[{"id":"c-101"},{"id":"c-207"}]}'
BROKEN = Failure(code="model_error", error="The model could not be reached. Please try again.")

LONG_WORD = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 8
LONG_NAME = "search_" + "medication_administrations_and_" * 5 + "dispenses"
WIDE = f"""{LONG_WORD}

`{LONG_WORD}`

```
{"x = a_rather_long_line_of_code(" * 20}
```

| {" | ".join(f"Column number {n}" for n in range(12))} |
|{"---|" * 12}
| {" | ".join(f"A value of {n * 1000}" for n in range(12))} |

https://example.org/{"a-very-long-address/" * 12}
"""
"""Everything that does not fit into a narrow window."""


async def tell_beginning(session: ToldSession, turn_id: str | None = None) -> str:
    """The question, unless it has been asked, and a first model call that has asked for two tools,
    both done."""
    turn_id = turn_id or await session.ask(QUESTION)
    session.pass_time(0.2)
    await session.begin(turn_id)
    session.pass_time(0.05)
    await session.tell(session.model_call("m1"))
    session.pass_time(0.9)
    end = session.model_end("m1", finish_reason="tool_calls", time_to_first_token_ms=310)
    first = session.tool_call("c1", "search_conditions", {"code": "44054006"})
    await session.tell(session.whole("t1", "I look for the diagnosis first."), end, first)
    session.pass_time(0.35)
    second = session.tool_call("c2", "search_medications", {"patient": ["p-1", "p-2", "p-3"]})
    await session.tell(session.tool_end("c1", CONDITIONS, seconds=0.35), second)
    session.pass_time(0.6)
    await session.tell(session.tool_end("c2", '{"total": 4}', seconds=0.6))
    return turn_id


async def tell_streaming(session: ToldSession, turn_id: str | None = None) -> str:
    """As far as into the middle of the answer's text."""
    turn_id = await tell_beginning(session, turn_id)
    await session.tell(session.model_call("m2"))
    session.pass_time(0.5)
    await session.tell(session.piece("t2", ANSWER[:200]))
    return turn_id


async def tell_running(session: ToldSession) -> str:
    """As far as a third tool, that still runs after the answer's text."""
    turn_id = await tell_streaming(session)
    await tell_tool_running(session)
    return turn_id


async def tell_tool_running(session: ToldSession) -> None:
    """The rest of the text that `tell_streaming` has begun, and a tool that runs."""
    session.pass_time(0.7)
    end = session.model_end("m2", duration_ms=1200, time_to_first_token_ms=260)
    await session.tell(session.whole("t2", ANSWER), end)
    call = session.tool_call("c3", "read_lab_results", {"code": "4548-4", "_count": 3})
    await session.tell(call)


async def tell_end(session: ToldSession) -> None:
    """What `tell_tool_running` has left open."""
    session.pass_time(0.4)
    progress = session.custom("progress", {"percent": 100, "read": ["p-1", "p-2", "p-3"]})
    await session.tell(session.tool_end("c3", '{"total": 9}', seconds=0.4), progress)
    await session.tell(session.whole("t3", LAST_WORDS))
    await session.finish()


async def tell_whole(session: ToldSession) -> str:
    """A turn from its question to its end."""
    turn_id = await tell_running(session)
    await tell_end(session)
    return turn_id


async def tell_failure(session: ToldSession) -> str:
    """A turn of which a tool fails, and then the model."""
    turn_id = await session.ask("And who has asthma?")
    await session.begin(turn_id)
    await session.tell(session.tool_call("f1", "search_conditions", {"code": "195967001"}))
    await session.tell(session.tool_end("f1", "The FHIR server said 500.", is_error=True))
    await session.finish("failed", failure=BROKEN)
    return turn_id


async def tell_wide(session: ToldSession) -> str:
    """A turn in which nothing has a place to break."""
    turn_id = await session.ask(f"What is {LONG_WORD}?")
    await session.begin(turn_id, worker="worker-" + "7" * 60)
    await session.tell(
        session.model_call("w1", "model-" + "9" * 90),
        session.model_end("w1", "model-" + "9" * 90),
        session.tool_call("w2", LONG_NAME, {LONG_NAME: LONG_WORD}),
        session.tool_end("w2", LONG_WORD),
        session.custom(LONG_NAME, {"text": LONG_WORD}),
        session.whole("t1", WIDE),
    )
    await session.finish()
    return turn_id


async def tell_many_turns(session: ToldSession, turns: int) -> None:
    """Turns of 20 events each, all finished."""
    for number in range(turns):
        turn_id = await session.ask(f"Question number {number}")
        await session.begin(turn_id)
        await session.tell(*_sixteen_calls(session, number), _answer(session, number))
        await session.finish()


async def tell_long_turn(session: ToldSession, events: int) -> str:
    """One turn of so many events, an even number, that still runs."""
    turn_id = await session.ask("Read every record, one by one")
    await session.begin(turn_id)
    told: list[Event] = []
    for number in range((events - 2) // 2):
        told.append(session.tool_call(f"l{number}", "read_record", {"number": number}))
        session.pass_time(0.02)
        told.append(session.tool_end(f"l{number}", f"Record {number}", seconds=0.02))
    await session.tell(*told)
    return turn_id


def _sixteen_calls(session: ToldSession, turn: int) -> list[Event]:
    told: list[Event] = [session.model_call(f"m{turn}"), session.model_end(f"m{turn}")]
    for number in range(7):
        call_id = f"c{turn}-{number}"
        told.append(session.tool_call(call_id, "read_record", {"turn": turn, "number": number}))
        session.pass_time(0.02)
        told.append(session.tool_end(call_id, f"Record {number} of {turn}", seconds=0.02))
    return told


def _answer(session: ToldSession, turn: int) -> Event:
    return session.whole(f"t{turn}", f"Answer number {turn}, from **seven** records.")
