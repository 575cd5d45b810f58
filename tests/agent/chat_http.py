"""The HTTP of a scripted server of chat completions: its answers, streamed or not, and faults."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.agent.chat_replies import SPOILT, STATUS, Body, Reply, chunks, error, whole
from tests.agent.chat_requests import count_images, has_images, is_probe, texts

if TYPE_CHECKING:
    from tests.agent.chat_server import ChatServer


class Server(ThreadingHTTPServer):
    daemon_threads = True
    scripted: ChatServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what some faults are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: Any) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def do_POST(self) -> None:
        scripted = self.server.scripted
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        scripted.requests.append(body)
        scripted.headers.append({k.lower(): v for k, v in self.headers.items()})
        if refused := self._refused(body):
            self._json(*refused)
            return
        fault = scripted.fault_for(body)
        if fault in STATUS:
            status, wrong, headers = STATUS[fault]
            self._json(status, {"error": wrong}, headers)
        elif fault == "html":
            self._send(200, b"<html><body>Welcome</body></html>", "text/html")
        elif fault == "hang":
            self._wait()
        elif fault == "no answer":
            self.close_connection = True
        else:
            self._give(body, fault)

    def _refused(self, body: Body) -> tuple[int, Body] | None:
        """The server's refusal of what it cannot do."""
        can = self.server.scripted.can
        if can.key is not None and self.headers.get("Authorization") != f"Bearer {can.key}":
            given = self.headers.get("Authorization", "none")
            return 401, error(f"Incorrect API key provided: {given}", "invalid_api_key")
        if "tools" in body and can.tools == "no":
            return 400, error("this model does not support tools")
        kind = (body.get("response_format") or {}).get("type", "text")
        if kind != "text" and kind not in (can.response_format, "json_object"):
            return 400, error(f"response_format {kind} is not supported")
        if kind != "text" and can.response_format == "no":
            return 400, error("unknown field response_format")
        if has_images(body) and can.images == "no":
            return 400, error("image input is not supported: this is no multimodal model")
        if body.get("stream") and can.streams == "no":
            return 400, error("stream is not supported")
        if body.get("stream_options") and can.usage == "refused":
            return 400, error("unknown field stream_options")
        size = sum(map(len, texts(body))) + 1000 * count_images(body)
        if can.context is not None and size > can.context and not is_probe(body):
            return 400, {"error": STATUS["overflow"][1]}
        return None

    def _give(self, body: Body, fault: str | None) -> None:
        scripted = self.server.scripted
        # An answer that goes wrong is given again in full.
        reply = scripted.answer(body, keep=fault is not None)
        if fault in SPOILT:
            reply = SPOILT[fault](reply)
        if body.get("stream") and scripted.can.streams == "yes":
            self._stream(reply, body, fault)
        elif fault in ("drop", "no end", "garbage", "error in stream", "hang midway"):
            self._send(200, b'{"choices": [{"mess', "application/json")
        else:
            self._json(200, whole(reply, usage=scripted.can.usage != "no"))

    def _stream(self, reply: Reply, body: Body, fault: str | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        wants = (body.get("stream_options") or {}).get("include_usage")
        usage = bool(wants) and self.server.scripted.can.usage == "yes"
        events = list(chunks(reply, usage=usage))
        for number, event in enumerate(events):
            if number == max(1, len(events) // 2):
                if fault == "drop":
                    self.close_connection = True
                    self.wfile.flush()
                    self.connection.close()
                    return
                if fault == "no end":
                    break
                if fault == "garbage":
                    self._chunk(b"data: {]]<<garbage>>\n\n")
                    break
                if fault == "error in stream":
                    self._event({"error": {"message": "the engine died", "code": 500}})
                    break
                if fault == "hang midway":
                    self.wfile.flush()
                    self._wait()
                    return
            self._event(event)
        else:
            self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, chunk: Body) -> None:
        self._chunk(b"data: " + json.dumps(chunk).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _json(self, status: int, value: Body, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), "application/json", headers)

    def _send(
        self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _wait(self) -> None:
        """Until the test is over: the client has given up long before."""
        self.close_connection = True
        self.server.scripted.closing.wait(60)
