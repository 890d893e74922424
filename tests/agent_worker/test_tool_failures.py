"""Tools that raise, refuse, never return, or return too much: every call has its end."""

import json

from tests.support.chat import Chat
from tests.support.failing import BIG_BYTES, TOOL_SECRET, check_the_turn_fails, of_kind
from tests.support.stub_model import Call, Reply


async def test_a_tool_that_raises_ends_the_turn_and_its_text_stays_here(clumsy_chat: Chat) -> None:
    clumsy_chat.stub.script(
        clumsy_chat.session_id, Reply(["Let me see. "], calls=[Call("boom", {})])
    )
    async with clumsy_chat.tab() as tab:
        turn = await tab.ask(clumsy_chat.session_id)
        assert turn.error is not None
        assert (turn.status, turn.error["code"]) == ("failed", "tool_error")
        (result,) = of_kind(tab, "tool_result")
        assert (result["is_error"], result["result"]) == (True, "The tool failed.")
        after = f"after {clumsy_chat.session_id[::-1]}"
        assert (await tab.ask(after)).status == "completed"
    said = [m["content"] for m in clumsy_chat.stub.requests[-1]["messages"]]
    assert said == [after]
    assert TOOL_SECRET not in json.dumps(await clumsy_chat.log())


async def test_a_model_may_go_on_after_a_tool_that_refuses(clumsy_chat: Chat) -> None:
    clumsy_chat.stub.script(
        clumsy_chat.session_id, Reply(calls=[Call("refuse", {})]), Reply(["Then without."])
    )
    async with clumsy_chat.tab() as tab:
        turn = await tab.ask(clumsy_chat.session_id)
    assert (turn.status, turn.answer) == ("completed", "Then without.")
    (result,) = of_kind(tab, "tool_result")
    assert (result["is_error"], result["result"]) == (True, "The tool failed.")


async def test_a_tool_that_always_refuses_ends_the_turn(clumsy_chat: Chat) -> None:
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(calls=[Call("refuse", {})]))
    async with clumsy_chat.tab() as tab:
        await check_the_turn_fails(clumsy_chat, tab, "tool_error")


async def test_parallel_calls_of_one_tool_are_told_apart(clumsy_chat: Chat) -> None:
    """Also when the model counts its ids from 0 in every answer, as some servers do."""
    steps = [
        [Call("double", {"n": n + 4 * step}, f"call_{n}") for n in range(4)] for step in (0, 1)
    ]
    replies = [Reply(calls=calls) for calls in steps]
    clumsy_chat.stub.script(clumsy_chat.session_id, *replies, Reply(["done"]))
    async with clumsy_chat.tab() as tab:
        turn = await tab.ask(clumsy_chat.session_id)
    assert turn.status == "completed"
    asked = {call["tool_call_id"]: call["arguments"]["n"] for call in of_kind(tab, "tool_call")}
    told = {result["tool_call_id"]: result["result"] for result in of_kind(tab, "tool_result")}
    assert sorted(asked.values()) == list(range(8))
    assert told == {call_id: str(2 * n) for call_id, n in asked.items()}


async def test_one_tool_of_several_that_raises_leaves_no_open_call(clumsy_chat: Chat) -> None:
    calls = [Call("double", {"n": 1}), Call("boom", {}), Call("stuck", {})]
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(calls=calls))
    async with clumsy_chat.tab() as tab:
        await check_the_turn_fails(clumsy_chat, tab, "tool_error")


async def test_a_result_of_five_megabytes_is_cut_and_says_by_how_much(clumsy_chat: Chat) -> None:
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(calls=[Call("big", {})]), Reply(["done"]))
    async with clumsy_chat.tab() as tab:
        turn = await tab.ask(clumsy_chat.session_id)
    assert turn.status == "completed"
    (result,) = of_kind(tab, "tool_result")
    assert set(result["result"]) == {"é"}
    kept = len(result["result"].encode())
    assert kept == 65_536
    assert kept + result["truncated_bytes"] == BIG_BYTES


async def test_results_that_are_not_text_are_told_as_json(clumsy_chat: Chat) -> None:
    """An object with whatever in it; a picture, cut like any other."""
    calls = [Call("record", {}), Call("picture", {})]
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(calls=calls), Reply(["done"]))
    async with clumsy_chat.tab() as tab:
        await tab.ask(clumsy_chat.session_id)
    results = {result["tool_name"]: result for result in of_kind(tab, "tool_result")}
    assert not any(result["is_error"] for result in results.values())
    told = json.loads(results["record"]["result"])
    assert told == {"name": "Ada", "when": [1, None]}
    assert "image/png" in results["picture"]["result"] or results["picture"]["truncated_bytes"]


async def test_a_turn_that_was_stopped_in_a_tool_leaves_a_history_that_models_accept(
    clumsy_chat: Chat,
) -> None:
    """Every call that the next prompt holds has its answer."""
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(["Wait. "], calls=[Call("stuck", {})]))
    async with clumsy_chat.tab() as tab:
        turn_id = await tab.session.send(clumsy_chat.session_id)
        await tab.until("tool_call")
        await tab.session.cancel(turn_id)
        turn = await tab.until_finished(turn_id)
        assert (turn.status, turn.answer) == ("cancelled", "Wait. ")
        (result,) = of_kind(tab, "tool_result")
        assert result["is_error"]
        after = f"after {clumsy_chat.session_id[::-1]}"
        assert (await tab.ask(after)).status == "completed"
    messages = clumsy_chat.stub.requests[-1]["messages"]
    assert messages[0]["content"] == clumsy_chat.session_id
    asked = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    answered = [m["tool_call_id"] for m in messages if m["role"] == "tool"]
    assert asked == answered
