"""What tests look for in requests to chat completions."""

from __future__ import annotations

import json
import re

from tests.agent.chat_replies import Body


def is_probe(body: Body) -> bool:
    """Whether a request asks what the server can do."""
    named = [t["function"]["name"] for t in body.get("tools") or ()]
    return named == ["ready"] or '"ready"' in texts(body)[-1]


def texts(body: Body) -> list[str]:
    """The text of each message."""
    found = []
    for message in body["messages"]:
        content = message.get("content") or ""
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        found.append("\n".join(p["text"] for p in parts if p["type"] == "text"))
    return found


def has_images(body: Body) -> bool:
    """Whether a request holds pictures."""
    return count_images(body) > 0


def count_images(body: Body) -> int:
    """How many pictures a request holds."""
    return json.dumps(body).count('"type": "image_url"')


def pictures_in(body: Body) -> list[str]:
    """The pictures that the last result in a request names as its stimuli, in order."""
    for text in reversed(texts(body)):
        if found := re.findall(r'"?stimuli"?: ?\[([^\]]*)\]', text):
            return re.findall(r"[0-9a-f]{8,64}", found[-1])
    return []
