"""Words and their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Lexicon:
    """A vocabulary that an explorer may ask about, and what it knows of meaning.

    Attributes:
        words: Commonest first.
        vectors: One row for each word, of length one: [words, width].
        coverage: Numbers of words that stand for all: one from the middle of each cluster of the
            vectors, so that most topics have one of them near.
    """

    words: tuple[str, ...]
    vectors: Vectors
    coverage: tuple[int, ...]

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            vectors = unit(file["vectors"].astype(np.float32))
            coverage = tuple(int(n) for n in file["coverage"])
            return cls(tuple(str(w) for w in file["words"]), vectors, coverage)

    def save(self, path: Path) -> None:
        """Write arrays without pickle; vectors at half precision, which costs 0.001 of cosine."""
        with path.open("wb") as file:
            np.savez(
                file,
                words=np.array(self.words),
                vectors=self.vectors.astype(np.float16),
                coverage=np.array(self.coverage),
            )

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def of(self, words: Sequence[str]) -> Vectors:
        """The vectors of words of this lexicon: [words, width].

        Raises:
            KeyError: A word is not in it.
        """
        return self.vectors[[self.numbers[word] for word in words]]

    def nearest(self, direction: NDArray[Any], count: int) -> NDArray[np.intp]:
        """The numbers of the words whose vectors have the largest cosine, best first."""
        return np.argsort(-(self.vectors @ direction), kind="stable")[:count]


def unit(rows: NDArray[Any]) -> Vectors:
    """Rows scaled to length one."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), np.float32)


def clustered(vectors: Vectors, count: int, rounds: int = 12, seed: int = 0) -> tuple[int, ...]:
    """The rows nearest to the centres of spherical k-means, largest cluster first.

    Args:
        vectors: Of length one, [rows, width].
        count: Clusters; empty ones are left out.
        rounds: Of Lloyd's algorithm.
        seed: Draws the first centres.
    """
    rng = np.random.default_rng(seed)
    centres = vectors[rng.choice(len(vectors), min(count, len(vectors)), replace=False)]
    for _ in range(rounds):
        nearest = (vectors @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, vectors)
        centres = unit(sums)
    similar = vectors @ centres.T
    sizes = np.bincount(similar.argmax(axis=1), minlength=len(centres))
    kept = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] > 0]
    return tuple(dict.fromkeys(int(similar[:, k].argmax()) for k in kept))
