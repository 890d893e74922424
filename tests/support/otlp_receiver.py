"""A small OTLP receiver, as a process of its own: it keeps the spans that it is sent.

`python -m tests.support.otlp_receiver` listens on two ports of loopback, says which in one line of
JSON, and runs until it is ended. OTLP comes as http/protobuf on the one and as gRPC on the other;
`GET /spans?trace_id=ID` on the first gives a trace's spans as JSON, and `GET /everything?service=S`
all that has come from a service, to be searched. What a span *means* is the business of whoever
asks.
"""

import asyncio
import gzip
import json
import sys
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import httpx2 as httpx
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.support.deployment import ROOT
from tests.support.eventually import eventually

START_SECONDS = 20.0


@dataclass(frozen=True)
class Span:
    """An exported span, as the receiver got it."""

    service: str
    """The `service.name` of the process that sent it."""
    protocol: str
    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_ns: int
    end_ns: int
    is_error: bool
    attributes: dict[str, Any]

    @property
    def duration_ms(self) -> float:
        return (self.end_ns - self.start_ns) / 1_000_000


class SpanStore:
    """The spans so far, by trace."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: dict[str, list[Span]] = {}
        self._texts: dict[str, list[str]] = {}

    def add(self, request: ExportTraceServiceRequest, protocol: str) -> None:
        for resource in request.resource_spans:
            service = str(_attributes(resource.resource.attributes).get("service.name"))
            with self._lock:
                self._texts.setdefault(service, []).append(str(resource))
            for scope in resource.scope_spans:
                for span in scope.spans:
                    kept = _span_of(span, service, protocol)
                    with self._lock:
                        self._spans.setdefault(kept.trace_id, []).append(kept)

    def of_trace(self, trace_id: str) -> list[Span]:
        with self._lock:
            return list(self._spans.get(trace_id, ()))

    def everything(self, service: str) -> str:
        with self._lock:
            return "\n".join(self._texts.get(service, ()))


class _Grpc(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self, store: SpanStore) -> None:
        self._store = store

    def Export(
        self, request: ExportTraceServiceRequest, context: Any
    ) -> ExportTraceServiceResponse:
        self._store.add(request, "grpc")
        return ExportTraceServiceResponse()


def _http_handler(store: SpanStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/v1/traces":
                return self._answer(404, b"", "text/plain")
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            store.add(ExportTraceServiceRequest.FromString(body), "http/protobuf")
            answer = ExportTraceServiceResponse().SerializeToString()
            self._answer(200, answer, "application/x-protobuf")

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            if "service" in asked:
                text = store.everything(asked["service"][0])
                return self._answer(200, text.encode(), "text/plain")
            rows = [vars(span) for span in store.of_trace(asked["trace_id"][0])]
            self._answer(200, json.dumps(rows).encode(), "application/json")

        def log_message(self, format: str, *args: object) -> None: ...

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _span_of(span: WireSpan, service: str, protocol: str) -> Span:
    return Span(
        service,
        protocol,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex() or None,
        span.name,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == Status.STATUS_CODE_ERROR,
        _attributes(span.attributes),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    named: list[KeyValue] = list(pairs)
    return {pair.key: _value_of(pair.value) for pair in named}


def _value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value_of(item) for item in value.array_value.values]
    return None if kind is None else getattr(value, kind)


@dataclass(frozen=True)
class Receiver:
    """The receiver's process, as a test sees it."""

    http_port: int
    grpc_port: int

    def environment(self, protocol: str) -> dict[str, str]:
        """The settings that make a process send its spans here."""
        return otlp_settings(
            self.http_port if protocol == "http/protobuf" else self.grpc_port, protocol
        )

    async def spans(self, trace_id: str) -> list[Span]:
        """The trace's spans that have come so far."""
        async with httpx.AsyncClient() as http:
            url = f"http://127.0.0.1:{self.http_port}/spans"
            rows = (await http.get(url, params={"trace_id": trace_id})).json()
        return [Span(**row) for row in rows]

    async def everything(self, service: str) -> str:
        """All that has come of a service so far, with attributes, events and all, as text."""
        async with httpx.AsyncClient() as http:
            url = f"http://127.0.0.1:{self.http_port}/everything"
            return (await http.get(url, params={"service": service})).text

    async def wait_for(self, trace_id: str, span_id: str) -> None:
        """Returns when this span has come."""

        async def has_come() -> bool:
            return span_id in [span.span_id for span in await self.spans(trace_id)]

        await eventually(has_come, "the span has been exported")


def otlp_settings(port: int, protocol: str) -> dict[str, str]:
    """The settings that make a process send its spans to a port of loopback."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
    }


@asynccontextmanager
async def receive_spans() -> AsyncGenerator[Receiver, None]:
    """A receiver that runs while the block does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            ports: dict[str, int] = json.loads(await process.stdout.readline())
        yield Receiver(**ports)
    finally:
        process.terminate()
        await process.wait()


def main() -> None:
    """Receive until ended."""
    store = SpanStore()
    over_grpc: Any = grpc.server(ThreadPoolExecutor(max_workers=4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(_Grpc(store), over_grpc)
    grpc_port: int = over_grpc.add_insecure_port("127.0.0.1:0")
    over_grpc.start()
    over_http = ThreadingHTTPServer(("127.0.0.1", 0), _http_handler(store))
    print(json.dumps({"http_port": over_http.server_port, "grpc_port": grpc_port}), flush=True)
    over_http.serve_forever()


if __name__ == "__main__":
    main()
