"""A real client of the Model Context Protocol plans studies through `hubel mcp`."""

import asyncio
import base64
import io
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from hubel.agent.ledger import Ledger

mcp = pytest.importorskip("mcp", reason="hubel mcp is not tested without the package mcp")

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
UNIT = "blocks.0:0"
RED = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
DOTS = {"terms": [{"weight": 1.0, "having": ["dotted object"]}]}
ABOVE, BELOW = {"op": ">", "value": 0}, {"op": "<=", "value": 0}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@asynccontextmanager
async def connected(home, *more):
    words = ["-m", "hubel", "mcp", "--model", TINY, "--data", "scenes:120", "--home", str(home)]
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=[*words, "--sandbox", "none", *more],
        env={"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]},
    )
    async with mcp.Client(server) as client:
        yield client


async def call(client, tool, **args):
    """The JSON of an answer, its pictures, and whether it is an error."""
    answer = await client.call_tool(tool, args)
    texts = [c.text for c in answer.content if c.type == "text"]
    images = [
        Image.open(io.BytesIO(base64.b64decode(c.data)))
        for c in answer.content
        if c.type == "image"
    ]
    told = json.loads(texts[0]) if texts and texts[0].startswith("{") else texts
    return told, images, answer.is_error


async def good(client, tool, **args):
    told, images, is_error = await call(client, tool, **args)
    assert not is_error, told
    return told, images


def test_a_client_runs_a_whole_study(home):
    async def study():
        async with connected(home) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert {"open_study", "hypothesize", "conclude", "activate", "run_python"} <= set(tools)
            assert "predictions" in tools["activate"].input_schema["properties"]
            assert "predictions" not in tools["run_python"].input_schema["properties"]
            assert "held_out_sample" not in tools
            seen = []
            answer = await client.call_tool(
                "open_study", {"unit": UNIT}, progress_callback=lambda *p: _append(seen, p)
            )
            assert not answer.is_error, answer
            assert [c.type for c in answer.content].count("image") == 12
            opened = json.loads(answer.content[0].text)
            assert opened["observations"][0]["tool"] == "exemplars"
            assert len(opened["pictures_not_shown"]) > 0
            assert seen, "no progress was told while the pictures were indexed"
            more = opened["pictures_not_shown"][:2]
            answer = await client.call_tool("look", {"pictures": more})
            assert [c.type for c in answer.content] == ["text", "image"] * 2

            await good(client, "survey", unit=UNIT)
            made, images = await good(client, "synthesize", n=8, having=["red object"])
            red = made["observations"][0]["result"]["values"]["stimuli"]
            assert len(images) == 8
            instruction = {"op": "without", "phrase": "red object"}
            without, _ = await good(client, "edit", stimuli=red, instruction=instruction)
            baseline = without["observations"][0]["result"]["values"]["stimuli"]
            await good(client, "hypothesize", name="red", claim="Red drives it.", form=RED)
            told, _ = await good(client, "hypothesize", name="dots", claim="Dots do.", form=DOTS)
            assert told["registered"] == ["red", "dots"]
            state, _ = await good(client, "study_state")
            assert state["not_yet_recorded"] == ["red", "dots"]
            predictions = [
                {"hypothesis": "red", "path": "contrast.mean", "expects": ABOVE, "refutes": BELOW},
                {"hypothesis": "dots", "path": "contrast.mean", "expects": BELOW, "refutes": ABOVE},
            ]
            told, _ = await good(
                client, "activate", unit=UNIT, stimuli=red, baseline=baseline,
                predictions=predictions, thought="Red away, and all else as it was.",
            )  # fmt: skip
            fates = {v["hypothesis"]: v["outcome"] for v in told["verdicts"]}
            assert fates == {"red": "supported", "dots": "refuted"}
            n = told["observations"][0]["n"]
            ended, _ = await good(client, "conclude", text="Red.", form=RED, evidence=[n])
            assert ended["verdict"] == "answered"
            assert set(ended) == {
                "study", "verdict", "stop", "detail", "report", "text", "score"
            }  # fmt: skip
            assert set(ended["score"]) == {"pearson", "ci", "n"}
            assert (await good(client, "study_state"))[0] == ended
            assert Path(ended["report"]).is_file()
            _, _, is_error = await call(client, "activate", unit=UNIT, stimuli=red)
            assert is_error
            return ended["study"]

    number = asyncio.run(study())
    with Ledger(home) as ledger:
        kept = ledger.study(number)
        assert (kept.planner, kept.stop) == ("mcp", "answered")
        assert ledger.experiments(number)[-1].tool == "held_out_sample"
        assert ledger.explanation(number).grade == "causal"
        thoughts = [m.content["step"]["thought"] for m in ledger.messages(number)[1:]]
        assert "Red away, and all else as it was." in thoughts


