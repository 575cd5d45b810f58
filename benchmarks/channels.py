"""Explain channels of the bundled network, and controls that have no meaning; write the table.

    python benchmarks/channels.py --home FOLDER --to docs/channels.md

Channels are drawn by a fixed seed, spread evenly over the 16 blocks. The controls: the same
channels of a twin with permuted weights, random directions in the real network, and planted
channels of noise. Interrupted, it goes on where it was: studies are looked up in the ledger.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from hubel.agent.budget import Budget
from hubel.agent.confirm import PICTURES, Sample
from hubel.agent.experiments import experiment_seed
from hubel.agent.ledger import Ledger
from hubel.agent.loop import run
from hubel.agent.planners import open_planner
from hubel.agent.records import Study
from hubel.evals.baselines import one_shot
from hubel.evals.families.directions import random_directions
from hubel.sandbox.session import LabSession, LabSettings

QUESTION = "What does this unit respond to?"
DATA = "demo"


def channels(target: dict[str, Any], count: int, seed: int) -> list[str]:
    """Channels spread evenly over the main sites, drawn without replacement."""
    rng = np.random.default_rng(seed)
    units = {s["name"]: s["units"] for s in target["sites"]}
    sites = [target["main_sites"][i * 16 // count % 16] for i in range(count)]
    picked = [f"{site}:{rng.integers(units[site])}" for site in sites]
    return list(dict.fromkeys(picked))


def explain(ledger: Ledger, lab: LabSession, unit: str) -> Study:
    """The finished study of a unit: the one in the ledger, gone on with, or a new one."""
    same = [s for s in ledger.studies() if (s.model, s.unit) == (lab.settings.target, unit)]
    study = same[-1] if same else ledger.begin(
        question=QUESTION, model=lab.settings.target, unit=unit, data=DATA, planner="builtin",
        device=lab.settings.device, seed=0, budget=asdict(Budget()),
    )  # fmt: skip
    return run(study.id, ledger, lab, open_planner("builtin"))


def baseline(ledger: Ledger, lab: LabSession, study: Study) -> tuple[float, str]:
    """Held-out correlation of the one-shot baseline on the study's own held-out pictures."""
    experiments = ledger.experiments(study.id)
    exemplars, sample = experiments[0], experiments[-1]
    form = one_shot(exemplars.values["concepts"])
    args = {"unit": study.unit, "n": PICTURES, "phrases": form.phrases}
    values = lab.call("held_out_sample", args, experiment_seed(study.seed, sample.n))["values"]
    score = Sample(values, form.phrases).correlate(form, sample.seed)
    return score.pearson, ", ".join(form.phrases)


def table(ledger: Ledger, lab: LabSession, units: list[str]) -> list[dict[str, Any]]:
    """One row a unit."""
    rows = []
    for unit in units:
        begun = time.monotonic()
        study = explain(ledger, lab, unit)
        explanation = ledger.explanation(study.id)
        score = ledger.scores(study.id)["explanation"]
        simple, named = baseline(ledger, lab, study)
        row = {
            "unit": unit,
            "verdict": explanation.verdict if explanation else study.stop,
            "text": explanation.text if explanation else "",
            "grade": explanation.grade
            if explanation and explanation.verdict == "answered"
            else "-",
            "pearson": score.pearson,
            "ci": (score.ci_low, score.ci_high),
            "floor": score.detail["shuffled"],
            "ceiling": score.detail["ceiling"] or 0.0,
            "by": {k: v["pearson"] for k, v in score.detail["by_population"].items()},
            "baseline": simple,
            "baseline_names": named,
            "seconds": ledger.seconds(study.id),
        }
        rows.append(row)
        print(
            f"{lab.settings.target} {unit}: {row['verdict']} r={score.pearson:.2f} "
            f"baseline {simple:.2f} ({time.monotonic() - begun:.0f} s)",
            flush=True,
        )
    return rows


