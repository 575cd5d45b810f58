"""A step as its model wrote it: in JSON, or in native calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hubel.agent.form import Form
from hubel.agent.planners.openai.names import shortened
from hubel.agent.planners.openai.schemas import CONCLUDE, HYPOTHESIZE


def in_json(step: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """The message of the model that was this step.

    Args:
        step: As messages of the ledger have it.
        mode: ``json`` or ``text``.
    """
    written = json.dumps(_plain(step), ensure_ascii=False)
    fenced = f"```json\n{written}\n```" if mode == "text" else written
    return {"role": "assistant", "content": fenced}


def in_calls(n: int, step: Mapping[str, Any]) -> dict[str, Any]:
    """The message of the model that was this step, in native calls.

    Args:
        n: Number of the message in the study.
        step: As messages of the ledger have it.
    """
    calls = [
        # Nine letters and digits: some servers take nothing else.
        {
            "id": f"m{n % 10000:04d}c{i:03d}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(args, ensure_ascii=False)},
        }
        for i, (name, args) in enumerate(_calls(_plain(step)))
    ]
    thought = step["thought"] or None
    if not calls:
        return {"role": "assistant", "content": thought or "(nothing)"}
    return {"role": "assistant", "content": thought, "tool_calls": calls}


def _calls(step: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for claim in step["hypotheses"]:
        yield HYPOTHESIZE, claim
    for call in step["calls"]:
        more = {"predictions": call["predictions"]} if call["predictions"] else {}
        yield call["tool"], {**call["args"], **more}
    if step["conclusion"] is not None:
        yield CONCLUDE, step["conclusion"]


def _plain(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step with forms as they are written, short names, and without what is null."""
    claims = [_without_nulls({**h, "form": _written(h["form"])}) for h in step["hypotheses"]]
    calls = [_without_nulls(call) for call in step["calls"]]
    end = step["conclusion"]
    if end is not None:
        end = {**end, "form": None if end["form"] is None else _written(end["form"])}
    plain = {"thought": step["thought"], "hypotheses": claims, "calls": calls, "conclusion": end}
    return dict(shortened(plain))


def _written(form: Mapping[str, Any]) -> str:
    return str(Form.from_json(form))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(v) for v in value]
    return value
