"""What a tab shows when workers die, or when there is none."""

from playwright.async_api import expect

from tests.browser.browsing import Browsing
from tests.browser.chat_page import ChatPage, check_they_show_the_same
from tests.browser.stepped_reply import SteppedReply
from tests.support.deployment import Deployment
from tests.support.stub_model import Call, Reply, StubModel

WAITING = [
    "Waiting for a worker",
    "Waiting: 1 turn before this one",
    "Waiting: 2 turns before this one",
]


async def test_the_worker_that_takes_over_begins_the_answer_anew(
    deployment: Deployment, browsing: Browsing, stub: StubModel, session_id: str
) -> None:
    """What the killed one had said is gone from the screen; what it had called stays in the panel,
    marked as the first attempt's. A tab that opens later shows the same."""
    call = Reply(calls=[Call("count_patients", {})])
    stub.script(session_id, call, Reply(["lost words ", "never said"], hold_after=1))
    gateway = await deployment.start_gateway()
    first = await deployment.start_worker()
    chat = await ChatPage.open(browsing, gateway.http, session_id)
    await chat.ask(session_id)
    await expect(chat.texts()).to_have_text(["lost words"])
    stub.script(session_id, call, reply := SteppedReply(["The whole ", "answer."]))
    await first.kill()
    await deployment.start_worker()
    reply.send()
    await expect(chat.texts()).to_have_text(["The whole"])
    await expect(chat.answers.get_by_text("Attempt 2")).to_be_visible()
    reply.send()
    await chat.until_answered("The whole answer.")
    late = await ChatPage.open(browsing, gateway.http, session_id)
    assert await check_they_show_the_same(chat, late) == [
        f"You: {session_id}", "Assistant: The whole answer.",
    ]  # fmt: skip
    rows = await chat.all_rows()
    of_the_first = [row for row in rows if "attempt 1" in row]
    assert [row.split()[0] for row in of_the_first] == ["Model", "Tool", "Model"]
    assert ["failed" in row for row in of_the_first] == [False, False, True]
    assert [row for row in rows if row.startswith("Attempt 1") and "lost" in row]
    assert [row for row in rows if row.startswith("Attempt 2") and "takeover" in row]
    assert len([row for row in rows if row.startswith("Tool count_patients")]) == 2


async def test_messages_wait_for_a_worker_and_say_so(
    deployment: Deployment, browsing: Browsing, session_id: str
) -> None:
    """Each says how many turns are before it, in every tab; then a worker comes and answers them in
    order."""
    gateway = await deployment.start_gateway()
    chat = await ChatPage.open(browsing, gateway.http, session_id)
    watcher = await ChatPage.open(browsing, gateway.http, session_id)
    for question in ("first?", "second?", "third?"):
        await chat.ask(question)
    for tab in (chat, watcher):
        waiting = tab.log.get_by_role("listitem").filter(has_text="Waiting")
        await expect(waiting).to_have_text(WAITING)
    await deployment.start_worker()
    for tab in (chat, watcher):
        await tab.until_answered("echo: third?", turns=3)
    assert await check_they_show_the_same(chat, watcher) == [
        "You: first?", "Assistant: echo: first?",
        "You: second?", "Assistant: echo: second?",
        "You: third?", "Assistant: echo: third?",
    ]  # fmt: skip
