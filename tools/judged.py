"""Pictures of the data set by number, and which concepts are in them, judged once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from hubel.tools import concepts
from hubel.tools.context import Context
from hubel.tools.data import Item, UnreadablePicture
from hubel.tools.files import write_whole
from hubel.tools.spec import ToolError

#: What the judge is made of, beside `concepts` itself and the folder of scenes.
_JUDGE = ("concepts.py", "statistics.py", "measures.py", "colours.py")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of a picture without looking at it again.

    Attributes:
        name: Its name in the data set.
        population: ``rendered scenes``, whose content is known exactly, or ``pictures``.
        concepts: Phrase -> degree in (0, 1]; an absent phrase has degree 0.
    """

    name: str
    population: str
    concepts: dict[str, float]


def item(ctx: Context, number: int) -> Item:
    """Read a picture of the data set.

    Raises:
        ToolError: It can no longer be read.
    """
    try:
        return ctx.data.item(number)
    except UnreadablePicture as error:
        raise ToolError(f"A picture that was indexed can no longer be read: {error}") from None


def judged(ctx: Context, numbers: Sequence[int]) -> list[Judgement]:
    """The concepts in pictures of the data set that were indexed, and so could be read.

    Raises:
        ToolError: A picture can no longer be read.
    """
    found = judged_if_readable(ctx, numbers)
    for number in numbers:
        if number not in found:
            item(ctx, number)  # raises, and says which picture it is and why
    return [found[number] for number in numbers]


def judged_if_readable(ctx: Context, numbers: Sequence[int]) -> dict[int, Judgement]:
    """The concepts in those pictures of the data set that can be read, by number.

    Judgements are kept in the cache for as long as data set and judge stay the same.
    """
    key = hashlib.sha256(f"{ctx.data.fingerprint()} {_judge_version()}".encode()).hexdigest()
    path = ctx.cache / "concepts" / f"{key[:32]}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    new = [n for n in dict.fromkeys(numbers) if str(n) not in known]
    for done, number in enumerate(new, start=1):
        with suppress(UnreadablePicture):
            known[str(number)] = asdict(_judge(ctx.data.item(number)))
        ctx.report(done, len(new), "judging pictures")
    if new:
        write_whole(path, lambda file: file.write(json.dumps(known).encode()))
    return {n: Judgement(**known[str(n)]) for n in numbers if str(n) in known}


def _judge(picture: Item) -> Judgement:
    scene = picture.provenance.get("kind") == "scene"
    return Judgement(
        picture.name,
        "rendered scenes" if scene else "pictures",
        concepts.judge(picture.image, picture.provenance),
    )


@cache
def _judge_version() -> str:
    """Hash of the judge's source: its degrees change when it does."""
    here = Path(concepts.__file__).parent
    files = [here / name for name in _JUDGE] + sorted((here / "imagery").glob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()
