"""Studies planned by a server that misbehaves at random: each ends by name, and none is false."""

import io
import json
import os
import random
import re
import threading
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.agent import example_study
from tests.agent.author import NULL, UNIT, Author, form
from tests.agent.chat_server import (
    FAULTS,
    PASSING,
    Can,
    ChatServer,
    Reply,
    concludes,
    pictures_in,
    step,
    texts,
)
from tests.agent.consistency import flaws
from tests.tiny import CONSTANT, RANDOM, RED

from hubel.agent.budget import Budget
from hubel.agent.display import Display, SafeConsole
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planner import PlannerFailed
from hubel.agent.planners.openai import OpenAIPlanner, Patience
from hubel.agent.records import Explanation, Score
from hubel.agent.report import write_report
from hubel.agent.show import show_study
from hubel.sandbox.session import LabSession, LabSettings

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
LIKES_RED, LIKES_DOTS = "1*[red object] + 0.5*[a red patch]", "1*[dotted object]"
IMPATIENT = Patience(tries=3, wait=0.005, longest_wait=0.02, silence=0.4)
#: Seconds that no study may take, its budget being a minute: a hang.
LONGEST = 300


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with LabSession(LabSettings(TINY, "scenes:160", home)) as session:
        yield session


def predicts(name, op):
    other = {">": "<=", "<": ">="}[op]
    return {
        "hypothesis": name, "path": "contrast.mean", "expects": {"op": op, "value": 0.0},
        "refutes": {"op": other, "value": 0.0},
    }  # fmt: skip


def scripted(rng, unit):
    """A sound study, sometimes with steps left out, doubled or in another order."""
    claims = [
        {"name": n, "claim": f"{n} drives it", "form": f, "revises": None}
        for n, f in (("red", LIKES_RED), ("dots", LIKES_DOTS))
    ]

    def tests(body):
        for text in reversed(texts(body)):
            if found := re.search(r'"stimuli": \[([^\]]*)\], "parents": \[([^\]]*)\]', text):
                edited, parents = (re.findall("[0-9a-f]{8}", group) for group in found.groups())
                args = {"unit": unit, "stimuli": parents, "baseline": edited}
                predicted = [predicts("red", ">"), predicts("dots", "<")]
                return step(calls=[("activate", args, predicted)])
        return step("There is no pair.", calls=[("exemplars", {"unit": unit, "k": 4})])

    def edits(body):
        without = {"op": "without", "phrase": "red object"}
        return step(calls=[("edit", {"stimuli": pictures_in(body), "instruction": without})])

    moves = [
        step("The range.", calls=[("survey", {"unit": unit, "n": 60})]),
        step("Rivals.", claims, [("synthesize", {"n": 9, "having": ["red object"]})]),
        edits,
        tests,
    ]
    if rng.random() < 0.3:
        rng.shuffle(moves)
    moves = [m for m in moves for _ in range(rng.choice([1, 1, 1, 1, 0, 2]))]
    said = rng.choice([LIKES_RED, LIKES_RED, LIKES_DOTS, None])
    last = concludes(said, "So it is.", rng.choice([[2], [2], [1, 2], [1, 2], [], [99]]))
    obedient = rng.random() < 0.7
    return [
        *[lambda body, move=move: _move(body, move, last if obedient else None) for move in moves],
        *[last] * 30,
    ]


def _move(body, move, last):
    """A move of the script; an obedient model concludes when it is told to."""
    if last and any("The budget is spent" in text for text in texts(body)[-2:]):
        return last
    return move(body) if callable(move) else move


def a_study(seed, ledger, lab):
    """Run one study with the faults of a seed; gives the study and the faults that befell it."""
    rng = random.Random(seed)
    unit = rng.choice([RED, RED, CONSTANT, RANDOM])
    share = rng.choice([0.1, 0.2, 0.3, 0.5])
    kinds = rng.choice([PASSING, PASSING, FAULTS])
    faults = [rng.choice(kinds) if rng.random() < share else None for _ in range(200)]
    can = Can(
        tools=rng.choice(["yes", "yes", "no", "ignored"]),
        response_format=rng.choice(["json_schema", "json_object", "no"]),
        images=rng.choice(["yes", "no", "ignored"]),
        streams=rng.choice(["yes", "yes", "no", "ignored"]),
        usage=rng.choice(["yes", "no", "refused"]),
        context=rng.choice([None] * 6 + [60_000, 12_000]),
    )
    budget = asdict(
        Budget(
            rounds=rng.randint(3, 20),
            calls=rng.randint(2, 14),
            seconds=60.0,
            tokens=rng.choice([None, None, None, 4_000]),
        )
    )
    stop_after = rng.choice([None] * 9 + [rng.randint(1, 9)])
    cancel, seen = threading.Event(), []

    def watch(event, _details):
        seen.append(event)
        if len([e for e in seen if e in ("step", "result", "error")]) == stop_after:
            cancel.set()

    number = ledger.begin(
        question="What is it for?", model=TINY, unit=unit, data="scenes:160",
        planner="openai/scripted", device="cpu", seed=seed, budget=budget, options={},
    ).id  # fmt: skip
    begun = time.monotonic()
    with ChatServer(scripted(rng, unit), faults, can) as server:
        planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, IMPATIENT)
        ended = run(number, ledger, lab, planner, watch, cancel=cancel)
    took = time.monotonic() - begun
    wrong = flaws(ledger, number)
    if took > LONGEST:
        wrong.append(f"it took {took:.0f} s")
    if len(ledger.llm_calls(number)) != len(server.requests):
        wrong.append(f"{len(server.requests)} requests, {len(ledger.llm_calls(number))} recorded")
    if ended.stop == "answered" and unit == CONSTANT:
        wrong.append("it claims a meaning of a constant unit")
    return ended, server.faulted, [f"seed {seed} ({ended.stop}): {flaw}" for flaw in wrong]


