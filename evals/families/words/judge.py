"""Who says how related a word is to a concept, or two words to a relation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hubel.evals.families.words.encoder import Encoder

#: Cosine at which the encoder calls a word half related to a concept, and how far from there it is
#: sure. Of all words, about one in a hundred passes the first for a usual concept.
HALF, WIDTH = 0.42, 0.06
#: The same for pairs, whose score is a mean.
PAIR_HALF, PAIR_WIDTH = 0.40, 0.05
#: A side of a pair counts no more than this, or one side alone would do.
CAP = 0.55
#: What it counts that two words have to do with each other, beside that each is of its kind.
LINK = 0.1

Pair = tuple[str, str]


class Judge(Protocol):
    """Says how related things are, from 0 (not at all) to 1."""

    def related(self, words: Sequence[str], concept: str) -> NDArray[Any]:
        """How related each word is to a concept: [words]."""
        ...

    def paired(self, pairs: Sequence[Pair], first: str, second: str) -> NDArray[Any]:
        """How well each pair is an instance of a relation (``country``, ``capital``): [pairs]."""
        ...


class EncoderJudge:
    """Cosine of sentence vectors, through a logistic function.

    It knows topics and kinds well, facts hardly: of a relation it judges that the first word is of
    the first kind, the second of the second, and a little that the two have to do with each other.
    ``France, Rome`` is nearly as good a country and its capital to it as ``France, Paris``.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def related(self, words: Sequence[str], concept: str) -> NDArray[Any]:
        """A logistic function of the cosine between word and concept."""
        cosine = self.encoder.of(words) @ self.encoder.of([concept])[0]
        return logistic((cosine - HALF) / WIDTH)

    def paired(self, pairs: Sequence[Pair], first: str, second: str) -> NDArray[Any]:
        """A logistic function of the weighted mean of three cosines."""
        one = self.encoder.of([p[0] for p in pairs])
        two = self.encoder.of([p[1] for p in pairs])
        kinds = self.encoder.of([first, second])
        sides = np.minimum(one @ kinds[0], CAP) + np.minimum(two @ kinds[1], CAP)
        score = sides + LINK * (one * two).sum(axis=1)
        return logistic((score / (2 + LINK) - PAIR_HALF) / PAIR_WIDTH)


def logistic(x: NDArray[Any]) -> NDArray[Any]:
    """The logistic function, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(x / 2)), np.float64)
