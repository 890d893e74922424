"""What the commands of our pages must say, page by page, in the order of the page.

A command that is on a page and not here, or here and not on the page, fails `test_blocks.py`.
"""

from tests.docs.reader import OWN_PORT
from tests.docs.stages import a_cluster, a_failed_turn, a_server_with_tls, sentinels
from tests.docs.steps import Step

COUNTED = r"There are \d+ patients\."
ADDRESS = Step("export REDIS_URL=redis://127.0.0.1:REDIS_PORT/0")
GREETING = (
    r"Fanline is ready\."
    r".*redis://127\.0\.0\.1:(?P<REDIS_PORT>\d+)/0 SUBSCRIBE 'session:\{demo\}'"
    r".*workers  process \d+ \(kill -9 it: another takes over\)"
)
RUN = Step("make run", GREETING, stays=True)
WORKS = r"worker starts"


def dry(command: str, runs: str) -> Step:
    """A target that has tests of its own, and its variables."""
    return Step(command, runs, dry=True)


def elsewhere(command: str, test: str) -> Step:
    """What a test of its own runs."""
    return Step(command, elsewhere=f"tests/examples/{test}.py")


SCRIPTS: dict[str, tuple[Step, ...]] = {
    "README.md": (
        RUN,
        Step(
            ".venv/bin/python -m fanline",
            r"attempt 1 by (\S+)\n.*attempt 2 by (?!\1\n).*\d+ patients? ha(ve|s) diabetes"
            r".*\[turn_finished\] completed",
        ),
        Step(
            "AGENT=my_agent.py:agent PORT=8001 make run",
            "Fanline is ready",
            stays=True,
        ),
        Step(".venv/bin/python -m fanline ws://localhost:8001", r"\[tool_result\] opening_hours"),
        Step("from fanline.sync import connect", COUNTED),
        Step("curl -s localhost:8000/sessions/demo/messages", r'"turn_id": ?"[0-9a-f-]{36}"'),
        Step("curl -s localhost:8000/sessions/demo", r'"session_id": ?"demo"'),
        Step(
            "curl -sN localhost:8000/sessions/demo/events",
            r'data: \{"type":"connection".*"type":"turn_finished"',
            stays=True,
        ),
        ADDRESS,
        Step("redis-cli -u $REDIS_URL SUBSCRIBE", r"subscribe", stays=True),
        Step("redis-cli -u $REDIS_URL XRANGE", r"\d+-\d+.*turn_finished"),
        Step("redis-cli -u $REDIS_URL XINFO GROUPS turns", r"agent-workers"),
        Step("PORT=8002 .venv/bin/python -m gateway", stays=True, ready="8002"),
        Step(".venv/bin/python -m agent_worker", WORKS, stays=True),
        Step(
            ".venv/bin/python -m fanline ws://localhost:8002/ws demo",
            r'"status": "connected".*"type": "turn_finished"',
            stays=True,
        ),
    ),
    "docs/agents.md": (
        Step("AGENT=front_desk.py:desk PORT=8001 make run", "Fanline is ready", stays=True),
        Step(
            "python -m fanline", r"\[tool_result\] opening_hours in .*\[turn_finished\] completed"
        ),
    ),
    "docs/architecture.md": (
        Step("import asyncio", r" ms  message\n.* ms  turn_started\n.* ms  turn_finished"),
    ),
    "docs/frontend.md": (
        RUN,
        Step(
            ".venv/bin/python -m dev.node npm --prefix frontend run dev",
            r"Local:.*http://localhost:",
            stays=True,
        ),
    ),
    "docs/guarantees.md": (
        dry("make faults", r"-m tests\.faults"),
        dry("make faults SEED=42 REPEAT=3", r"--seed '42' --repeat '3'"),
        dry("make faults ONLY=", r'--only "gateway killed"'),
        dry("make faults SABOTAGE=gap", r"--sabotage 'gap'"),
        dry("make faults BEHIND=nginx", "--behind 'nginx'"),
        dry("make faults FAULTS_PREVIOUS=v1.2", r"-m tests\.faults"),
    ),
    "docs/migration.md": (
        Step("import asyncio", COUNTED),
        Step("curl -s localhost:8000/sessions/demo/messages", r'"turn_id"'),
        Step("curl -s localhost:8000/sessions/demo", COUNTED),
    ),
    "docs/operations.md": (
        ADDRESS,
        Step("redis-cli -u $REDIS_URL SUBSCRIBE", "subscribe", stays=True, at_last="turn_finished"),
        Step(
            "redis-cli -u $REDIS_URL PSUBSCRIBE",
            "psubscribe",
            stays=True,
            at_last=r"session:\{demo\}\n.*turn_finished",
        ),
        Step("python -m fanline", COUNTED),
        Step("redis-cli -u $REDIS_URL XRANGE", r"\d+-\d+\nevent\n\{.*turn_finished"),
        Step("redis-cli -u $REDIS_URL HGETALL", r"epoch\n\d+"),
        Step("redis-cli -u $REDIS_URL XINFO GROUPS turns", r"agent-workers"),
        Step("REDIS_URL='rediss://", stage=a_server_with_tls, stays=True, ready=OWN_PORT),
        Step("NAMESPACE=clinic GATEWAY_PASSWORD=... ", ""),
        Step("REDIS_URL=redis+sentinel://", stage=sentinels, stays=True, ready=OWN_PORT),
        Step("REDIS_URL=redis+cluster://", stage=a_cluster, stays=True, ready=OWN_PORT),
        Step(
            "python -m agent_worker --failed",
            r"(?P<SESSION_ID>failing-\w+) (?P<TURN_ID>[0-9a-f-]{36}) turn_timeout",
            stage=a_failed_turn,
        ),
        Step("python -m agent_worker --failed --retry SESSION_ID TURN_ID", r"failing-.* \S{36}\n$"),
        Step("python -m agent_worker --failed --code model_error --retry all", r"^$"),
        Step("OTEL_EXPORTER_OTLP_ENDPOINT=", "Fanline is ready", stays=True),
        Step("python -m agent_worker.fhir --transport http", stays=True, ready="8001"),
        Step("python -m agent_worker.fhir --transport sse", stays=True, ready="8002"),
    ),
    "docs/protocol.md": (
        Step("import asyncio", rf"^None connection \n.*\d+-\d+ assistant {COUNTED}"),
        Step("curl -s localhost:8000/sessions/demo/messages", r'"turn_id"'),
        Step("curl -s localhost:8000/sessions/demo", r'"status"'),
        Step(
            "curl -sN localhost:8000/sessions/demo/events",
            r"id: (?P<POSITION>\d+-\d+)\ndata: ",
            stays=True,
        ),
        Step("curl -sN localhost:8000/sessions/demo/events -H", r'"resumed":true', stays=True),
        Step("curl -s localhost:8000/patient", r'"patient_name"'),
    ),
    "docs/security.md": (
        ADDRESS,
        Step("export AUTH_SECRET"),
        Step("AUTH_MODE=jwt PORT=8001 python -m gateway", stays=True, ready="8001"),
        Step("FANLINE_TOKEN", r"\[turn_finished\] completed"),
        Step("FANLINE_TOKEN", r"403", status=1),
        Step("TELEMETRY_REDACT=redact.py:redact python -m agent_worker", WORKS, stays=True),
        Step("openssl req"),
        Step("nginx -p", stays=True),
        Step("SSL_CERT_FILE=certificate.pem python -m fanline", COUNTED),
    ),
    "examples/README.md": (
        elsewhere("AGENT_REQUIREMENTS=examples/own_agent/requirements.txt", "test_own_agent"),
        Step(".venv/bin/python examples/terminal_chat/terminal_chat.py demo"),
        Step('echo "How many patients are there?" |', COUNTED),
        elsewhere(".venv/bin/python -m examples.load_fhir", "test_load_fhir"),
        elsewhere("npm --prefix frontend run build:session", "test_node_session"),
        elsewhere("npm --prefix examples/node_session ci", "test_node_session"),
        elsewhere("node examples/node_session/ask.js", "test_node_session"),
    ),
    "clients/python/README.md": (
        Step("from fanline.sync import connect", COUNTED),
        Step("import asyncio", rf"it looks with count_patients.*piece: .*whole: {COUNTED}"),
        Step("from pathlib import Path", rf"^\d+-\d+ message .*\d+-\d+ assistant {COUNTED}"),
        Step("from fanline.sync import connect", "^(cancelled|completed)\n$"),
        Step("import sys", COUNTED),
        Step("python -m fanline", COUNTED),
        Step("python -m fanline", '"type": "turn_finished"', stays=True),
        Step("python -m fanline", '"reset": true', stays=True),
        Step("curl -s localhost:8000/sessions/demo/messages", '"turn_id"'),
        Step("curl -sN localhost:8000/sessions/demo/events", '"type":"connection"', stays=True),
    ),
}