@pytest.mark.parametrize(
    ("seeds", "stops_seen", "faults_seen"),
    [
        pytest.param(range(10), 3, 10, id="10"),
        pytest.param(
            range(10, 500), 5, 20, id="500", marks=[pytest.mark.slow, pytest.mark.timeout(7200)]
        ),
    ],
)
def test_every_study_ends_by_name_with_a_whole_ledger_and_no_false_answer(
    lab, seeds, stops_seen, faults_seen
):
    stops, faults, wrong = Counter(), Counter(), []
    with Ledger(lab.settings.home) as ledger:
        for seed in seeds:
            ended, befell, found = a_study(seed, ledger, lab)
            stops[ended.stop] += 1
            faults.update(befell)
            wrong += found
    told = json.dumps({"stops": stops, "faults": faults}, indent=1)
    if path := os.environ.get("HUBEL_FAULTS_TO"):
        Path(path).write_text(told)
    assert wrong == []
    # It is no proof if nothing happened.
    assert len(stops) >= stops_seen
    assert len(faults) >= faults_seen


def test_the_checker_finds_what_is_wrong(tmp_path):
    """Studies that are wrong on purpose: a false answer, one that runs still, one with no reason."""
    with Ledger(tmp_path) as ledger:
        assert flaws(ledger, example_study.nothing_found(ledger)) == []
        (cut,) = flaws(ledger, example_study.unfinished(ledger, "budget"))
        assert cut == "an experiment runs still, or was made twice"
        assert (
            flaws(ledger, example_study.unfinished(ledger, "tired"))[0] == "it stopped by 'tired'"
        )
        author = Author(ledger, NULL, pictures=60)
        author.exemplars()
        author.step("So.", conclusion={"text": "Purple.", "form": None})
        sample = author.sample(60)
        author.call("held_out_sample", "observation", {"unit": UNIT}, sample, by="program")
        claimed = form({"purple elephant": 1.0})
        false = Explanation("answered", "Purple.", claimed, [], "causal", [1])
        ledger.conclude(author.study, false, [Score("explanation", 0.9, 0.8, 0.95, 60, {})])
        ledger.end(author.study, "answered", None)
        claims, scores = flaws(ledger, author.study)
        assert claims.startswith("it claims an answer that reaches")
        assert scores.startswith("its score is 0.9000, and should be")


HALF = "half a character \ud800 here"


class Failing:
    name = "failing"

    def next(self, view):
        raise PlannerFailed(HALF)


def test_half_characters_reach_no_file_and_no_terminal(lab, tmp_path):
    """JSON can hold them; UTF-8 cannot."""
    said = [
        Reply(text=HALF),
        step(HALF, calls=[("find", {"phrase": HALF})]),
        step(calls=[("survey", {"unit": RED, "n": 60})]),
        *[concludes("1*[red object]", HALF)] * 3,
    ]
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with Ledger(lab.settings.home) as ledger, ChatServer(said) as server:
        talking = OpenAIPlanner("openai/scripted", server.url, ledger.home, IMPATIENT)
        for planner in (talking, Failing()):
            number = ledger.begin(
                question="?", model=TINY, unit=RED, data="scenes:160", planner=planner.name,
                device="cpu", seed=0, budget=asdict(Budget()), options={},
            ).id  # fmt: skip
            display = Display(SafeConsole(file=terminal, force_terminal=True))
            ended = run(number, ledger, lab, planner, display.watch)
            assert ended.stop == "planner failed"
            assert flaws(ledger, number) == []
            show_study(ledger, number, SafeConsole(file=terminal))
            write_report(ledger, number, tmp_path / "report.html")
        terminal.flush()


def test_without_faults_a_sound_study_is_answered(lab):
    """The control: what fails above fails by the faults."""
    with Ledger(lab.settings.home) as ledger:
        number = ledger.begin(
            question="?", model=TINY, unit=RED, data="scenes:160", planner="openai/scripted",
            device="cpu", seed=0, budget=asdict(Budget()), options={},
        ).id  # fmt: skip

        class Steady(random.Random):
            def random(self):
                return 0.9

            def choice(self, listed):
                return listed[0]

        with ChatServer(scripted(Steady(0), RED)) as server:
            planner = OpenAIPlanner("openai/scripted", server.url, ledger.home, IMPATIENT)
            ended = run(number, ledger, lab, planner)
        assert ended.stop == "answered"
        assert flaws(ledger, number) == []
        assert {v.hypothesis: v.outcome for v in ledger.verdicts(number)} == {
            "red": "supported", "dots": "refuted"
        }  # fmt: skip
