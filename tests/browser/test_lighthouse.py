"""Lighthouse has nothing to say against a conversation with everything in it."""

from tests.browser.lighthouse import run_lighthouse
from tests.browser.scenes import tell_failure, tell_running, tell_whole
from tests.browser.stage import Stage


async def test_a_conversation_with_content_has_the_full_score(stage: Stage) -> None:
    session = stage.session(seconds_ago=8)
    await tell_whole(session)
    await tell_failure(session)
    await tell_running(session)
    report = await run_lighthouse(session.address)
    assert (report.score, report.failed) == (1, [])
