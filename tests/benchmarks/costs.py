"""Costs for tests: free but for what a test names."""

from dataclasses import fields

from benchmarks.capacity import Audience, Costs

FREE = Costs(**{field.name: 0.0 for field in fields(Costs)})
ROUND = Costs(
    gateway_wake_us=10,
    gateway_event_us=2,
    gateway_write_us=8,
    gateway_frame_us=0.5,
    gateway_connect_us=1000,
    gateway_idle_us=5,
    gateway_base_bytes=50e6,
    gateway_tab_bytes=20e3,
    gateway_session_bytes=5e3,
    redis_append_us=30,
    redis_event_us=4,
    redis_publish_us=6,
    redis_connect_us=100,
    redis_head_us=0.5,
    redis_turn_us=2000,
    redis_work_us=100,
    redis_session_bytes=6e3,
    redis_event_bytes=200,
    worker_event_us=500,
    worker_turn_us=20_000,
    event_bytes=180,
)
"""Of the size that they have, in figures that are easy to reckon with."""


def an_audience(**fields: float) -> Audience:
    """A hundred thousand tabs of fifty thousand sessions, of which a tenth is active."""
    values: dict[str, float] = {
        "tabs": 100_000,
        "sessions": 50_000,
        "active_share": 0.1,
        "events_per_second": 20,
        "events_per_turn": 200,
        "connects_per_tab": 0.001,
        "kept_events": 50,
    }
    return Audience(name="an audience", **(values | fields))  # pyright: ignore[reportArgumentType]