def page(real: list[dict[str, Any]], controls: dict[str, list[dict[str, Any]]]) -> str:
    """The page of the documentation."""
    ours = [r["pearson"] for r in real]
    simple = [r["baseline"] for r in real]
    better = sum(r["pearson"] > r["baseline"] for r in real)
    seconds = statistics.median(r["seconds"] for r in real)
    lines = [
        "# Channels of the bundled network\n\n",
        "Made by `python benchmarks/channels.py --home FOLDER --to docs/channels.md` with the\n",
        "built-in planner, the `demo` pictures (natural patches and rendered scenes) and seed 0,\n",
        f"on {platform.system()} {platform.machine()}, CPU. r is the weighted correlation of the\n",
        "executed explanation with the activations of held-out pictures, with its 95% interval;\n",
        "floor is the 95th percentile of shuffled predictions; ceiling is the unit against itself\n",
        "on the same pictures under pixel noise of 8 grey levels; one-shot is the baseline that names the\n",
        "commonest concepts of the top exemplars.\n\n",
        f"Mean r over {len(real)} channels (one about which nothing is claimed counts with the r of its rejected\n",
        f"candidate, 0 without one): **{statistics.mean(ours):.2f}**; one-shot baseline "
        f"**{statistics.mean(simple):.2f}**; better on {better} of {len(real)}. Answered: "
        f"{sum(r['verdict'] == 'answered' for r in real)} of {len(real)}. Median time of a study,\n"
        f"the index being there: {seconds:.0f} s.\n\n",
        "| unit | r (95%) | scenes / pictures | floor | ceiling | one-shot | grade "
        "| explanation |\n",
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    ]
    for r in real:
        low, high = r["ci"]
        by = " / ".join(
            f"{r['by'][p]:.2f}" if p in r["by"] else "-" for p in ("rendered scenes", "pictures")
        )
        lines.append(
            f"| `{r['unit']}` | {r['pearson']:.2f} ({low:.2f}, {high:.2f}) | {by} "
            f"| {r['floor']:.2f} | {r['ceiling']:.2f} | {r['baseline']:.2f} | {r['grade']} "
            f"| {r['text']} |\n"
        )
    lines += [
        "\n## Controls\n\n"
        "Planted noise has no meaning by construction: a claim about it is a false discovery. A channel of\n"
        "the twin with permuted weights and a random direction were never learned, but they are functions of\n"
        "the picture all the same, and answer to edges, contrast and colour; what is claimed of them held on\n"
        "unseen pictures too. So a good score says that a unit follows the named concepts, not that training\n"
        "put it there; read a channel's score beside these.\n"
        "\n",
        "| control | units | claimed | mean r of the best candidate | one-shot |\n",
        "| --- | --- | --- | --- | --- |\n",
    ]
    for name, rows in controls.items():
        claimed = sum(r["verdict"] == "answered" for r in rows)
        lines.append(
            f"| {name} | {len(rows)} | {claimed} | {statistics.mean(r['pearson'] for r in rows):.2f}"
            f" | {statistics.mean(r['baseline'] for r in rows):.2f} |\n"
        )
    return "".join(lines)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "hubel-channels")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--channels", type=int, default=24)
    parser.add_argument("--controls", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    real: list[dict[str, Any]] = []
    controls: dict[str, list[dict[str, Any]]] = {}

    def lab(target: str) -> LabSession:
        return LabSession(LabSettings(target, DATA, options.home))

    with Ledger(options.home) as ledger:
        with lab("demo") as session:
            picked = channels(session.hello["target"], options.channels, options.seed)
            sites = {s["name"]: s["units"] for s in session.hello["target"]["sites"]}
            real = table(ledger, session, picked)
            rows = []
            for site in ("_blocks.4", "_blocks.12"):
                file = options.home / f"directions-{site}.safetensors"
                random_directions(file, sites[site], 6, options.seed)
                rows += [f"{site}@{file}:{i}" for i in range(6)]
            controls["random direction"] = table(ledger, session, rows)
        few = picked[:: max(1, len(picked) // options.controls)]
        with lab("shuffled:demo") as session:
            controls["channel of the shuffled twin"] = table(ledger, session, few)
        with lab("null:demo") as session:
            nulls = [f"{s}:{sites[s]}" for s in session.hello["target"]["main_sites"]]
            controls["planted noise"] = table(ledger, session, nulls)
    text = page(real, controls)
    print(text) if options.to is None else options.to.write_text(text)


if __name__ == "__main__":
    main()
