"""What a typical question costs in a model's tokens: the tools' descriptions, and their results.

`python -m benchmarks.fhir_tokens [SEED]` lets the demo model ask the tools over the synthetic
patients of that seed (1) and prints, for each question, the tool calls, the bytes of their results
and about how many tokens those are. Tokens are bytes / 4, the rule of thumb for English text and
JSON: a tokenizer's tables would have to be downloaded.
"""

import asyncio
import json
import sys
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ToolReturnPart

from agent_worker.demo_model import build_demo_model
from agent_worker.fhir.server import build_fhir_server
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.summaries import Resource, name_of
from agent_worker.fhir.synthesis import build_bundle

BYTES_PER_TOKEN = 4
QUESTIONS = (
    "How many patients are there?",
    "Find {name}",
    "What conditions does {name} have?",
    "What medications is {name} on?",
    "List the visits of {name}",
    "What are the lab results of {name}?",
    "What allergies does {name} have?",
    "Which patients have diabetes?",
    "Which patients have hypertension, and what do they take?",
)
ROW = "{:<58} {:>10} {:>13} {:>8}"


async def measure(seed: int) -> list[str]:
    """The lines of the table."""
    bundle = build_bundle(seed)
    server = build_fhir_server(FhirStore(bundle))
    tools = [tool.to_mcp_tool() for tool in await server.list_tools()]
    described = json.dumps([[tool.name, tool.description, tool.input_schema] for tool in tools]) + (
        server.instructions or ""
    )
    lines = [
        ROW.format("question", "tool calls", "result bytes", "~tokens"),
        _row(f"(the {len(tools)} tools' descriptions, in every request)", 0, described),
    ]
    async with Agent(build_demo_model(0), toolsets=[MCPToolset[Any](server)]) as agent:
        for question in QUESTIONS:
            asked = question.format(name=name_of(_sickest(bundle)))
            results = _results((await agent.run(asked)).new_messages())
            lines.append(_row(asked, len(results), "".join(results)))
    return lines


def _row(said: str, calls: int, text: str) -> str:
    size = len(text.encode())
    return ROW.format(said, calls, size, round(size / BYTES_PER_TOKEN))


def _results(messages: list[ModelMessage]) -> list[str]:
    """What the model was given for each call, as it is sent to it."""
    parts = [part for message in messages for part in message.parts]
    return [part.model_response_str() for part in parts if isinstance(part, ToolReturnPart)]


def _sickest(bundle: Resource) -> Resource:
    """The patient with most resources: the dearest to ask about."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    subjects = [one["subject"]["reference"] for one in resources if "subject" in one]
    patients = [one for one in resources if one["resourceType"] == "Patient"]
    return max(patients, key=lambda one: subjects.count(f"Patient/{one['id']}"))


def main() -> None:
    """Measure and print."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print("\n".join(asyncio.run(measure(seed))))


if __name__ == "__main__":
    main()
