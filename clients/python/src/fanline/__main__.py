"""`python -m fanline URL SESSION "question"`: ask, and see what the agent does while it does it."""

import asyncio
import sys

from fanline.events import Event
from fanline.session import connect

USAGE = 'usage: python -m fanline ws://HOST/ws SESSION "question"'


async def ask(url: str, session_id: str, question: str) -> int:
    """Print the streamed answer and, between, the calls; returns the exit status."""
    async with connect(url, session_id) as session:
        turn_id = await session.send(question)
        async for event in session:
            if event.get("turn_id") == turn_id:
                _show(event)
                if event.type == "turn_finished":
                    return 0 if event["status"] == "completed" else 1
            elif event.type == "error" and event.get("message_id") == turn_id:
                print(event["error"], file=sys.stderr)
                return 1
    return 1


def _show(event: Event) -> None:
    match event.type:
        case "assistant" if event["streaming"]:
            print(event["content"], end="", flush=True)
        case "assistant":
            print()
        case "tool_call":
            _line(event, f"{event['tool_name']} {event['arguments']}")
        case "tool_result":
            failed = " failed" if event["is_error"] else ""
            _line(event, f"{event['tool_name']}{failed} in {event['duration_ms']} ms")
        case "openai_call":
            _line(event, event["model"])
        case "openai_response":
            tokens = event["total_tokens"]
            _line(event, f"{event['model']} {tokens} tokens in {event['duration_ms']} ms")
        case "turn_finished":
            _line(event, f"{event['status']} in {event['duration_ms']} ms")
        case "error":
            _line(event, event["error"])
        case _:
            pass


def _line(event: Event, text: str) -> None:
    print(f"\n[{event.type}] {text}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(USAGE)
    sys.exit(asyncio.run(ask(*sys.argv[1:4])))
