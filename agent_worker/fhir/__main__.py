"""`python -m agent_worker.fhir`: the FHIR MCP server alone, for any MCP client.

Workers use it when `MCP_URL` names it: `http://HOST:PORT/mcp`, or `…/sse` with `--transport sse`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from agent_worker.fhir.server import build_fhir_server
from agent_worker.fhir.store import FhirStore
from agent_worker.fhir.synthesis import build_bundle


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    options = _parse(arguments)
    try:
        store = FhirStore.from_file(options.bundle) if options.bundle else None
    except ValueError as error:
        sys.exit(f"--bundle: {error}")
    server = build_fhir_server(store or FhirStore(build_bundle(options.seed)))
    server.run(
        transport=options.transport,
        host=options.host,
        port=options.port,
        show_banner=False,
        log_level="warning",
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m agent_worker.fhir",
        description="Serve FHIR R4 patient data, read-only, to MCP clients.",
    )
    parser.add_argument(
        "--transport",
        choices=("http", "sse"),
        default="http",
        help="streamable HTTP at /mcp (the default), or SSE at /sse",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8001, help="port to listen on (default 8001)")
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--bundle", type=Path, metavar="FILE", help="a FHIR R4 bundle as JSON")
    data.add_argument(
        "--seed", type=int, default=1, help="the seed of the synthetic patients (default 1)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
