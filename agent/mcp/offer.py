"""What the server offers: the lab's tools and those of a study, with JSON schemas."""

from __future__ import annotations

from typing import Any

import pydantic

from hubel.agent.planner import Claim, Conclusion, Predicted

#: What a client is told of the server.
INSTRUCTIONS = """\
Find out by experiment what a unit of a neural network responds to. Everything you do is recorded.

1. open_study names the unit and shows its exemplars. hubel units lists the units of the network.
2. hypothesize: several rivals, not one. Exemplars show only the top; survey the whole range, and
   look for exceptions and for a second meaning.
3. Test: call tools with `predictions` that say, before the call, which result each hypothesis
   expects and which would refute it. Prefer experiments that separate rivals: make or edit
   pictures, or change the network's inside. The measured number decides, not you.
4. conclude with a form that can be executed, citing experiments. It is scored on pictures that
   nobody has seen; claiming that nothing was found is an answer too.

A budget limits steps, calls and time; each answer says what is left."""

_WHY = "Why you do this; kept in the record."


class OpenStudy(pydantic.BaseModel):
    """Begin a study of one unit; shows its exemplars and statistics."""

    model_config = pydantic.ConfigDict(extra="forbid")

    unit: str = pydantic.Field(description="The unit, SITE:INDEX.")
    question: str = pydantic.Field(
        default="What does this unit respond to?", min_length=1, description="What is asked of it."
    )


class ResumeStudy(pydantic.BaseModel):
    """Go on with a study that a client left; tells all that is known so far."""

    model_config = pydantic.ConfigDict(extra="forbid")

    study: int = pydantic.Field(ge=1, description="Its number.")


class StudyState(pydantic.BaseModel):
    """Say where the study stands: hypotheses and their fates, experiments, budget left."""

    model_config = pydantic.ConfigDict(extra="forbid")


class Look(pydantic.BaseModel):
    """Show pictures of the study; it costs nothing."""

    model_config = pydantic.ConfigDict(extra="forbid")

    pictures: list[str] = pydantic.Field(
        min_length=1, max_length=12, description="Ids of pictures that results named."
    )


class Hypothesize(Claim):
    """Register a hypothesis, in words and as a form; it is recorded with your next call.

    A form is {"terms": [{"weight": 1.0, "having": ["red object"], "lacking": []}], "join": "sum"}.
    `revises` names the hypothesis that it replaces.
    """


class Conclude(Conclusion):
    """End the study with an answer; it is executed and scored on pictures that nobody has seen.

    A form of null claims that nothing was found. `evidence`: numbers of the experiments that the
    text rests on. `exceptions`: what does not follow the form.
    """

    thought: str = pydantic.Field(default="", description=_WHY)


#: The tools of a study, besides those of the lab.
OF_STUDIES: dict[str, type[pydantic.BaseModel]] = {
    "open_study": OpenStudy,
    "resume_study": ResumeStudy,
    "study_state": StudyState,
    "look": Look,
    "hypothesize": Hypothesize,
    "conclude": Conclude,
}


def offered(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name, description and schema of every tool.

    Args:
        tools: The announced tools that a planner may call.
    """
    own = [
        {"name": name, "description": model.__doc__, "schema": _schema(model)}
        for name, model in OF_STUDIES.items()
    ]
    return [*own, *(_with_predictions(tool) for tool in tools)]


def _schema(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.pop("description", None)
    return schema


def _with_predictions(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool of the lab, with what a planner says of the call besides its arguments."""
    schema = dict(tool["parameters"])
    why = {"type": "string", "default": "", "description": _WHY}
    extra: dict[str, Any] = {"thought": why}
    if tool["kind"] != "computation":
        of = pydantic.TypeAdapter(list[Predicted]).json_schema()
        schema["$defs"] = {**schema.get("$defs", {}), **of.pop("$defs")}
        told = "What each hypothesis expects of the result, and what would refute it."
        extra["predictions"] = {**of, "default": [], "description": told}
    if taken := schema.get("properties", {}).keys() & extra.keys():
        raise TypeError(f"the tool '{tool['name']}' has an argument '{min(taken)}' of its own")
    schema["properties"] = {**schema.get("properties", {}), **extra}
    schema.setdefault("type", "object")
    return {"name": tool["name"], "description": tool["doc"], "schema": schema}
