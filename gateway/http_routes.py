"""What is asked of a gateway itself: health, metrics, and what has moved away."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.access import OPERATOR
from gateway.gates import Gates
from gateway.health import Probe
from gateway.metrics import Metrics

MIGRATION = "This has moved to /sessions/ID and the WebSocket at /ws: see docs/migration.md."


def build_routes(probe: Probe, metrics: Metrics, gates: Gates) -> APIRouter:
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
