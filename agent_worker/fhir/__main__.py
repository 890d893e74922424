"""`python -m agent_worker.fhir`: the FHIR MCP server alone, for any MCP client.

Workers use it when `MCP_URL` names it: `http://HOST:PORT/mcp`, or `…/sse` with `--transport sse`.
Where the data come from is said by an option, or by the `FHIR_*` settings; credentials for a FHIR
server come from the settings alone, because other users of a machine can read a command line.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from agent_worker.fhir.server import build_fhir_server
from agent_worker.fhir.sources import build_source
from agent_worker.settings import WorkerSettings
from shared.logs import configure_logging
from shared.settings import read_env_file


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    options = _parse(arguments)
    read_env_file()
    try:
        settings = WorkerSettings().model_copy(update=_chosen(options))
        server = build_fhir_server(build_source(settings))
    except ValidationError as error:
        sys.exit(f"settings: {error}")
    except ValueError as error:
        sys.exit(str(error))
    configure_logging(settings.log_level, settings.log_format)
    server.run(
        transport=options.transport,
        host=options.host,
        port=options.port,
        show_banner=False,
        uvicorn_config={"log_config": None, "access_log": False},
    )


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that an option overrules: the source that it names is the only one."""
    if options.base_url is None and options.bundle is None and options.seed is None:
        return {}
    chosen = {"fhir_base_url": options.base_url or "", "fhir_bundle": options.bundle or ""}
    return chosen if options.seed is None else chosen | {"fhir_seed": options.seed}


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
    data.add_argument(
        "--base-url",
        metavar="URL",
        help="a FHIR R4 REST server; FHIR_TOKEN, or FHIR_CLIENT_ID and FHIR_CLIENT_SECRET, open it",
    )
    data.add_argument("--bundle", metavar="FILE", help="a FHIR R4 bundle as JSON")
    data.add_argument("--seed", type=int, help="the seed of the synthetic patients (default 1)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
