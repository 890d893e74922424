"""The hot path: what one read from Redis brought for a session, to each of its tabs.

Everything here runs once a read, a session and a tab, never once an event and a tab. The texts of a
read are split into runs, places without a gap (`live_text.py`); a tab's follower judges a run by
its two ends; the texts are framed once for all tabs (`frames.py`) and go out in one write a tab
(`wire.py`). There is no `await`: nothing can come between a follower's answer and the write that
relies on it, and no tab waits for another.

To change it safely: who is given what is for `Follower` to say, here it is only done; what a tab
has not taken is never kept here, it is read again from the log; measure with `make bench`.
"""

import logging
import re
import time
from collections.abc import Mapping
from datetime import datetime

from gateway.catch_up import CatchUp
from gateway.followed_session import FollowedSession
from gateway.follower import Live
from gateway.live_text import Run, read_runs
from gateway.metrics import Metrics
from shared.subscription_line import Batch

_DELIVER, _READ = Live.DELIVER, Live.READ
_search_time = re.compile(rb'"timestamp":"([0-9T:.-]{19,29}Z)"').search

_log = logging.getLogger(__name__)


class FanOut:
    """The live half of the data path; the other is `CatchUp`."""

    def __init__(
        self, sessions: Mapping[bytes, FollowedSession], catch_up: CatchUp, metrics: Metrics
    ) -> None:
        """`sessions`: those that are followed, by channel."""
        self._sessions = sessions
        self._catch_up = catch_up
        self._metrics = metrics
        self.wants_sample = False
        """To be set when it is to be noted, once, how long an event was under way. Asked for once a
        read: to look at the clock for every event would cost more than to deliver it."""

    def deliver(self, batch: Batch) -> None:
        """Give what one read brought, as it came, to the tabs that are at its place; let the others
        read. Never waits for a tab."""
        for channel, texts in batch.items():
            session = self._sessions.get(channel)
            if session is None:
                continue  # its last tab has gone and the unsubscribe is on its way
            session.hear_news()
            ours = 0
            for run in read_runs(texts, session.name):
                ours += len(run.texts)
                self._deliver_run(session, run)
            if ours < len(texts):
                self._complain(session, len(texts) - ours)
        if self.wants_sample:
            self._take_sample(batch)

    def _deliver_run(self, session: FollowedSession, run: Run) -> None:
        before, last = run.before, run.last
        given = gaps = 0
        for tab in session.tabs:
            follower = tab.follower
            if not tab.socket.has_room and not follower.reading:
                # Behind: it costs no memory here, and reads on when its socket has drained.
                follower.read_again()
            cursor = follower.cursor or before
            verdict = follower.on_live(before, last)
            if verdict is _DELIVER:
                frames = run.after(cursor)
                tab.give(frames)
                given += len(frames.texts)
            elif verdict is _READ:
                gaps += 1
        if given:
            session.head = last
            self._metrics.deliveries.value += given
        if gaps:
            self._metrics.gaps.inc(gaps)
            self._catch_up.request(session)

    def _take_sample(self, batch: Batch) -> None:
        """Note how old an event of this batch is, by the clock of the process that wrote it, if one
        was given to tabs."""
        for channel, texts in batch.items():
            session = self._sessions.get(channel)
            if session is None or session.head is None:
                continue
            if texts[-1].startswith(b'{"id":"%d-%d"' % session.head):
                age = _age_of(texts[-1])
                if age is not None:
                    self._metrics.event_to_socket.observe(age)
                    self.wants_sample = False
                return

    def _complain(self, session: FollowedSession, count: int) -> None:
        self._metrics.foreign_texts.inc(count)
        if not session.has_foreign_texts:
            _log.warning(
                "session %s: dropped a text that is not ours, and will more",
                session.session_id[:8],
            )
        session.has_foreign_texts = True


def _age_of(text: bytes) -> float | None:
    """Seconds since the event was written. Clocks may differ: it is never less than none."""
    found = _search_time(text)
    if found is None:
        return None
    try:
        written = datetime.fromisoformat(found[1].decode())
    except ValueError:
        return None
    return max(time.time() - written.timestamp(), 0.0)
