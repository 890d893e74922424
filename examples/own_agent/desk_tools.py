"""The front desk's tools, and what they work on."""

import sqlite3
from dataclasses import dataclass
from datetime import date

import holidays
from pydantic_ai import RunContext

SUNDAY = 6
PUBLIC_HOLIDAYS = holidays.country_holidays("GB", subdiv="ENG")


class Bookings:
    """Who comes when, in a file that all workers may share; `:memory:` is this worker's alone."""

    def __init__(self, file: str) -> None:
        self._rows = sqlite3.connect(file, isolation_level=None)
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS bookings"
            " (turn TEXT, day TEXT, session TEXT, PRIMARY KEY (turn, day))"
        )

    def add(self, session_id: str, turn_id: str, day: date) -> None:
        """Book the day for the session. A turn whose worker died is run again from its beginning:
        it books a day once all the same."""
        row = (turn_id, day.isoformat(), session_id)
        self._rows.execute("INSERT OR IGNORE INTO bookings VALUES (?, ?, ?)", row)

    def of_session(self, session_id: str) -> list[str]:
        """The session's days, the earliest first."""
        query = "SELECT day FROM bookings WHERE session = ? ORDER BY day"
        return [day for (day,) in self._rows.execute(query, (session_id,))]

    def close(self) -> None:
        self._rows.close()


@dataclass
class Desk:
    """The dependencies of one turn."""

    bookings: Bookings
    session_id: str
    turn_id: str


def opening_hours(day: date) -> str:
    """When we are open on a day."""
    if holiday := PUBLIC_HOLIDAYS.get(day):
        return f"closed: {holiday}"
    return "closed: Sunday" if day.weekday() == SUNDAY else "open from 9 to 17"


async def book(ctx: RunContext[Desk], day: date) -> str:
    """Book a visit on a day."""
    hours = opening_hours(day)
    if hours.startswith("closed"):
        return hours
    ctx.deps.bookings.add(ctx.deps.session_id, ctx.deps.turn_id, day)
    return f"booked for {day:%A, %d %B %Y}, {hours}"


async def list_bookings(ctx: RunContext[Desk]) -> list[str]:
    """The days for which this person has booked."""
    return ctx.deps.bookings.of_session(ctx.deps.session_id)
