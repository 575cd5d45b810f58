"""A real, small and useless language model behind chat completions on loopback.

SmolLM2-135M-Instruct by transformers, for planners that have to bear whatever a model says. As some
small servers do, it keeps the end of a conversation that is too long for it. With `calls`, tool
calls are decoded under a grammar: the name and the kinds of required arguments are right, the rest
is the model's; without, requests for tools are answered in text.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Self


class Smol:
    """The model.

    Args:
        folder: With ``config.json``, ``model.safetensors`` and the tokenizer.
        room: Tokens of a conversation that are read.
        longest: Tokens of an answer.
    """

    def __init__(self, folder: Path, room: int = 256, longest: int = 36) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._torch, self.room, self.longest = torch, room, longest
        self._tokens = AutoTokenizer.from_pretrained(folder)
        self._net = AutoModelForCausalLM.from_pretrained(folder).eval()
        torch.manual_seed(0)

    def chat(self, messages: Sequence[dict[str, Any]], begun: str = "") -> str:
        """A conversation as text, up to where the model goes on."""
        said = [
            {"role": m["role"] if m["role"] in ("system", "assistant") else "user",
             "content": _text(m)} for m in messages
        ]  # fmt: skip
        text = self._tokens.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        return text + begun

    def write(self, text: str, longest: int | None = None, until: str | None = None) -> str:
        """Words that go on a text, drawn at random as the model has them."""
        ids = self._ids(text)
        with self._torch.no_grad():
            out = self._net.generate(
                ids,
                attention_mask=self._torch.ones_like(ids),
                max_new_tokens=longest or self.longest,
                do_sample=True,
                temperature=0.8,
                top_p=0.95,
                pad_token_id=self._tokens.eos_token_id,
                **({"stop_strings": [until], "tokenizer": self._tokens} if until else {}),
            )
        said = self._tokens.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
        return said.split(until)[0] if until else said

    def choose(self, text: str, options: Sequence[str]) -> str:
        """The option that the model finds likeliest at this place, by its first token."""
        with self._torch.no_grad():
            logits = self._net(self._ids(text)).logits[0, -1]
        first = [self._tokens(o, add_special_tokens=False).input_ids[0] for o in options]
        chances = self._torch.softmax(logits[first], 0)
        return options[int(self._torch.multinomial(chances, 1))]

    def call(self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]]) -> Any:
        """A tool call: name and arguments."""
        functions = {t["function"]["name"]: t["function"]["parameters"] for t in tools}
        begun = self.chat(messages, '<tool_call>{"name": "')
        name = self.choose(begun, list(functions))
        begun += name + '", "arguments": {'
        args = {}
        for key in functions[name].get("required", ()):
            kind = functions[name]["properties"][key]
            args[key] = self._argument(f'{begun}"{key}": ', kind)
            begun += f'"{key}": {json.dumps(args[key])}, '
        return name, args

    def _argument(self, begun: str, kind: dict[str, Any]) -> Any:
        if "enum" in kind:
            return self.choose(begun + '"', kind["enum"])
        if kind.get("type") == "integer":
            digits = self.write(begun, 3, ",").strip()
            return int(digits) if digits.isdecimal() else 0
        if kind.get("type") == "array":
            return [self.write(begun + '["', 12, '"')]
        if kind.get("type") == "object":
            return {"op": self.write(begun + '{"op": "', 8, '"')}
        return self.write(begun + '"', 20, '"')

    def _ids(self, text: str) -> Any:
        ids = self._tokens(text, return_tensors="pt", add_special_tokens=False).input_ids
        return ids[:, -self.room :]


class SmolServer:
    """The server, running while it is entered; `requests` counts, `words` keeps what was said."""

    def __init__(self, model: Smol, *, calls: bool) -> None:
        self.model, self.calls = model, calls
        self.requests, self.words = 0, []

    def __enter__(self) -> Self:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                """Nothing on the terminal."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                data = json.dumps(owner.answer(body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """A completion; pictures are not looked at."""
        self.requests += 1
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if body.get("tools") and self.calls:
            name, args = self.model.call(body["messages"], body["tools"])
            function = {"name": name, "arguments": json.dumps(args)}
            message["tool_calls"] = [
                {"id": f"c{self.requests}", "type": "function", "function": function}
            ]
            self.words.append(json.dumps(function))
        else:
            message["content"] = self.model.write(self.model.chat(body["messages"]))
            self.words.append(message["content"])
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        return {
            "id": "smol", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        }  # fmt: skip


def _text(message: dict[str, Any]) -> str:
    """The words of a message, with the calls that it made."""
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "\n".join(p["text"] for p in content if p["type"] == "text")
    calls = [c["function"] for c in message.get("tool_calls") or ()]
    return content + (f"\n<tool_call>{json.dumps(calls)}" if calls else "")