async def _append(seen, progress):
    seen.append(progress)


def test_what_cannot_be_done_is_answered_and_recorded(home):
    async def study():
        async with connected(home, "--budget", "calls=2") as client:
            told, _, is_error = await call(client, "exemplars", unit=UNIT)
            assert is_error
            assert "call open_study" in told[0]
            told, _, is_error = await call(client, "open_study", unit="blocks.9:0")
            assert is_error
            assert "blocks.0" in told[0]
            number = (await good(client, "open_study", unit=UNIT))[0]["study"]
            told, _, is_error = await call(client, "open_study", unit=UNIT)
            assert is_error
            assert f"Study {number} is open" in told[0]
            # No form: refused at once, and no step.
            told, _, is_error = await call(client, "hypothesize", name="h", claim="x", form={})
            assert is_error
            assert "not a form" in told[0]
            told, _, is_error = await call(client, "look", pictures=["0" * 64])
            assert is_error
            assert "names the picture" in told[0]
            # A slip in the name of a tool is no step either.
            told, _, is_error = await call(client, "activat", unit=UNIT, stimuli=["a"])
            assert is_error
            assert "Did you mean 'activate'" in told[0]
            # A step that the loop refuses, with the hypotheses that came with it.
            await good(client, "hypothesize", name="h", claim="x", form=RED)
            ghost = {"hypothesis": "ghost", "path": "x", "expects": ABOVE, "refutes": BELOW}
            told, _, is_error = await call(client, "survey", unit=UNIT, predictions=[ghost])
            assert is_error
            assert "'ghost'" in told["error"]
            assert told["not_recorded"] == ["h"]
            assert "warning" not in told
            # A conclusion that nothing supports is objected to.
            told, _, is_error = await call(client, "conclude", text="Red.", form=RED)
            assert is_error
            assert "never tested" in told["error"]
            assert "One more refused step" in told["warning"]
            # A call that the lab refuses is an experiment, and spends the budget; so does one more.
            told, _, is_error = await call(client, "activate", unit="blocks.9:0", stimuli=["a"])
            assert is_error
            assert told["observations"][0]["status"] == "refused"
            assert told["must_conclude"] is False
            told, _ = await good(client, "survey", unit=UNIT)
            assert told["must_conclude"] is True
            told, _, is_error = await call(client, "survey", unit=UNIT, n=50)
            assert told["stop"] == "budget"
            assert set(told) == {"study", "verdict", "stop", "detail", "report"}
            return number

    number = asyncio.run(study())
    with Ledger(home) as ledger:
        assert ledger.study(number).stop == "budget"
        assert ledger.hypotheses(number) == []
        asked = [e.tool for e in ledger.experiments(number) if e.asked_by == "planner"]
        assert asked == ["activate", "survey"]
        errors = [m.content["error"] for m in ledger.messages(number) if m.role == "error"]
        assert len(errors) == 3


def test_a_client_that_goes_away_leaves_its_study_to_the_next(home):
    async def leave():
        async with connected(home) as client:
            number = (await good(client, "open_study", unit=UNIT))[0]["study"]
            await good(client, "hypothesize", name="red", claim="Red drives it.", form=RED)
            await good(client, "synthesize", n=6, having=["red object"])
            return number

    async def resume(number):
        async with connected(home) as client:
            told, _ = await good(client, "resume_study", study=number)
            assert told["study"] == number
            assert [h["name"] for h in told["hypotheses"]] == ["red"]
            assert [o["tool"] for o in told["observations"]] == ["exemplars", "synthesize"]
            ended, _ = await good(client, "conclude", text="Nothing found.", form=None)
            assert ended["verdict"] == "nothing found"
            assert set(ended) == {"study", "verdict", "stop", "detail", "report"}
            for wrong in (number, number + 99):
                told, _, is_error = await call(client, "resume_study", study=wrong)
                assert is_error
                assert f"tudy {wrong}" in told[0]

    number = asyncio.run(leave())
    with Ledger(home) as ledger:
        assert ledger.study(number).finished is None
    asyncio.run(resume(number))
    with Ledger(home) as ledger:
        assert ledger.study(number).stop == "nothing found"
