"""A front desk: an agent that knows nothing of Fanline, with its tools in a second file and a
package of its own, `holidays`.

`front_desk.py:agent` tells opening hours. `front_desk.py:desk` books as well: it has dependencies,
which are opened once per worker and given to each turn with that turn's ids.
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

from desk_tools import Bookings, Desk, book, list_bookings, opening_hours
from pydantic_ai import Agent

MODEL = os.environ.get("DESK_MODEL", "test")
"""`test` is Pydantic AI's own, which calls every tool once, offline; any model string will do."""
INSTRUCTIONS = "You are the front desk of a clinic. Answer from the tools, in one sentence."

agent = Agent(MODEL, name="opening_hours", instructions=INSTRUCTIONS, tools=[opening_hours])
desk_agent = Agent(
    MODEL,
    name="front_desk",
    instructions=INSTRUCTIONS,
    deps_type=Desk,
    tools=[opening_hours, book, list_bookings],
)


@asynccontextmanager
async def desk() -> AsyncGenerator[Callable[[Any], tuple[Agent[Desk, str], Desk]], None]:
    """Entered when the worker starts, left when it ends. What it yields is called for each turn,
    with its `session_id`, `turn_id` and `attempt`, and gives the agent and its dependencies."""
    with closing(Bookings(os.environ.get("DESK_FILE", ":memory:"))) as bookings:
        yield lambda turn: (desk_agent, Desk(bookings, turn.session_id, turn.turn_id))
