"""Finished studies in a real ledger: real pictures, real scores, a planted unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image
from tests.agent.author import NULL, PLANTED, UNIT, Author

from hubel.agent.ledger import Ledger


def answered(ledger: Ledger, text: str | None = None) -> int:
    """A study of the planted unit, with everything that a study can hold."""
    author = Author(ledger, PLANTED)
    first = author.exemplars()
    author.step("What goes with the unit’s activation, over its whole range?")
    author.call("survey", "observation", {"unit": UNIT, "n": 40}, author.sample(32))
    singles = [
        {"statistic": name, "correlation": r}
        for name, r in (("a red patch", 0.44), ("edges", 0.12), ("brightness", -0.05))
    ]
    stats = {
        "pictures": {"n": 40, "groups": 41},
        "together": {"r2": 0.21, "ci": [0.09, 0.33], "p": 0.002},
        "best": {**singles[0], "ci": [0.31, 0.56], "p": 0.001},
        "singles": singles,
    }
    author.call("image_stats", "observation", {"unit": UNIT}, stats, metric="explained variance")
    claims = {"red object": 1.9, "striped object": 0.9, "circle": 1.2, "green object": 0.4}
    author.step("Two terms predict unseen parts of the survey with a correlation of 0.71.", claims)
    author.call(
        "find",
        "observation",
        {"phrase": "a red patsch", "n": 12},
        status="refused",
        error="No picture can be judged for 'a red patsch'. Did you mean 'a red patch'?",
    )
    author.minimal_pairs("red object", "h1")
    author.minimal_pairs("striped object", "h2")
    author.minimal_pairs("circle", "h3", least=0.9)
    author.look_inside(first.values["stimuli"][:8])
    author.call(
        "activate",
        "observation",
        {"unit": UNIT, "stimuli": first.values["stimuli"][:3]},
        status="lost",
        error="The lab was lost during 'activate': the other side closed the channel.",
    )
    text = text or (
        "The unit responds to red objects and, less, to striped ones. Taking away the red object "
        "changed it as predicted (#7)."
    )
    claimed = {"red object": 1.9, "striped object": 0.9, "a red patch": 0.7, "text": -0.6}
    author.conclude(text, claimed, [1, 2, 7, 10])
    return author.study


def nothing_found(ledger: Ledger) -> int:
    """A study of a unit that is noise."""
    author = Author(ledger, NULL, pictures=60)
    author.exemplars()
    author.step("What goes with the unit’s activation?", {"purple object": 0.2})
    author.call("survey", "observation", {"unit": UNIT, "n": 40}, author.sample(32))
    author.minimal_pairs("purple object", "h1", n=6)
    author.conclude("It responds to purple objects.", {"purple object": 0.2}, [1, 2])
    return author.study


def unfinished(ledger: Ledger, stop: str | None = None, detail: str | None = None) -> int:
    """A study that was cut off in its second experiment."""
    author = Author(ledger, PLANTED, pictures=24)
    author.exemplars()
    author.step("What goes with the unit’s activation?", {"red object": 1.0})
    author.call("survey", "observation", {"unit": UNIT, "n": 40}, status="running")
    if stop is not None:
        ledger.end(author.study, stop, detail)
    return author.study


def hostile(ledger: Ledger, evil: str) -> int:
    """A study in which everything that others wrote is an attack."""
    author = Author(
        ledger, PLANTED, pictures=24, question=evil, model=evil, unit=evil, data=evil, planner=evil
    )
    picture = ledger.pictures.put(
        Image.new("RGB", (48, 32), "teal"),
        {"kind": "picture", "data": evil, "item": evil, "labels": [evil], "caption": evil},
        "stimulus",
    )
    values: dict[str, Any] = {
        "stimuli": [picture.id],
        "activation": [1.0],
        "labels": [[evil]],
        "concepts": [{evil: 1.0}],
    }
    author.call("exemplars", "observation", {"unit": evil}, values, [picture], by="program")
    author.step(evil, {evil: 1.0}, calls=[{"tool": evil, "args": {evil: evil}}])
    values = {
        evil: evil, "list": [evil], "table": [{evil: evil}], "stimuli": [picture.id],
        "found": [{"label": evil, "mean": 1.0, "ci": [0.5, 1.5]}],
    }  # fmt: skip
    author.call(evil, evil, {evil: [evil]}, values, [picture], metric=evil, measures={evil: evil})
    author.call("edit", "stimulus", {evil: evil}, status="broken", error=f"{evil}\n{evil}")
    author.conclude(evil, {evil: 1.0}, [1, 2])
    return author.study


STUDIES: dict[str, Callable[[Ledger], int]] = {
    "answered": answered,
    "nothing found": nothing_found,
    "unfinished": unfinished,
}
