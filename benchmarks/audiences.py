"""The audiences that docs/scaling.md plans for: a million tabs, in three ways."""

from benchmarks.capacity import Audience

TABS = 1_000_000
CONNECTS_PER_TAB = 1 / 1800
"""A tab is opened, reloaded or woken every half hour."""
EVENTS_PER_SECOND = 30.0
EVENTS_PER_TURN = 300.0
"""An answer streams for ten seconds."""
KEPT_EVENTS = 60.0
"""Ten turns, each a message, its answer, two calls and what frames them."""

CHAT = Audience(
    name="chat, 5 % active",
    tabs=TABS,
    sessions=TABS // 2,
    active_share=0.05,
    events_per_second=EVENTS_PER_SECOND,
    events_per_turn=EVENTS_PER_TURN,
    connects_per_tab=CONNECTS_PER_TAB,
    kept_events=KEPT_EVENTS,
)
ALL_STREAMING = Audience(
    name="every session streams",
    tabs=TABS,
    sessions=TABS // 2,
    active_share=1.0,
    events_per_second=EVENTS_PER_SECOND,
    events_per_turn=EVENTS_PER_TURN,
    connects_per_tab=CONNECTS_PER_TAB,
    kept_events=KEPT_EVENTS,
)
ONE_SESSION = Audience(
    name="one session",
    tabs=TABS,
    sessions=1,
    active_share=1.0,
    events_per_second=EVENTS_PER_SECOND,
    events_per_turn=EVENTS_PER_TURN,
    connects_per_tab=CONNECTS_PER_TAB,
    kept_events=KEPT_EVENTS,
)
MILLION = (CHAT, ALL_STREAMING, ONE_SESSION)
