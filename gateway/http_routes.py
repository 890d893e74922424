"""The HTTP edge beside the socket: health, metrics, deletion, and what has moved away."""

import logging

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.acceptance import Acceptance
from gateway.access import OPERATOR
from gateway.gates import Gates
from gateway.health import Probe
from gateway.metrics import Metrics
from shared.errors import Unavailable
from shared.ids import SessionId, parse_session_id
from shared.redis_client import RefusedByRedis

_log = logging.getLogger(__name__)

MIGRATION = "This endpoint has moved to the WebSocket at /ws: see docs/migration.md."


def build_routes(acceptance: Acceptance, probe: Probe, metrics: Metrics, gates: Gates) -> APIRouter:
    """Every HTTP route that is there whether or not a page has been built."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        """The process runs."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:  # pyright: ignore[reportUnusedFunction]
        """200 while Redis answers and the subscription delivers, else 503."""
        if probe.is_ready:
            return JSONResponse({"status": "ready"})
        status = "draining" if probe.draining else "not ready"
        return JSONResponse({"status": status}, 503)

    @router.get("/metrics", dependencies=[Depends(gates.scope(OPERATOR))])
    async def scrape() -> Response:  # pyright: ignore[reportUnusedFunction]
        """Prometheus text format."""
        return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    own_session = [Depends(gates.counted), Depends(gates.session)]

    @router.delete("/sessions/{session_id}", status_code=204, dependencies=own_session)
    async def delete_session(session_id: str) -> Response:  # pyright: ignore[reportUnusedFunction]
        """Remove a conversation everywhere; 204 also when there was none."""
        return await _delete(acceptance, parse_session_id(session_id))

    async def moved(request: Request) -> Response:
        return JSONResponse({"detail": MIGRATION}, 410)

    async def upgrade(request: Request) -> Response:
        return JSONResponse(
            {"detail": "Open this URL as a WebSocket."}, 426, headers={"Upgrade": "websocket"}
        )

    router.add_api_route("/chat", moved, methods=["POST"], include_in_schema=False)
    router.add_api_route("/telemetry/{name}", moved, methods=["GET"], include_in_schema=False)
    router.add_api_route("/ws", upgrade, methods=["GET"], include_in_schema=False)
    return router


async def _delete(acceptance: Acceptance, session_id: SessionId) -> Response:
    try:
        await acceptance.delete_session(session_id)
    except RefusedByRedis as error:
        _log.error("session %s: Redis refused: %s", session_id[:8], error)
        return JSONResponse({"detail": "This session cannot be used."}, 500)
    except Unavailable:
        return JSONResponse({"detail": "Redis does not answer; try again."}, 503)
    return Response(status_code=204)
