"""A conversation on the screen: it grows as the model speaks, and every tab shows the same."""

import re
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.browser.stepped_reply import SteppedReply
from tests.support.deployment import Deployment
from tests.support.stub_model import Call, Reply, StubModel

COPIED = "() => navigator.clipboard.readText()"


async def test_an_answer_grows_piece_by_piece_and_ends_as_the_model_said_it(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """While the model holds the rest back, the screen shows what it has said so far."""
    pieces = ["Grüße ", "an 👩‍⚕️ ", "and a < b & c, ", "all of it."]
    stub.script(session_id, reply := SteppedReply(pieces))
    chat = await ChatPage.open(browsing, system.processes[0].http, session_id)
    await chat.ask(session_id)
    for count in range(1, len(pieces)):
        reply.send()
        await expect(chat.texts()).to_have_text(["".join(pieces[:count])])
        await expect(chat.answers.last).to_have_attribute("aria-busy", "true")
    reply.send()
    await chat.until_answered("".join(pieces))
    assert await chat.conversation() == [f"You: {session_id}", f"Assistant: {''.join(pieces)}"]


async def test_a_copied_answer_is_to_the_letter_what_the_model_said(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """However it is set on the screen."""
    answer = (
        "## Found\n\n- **Ada**,  `p-1`\n- Bo\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<i>done</i>\n"
    )
    stub.script(session_id, Reply([answer]))
    context = await browsing.context()
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat = await ChatPage.open(browsing, system.processes[0].http, session_id, context)
    await chat.ask(session_id)
    await chat.until_over()
    await chat.press("Copy answer")
    await expect(chat.log.get_by_role("table")).to_be_visible()
    assert await chat.page.evaluate(COPIED) == answer


async def test_tabs_of_one_session_mirror_each_other(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """Two tabs of one browser and one of another, on another gateway: what each types appears in
    all, and so do the answer while it grows and every row of the telemetry."""
    one, two = (process.http for process in system.processes[:2])
    stub.script(
        session_id,
        Reply(["Let me count. "], calls=[Call("count_patients", {})]),
        reply := SteppedReply(["They are ", "counted."]),
    )
    context = await browsing.context()
    left = await ChatPage.open(browsing, one, session_id, context)
    right = await ChatPage.open(browsing, one, session_id, context)
    far = await ChatPage.open(browsing, two, session_id)
    tabs = (left, right, far)
    await left.ask(session_id)
    reply.send()
    for tab in tabs:
        await expect(tab.questions).to_have_text([re.compile(session_id)])
        await expect(tab.texts().last).to_have_text("They are")
    reply.send()
    for number, tab in enumerate((right, far), start=2):
        await tab.ask(f"and you, {number}?")
        for other in tabs:
            await other.until_answered(f"echo: and you, {number}?", turns=number)
    assert await check_they_show_the_same(*tabs) == [
        f"You: {session_id}", "Assistant: Let me count.|They are counted.",
        "You: and you, 2?", "Assistant: echo: and you, 2?",
        "You: and you, 3?", "Assistant: echo: and you, 3?",
    ]  # fmt: skip


async def test_two_sessions_do_not_mix(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """Side by side in one browser, on one gateway, answered at the same time by one worker."""
    gateway, other_id = system.processes[0].http, f"s-{uuid4()}"
    stub.script(session_id, reply := SteppedReply(["apples ", "and apples"]))
    stub.script(other_id, other_reply := SteppedReply(["pears ", "and pears"]))
    context = await browsing.context()
    chat = await ChatPage.open(browsing, gateway, session_id, context)
    other = await ChatPage.open(browsing, gateway, other_id, context)
    await chat.ask(session_id)
    await other.ask(other_id)
    for _ in reply.chunks:
        reply.send()
        other_reply.send()
    await chat.until_answered("apples and apples")
    await other.until_answered("pears and pears")
    assert await chat.conversation() == [f"You: {session_id}", "Assistant: apples and apples"]
    assert await other.conversation() == [f"You: {other_id}", "Assistant: pears and pears"]
    assert len(await chat.all_rows()) == len(await other.all_rows()) > 0


async def test_an_answer_can_be_stopped_from_another_tab_and_keeps_what_it_had_said(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str
) -> None:
    """Both tabs keep the half that was said, and say that it was stopped."""
    stub.script(session_id, reply := Reply(["The half ", "never"], hold_after=1))
    one, two = (process.http for process in system.processes[:2])
    asker = await ChatPage.open(browsing, one, session_id)
    stopper = await ChatPage.open(browsing, two, session_id)
    await asker.ask(session_id)
    for tab in (asker, stopper):
        await expect(tab.texts()).to_have_text(["The half"])
    await stopper.press("Stop")
    for tab in (asker, stopper):
        await expect(tab.answers.get_by_text("Stopped", exact=True)).to_be_visible()
        await tab.until_answered("The half")
        await expect(tab.page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    reply.release()
    assert await check_they_show_the_same(asker, stopper) == [
        f"You: {session_id}", "Assistant: The half",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "failing",
    [Reply(status=500), Reply(["half of ", "something"], cut_after=1)],
    ids=["before its first word", "in mid-answer"],
)
async def test_a_failed_turn_can_be_tried_again(
    browsing: Browsing, system: Deployment, stub: StubModel, session_id: str, failing: Reply
) -> None:
    """It says what went wrong and keeps nothing of a half answer; the retry is a turn of its own,
    and every tab shows both."""
    stub.script(session_id, failing)
    chat = await ChatPage.open(browsing, system.processes[0].http, session_id)
    watcher = await ChatPage.open(browsing, system.processes[1].http, session_id)
    await chat.ask(session_id)
    for tab in (chat, watcher):
        await expect(tab.answers.get_by_text("model_error")).to_be_visible()
        await tab.until_over()
        await expect(tab.texts()).to_have_count(0)
    stub.script(session_id, Reply(["All is ", "well."]))
    await chat.press("Retry", chat.answers.last)
    for tab in (chat, watcher):
        await tab.until_answered("All is well.", turns=2)
    assert await check_they_show_the_same(chat, watcher) == [
        f"You: {session_id}", "Assistant: ", f"You: {session_id}", "Assistant: All is well.",
    ]  # fmt: skip
