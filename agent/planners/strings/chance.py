"""What can be said of outputs that are drawn by chance."""

from __future__ import annotations


def random_text(seen: dict[str, list[str | None]]) -> str:
    """What stays the same where the output is drawn by chance; empty if nothing telling does."""
    pairs = [(x, t) for x, ts in seen.items() for t in ts if t is not None]
    start = "The output is drawn by chance: "
    if all(x.lower() == t.lower() for x, t in pairs):
        return start + "the input, with random case."
    if all(sorted(x.split()) == sorted(t.split()) for x, t in pairs):
        return start + "the words of the input in random order."
    if all(sorted(x) == sorted(t) for x, t in pairs):
        return start + "the characters of the input in random order."
    if all(len(t) == 1 and t in x for x, t in pairs if x):
        return start + "one of the characters of the input."
    return ""
