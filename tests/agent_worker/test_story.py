"""The moment that every frame has."""

from datetime import UTC, datetime

from agent_worker.story import now_text
from shared.protocol import format_timestamp


def test_a_moment_is_written_as_every_other_and_later_ones_are_not_before_it() -> None:
    for _ in range(3):
        texts = [
            format_timestamp(datetime.now(UTC)),
            now_text(),
            format_timestamp(datetime.now(UTC)),
        ]
        assert texts == sorted(texts)
        assert {len(text) for text in texts} == {len("2026-03-04T05:06:07.089Z")}
        assert datetime.fromisoformat(texts[1]).tzinfo == UTC
