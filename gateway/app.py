"""Wiring: builds one gateway from its settings. Nothing is created at import."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from gateway.acceptance import Acceptance
from gateway.access import is_origin_allowed, session_of
from gateway.connection_manager import ConnectionManager
from gateway.drain import SPREAD_SHARE, Drain
from gateway.health import Probe
from gateway.http_routes import build_routes
from gateway.metrics import Metrics
from gateway.page import SafeHeaders, build_page_routes
from gateway.patient import PatientEdge, build_patient_routes
from gateway.settings import GatewaySettings
from gateway.tab_route import TabRoute
from gateway.websocket import WebSocketEdge
from shared.background import run_in_background
from shared.inbox import Inbox
from shared.patient_request import PatientAnswers
from shared.promise import Promises
from shared.redis_client import connect_redis
from shared.session_log import SessionLog
from shared.settings import describe, read_env_file
from shared.subscription import Subscription
from shared.tracing import build_tracer_provider
from shared.work_stream import WorkStream

_log = logging.getLogger(__name__)

FRONTEND = Path(__file__).parent.parent / "frontend" / "dist"


def build_app(settings: GatewaySettings | None = None, frontend: Path = FRONTEND) -> FastAPI:
    """One gateway; it serves the page in `frontend` if that has been built. Redis may be away: the
    process is up, and ready when Redis is back."""
    if settings is None:
        read_env_file()
        settings = GatewaySettings()
    keys = settings.keys()
    metrics = Metrics()
    client = connect_redis(settings.redis_url.get_secret_value())
    provider = build_tracer_provider("fanline-gateway")
    manager = ConnectionManager(SessionLog(client, keys), keys.channel, settings, metrics)
    probe = Probe(client, keys.probe(uuid4().hex), manager, metrics)
    subscription = Subscription(client, probe)
    manager.attach(subscription)
    inbox = Inbox(
        client, keys, session_ttl=settings.session_ttl, log_max_events=settings.log_max_events
    )
    work_stream = WorkStream(client, keys)
    tracer = provider.get_tracer("fanline.gateway")
    patients = PatientEdge(work_stream, PatientAnswers(client, keys), settings, tracer)
    acceptance = Acceptance(
        inbox,
        Promises(client, inbox, work_stream),
        settings,
        tracer,
        metrics,
        lambda: probe.is_ready,
    )
    # A tab that is sent away last must have had its time to answer when the drain is over.
    most = settings.drain_seconds * (1 - SPREAD_SHARE)
    bounds = settings.model_copy(update={"close_seconds": min(settings.close_seconds, most)})
    edge = WebSocketEdge(manager, acceptance, bounds, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        _log.info("gateway starts: %s", describe(settings))
        async with AsyncExitStack() as stack:
            stack.push_async_callback(client.aclose)
            # Shutting down waits for the exporter, which must not hold up the event loop.
            stack.push_async_callback(asyncio.to_thread, provider.shutdown)
            for loop in (
                subscription.run(),
                probe.run(subscription),
                manager.compare_heads(),
                manager.send_heartbeats(),
            ):
                await stack.enter_async_context(run_in_background(loop))
            yield

    app = FastAPI(title="Fanline", lifespan=lifespan, redirect_slashes=False)
    app.state.drain = Drain(manager, probe, settings.drain_seconds)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_credentials=True,
        allow_methods=["GET", "POST", "OPTIONS"],
        allow_headers=["*"],
    )
    app.add_middleware(SafeHeaders)
    app.include_router(build_routes(acceptance, probe, metrics))
    app.include_router(build_patient_routes(patients))

    async def open_tab(websocket: WebSocket) -> None:
        # Not `websocket.headers`, which would stay as long as the socket.
        if not is_origin_allowed(Headers(scope=websocket.scope), settings.allowed_origins):
            return await _refuse(websocket, 403, "This origin may not connect.")
        if probe.draining:
            return await _refuse(websocket, 503, "This gateway is going; come back to another.")
        try:
            session_id = session_of(websocket.query_params)
        except ValueError as error:
            return await _refuse(websocket, 400, str(error))
        await edge.serve(websocket, session_id)

    app.include_router(build_page_routes(frontend, settings.jaeger_ui_url))
    app.add_middleware(TabRoute, open_tab)
    return app


async def _refuse(websocket: WebSocket, status: int, sentence: str) -> None:
    await websocket.send_denial_response(JSONResponse({"detail": sentence}, status))
