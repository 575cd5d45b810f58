"""What each phrase, and each pair of phrases, would explain of a unit beside the terms so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubel.agent.form import Term

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Ridge penalty, as a share of the weighted sum of squares of a standardised phrase.
RIDGE = 0.01
#: A term is left out where the others leave less than this share of its variance.
APART = 0.05


@dataclass(frozen=True, slots=True)
class Table:
    """A sample to fit: degrees of phrases, activations and what they stand for.

    Attributes:
        degrees: Of each phrase on each picture, [N] in [0, 1].
        measured: Activation, [N].
        weights: [N].
        groups: [N].
    """

    degrees: Mapping[str, NDArray[Any]]
    measured: NDArray[Any]
    weights: NDArray[Any]
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Column:
    """A term that was chosen beside others.

    Attributes:
        values: Of the pictures that are fitted, standardised, [N].
        explained: Share of the variance that it explains together with the others.
    """

    term: Term
    values: NDArray[Any]
    explained: float


class Columns:
    """The options for a term: every phrase, and every phrase joined to a given one.

    Args:
        table: The sample, of at least one phrase.
        inside: The pictures that are fitted, bool [N].
    """

    def __init__(self, table: Table, inside: NDArray[np.bool_]) -> None:
        import numpy as np

        self._phrases = sorted(table.degrees)
        self._w = table.weights[inside] / table.weights[inside].sum()
        self._y = self._standard(table.measured[inside, None])[:, 0]
        self._degrees = np.stack([table.degrees[p][inside] for p in self._phrases], axis=1)
        self._options: dict[str | None, NDArray[Any]] = {None: self._standard(self._degrees)}

    def best(self, beside: Sequence[Column], joined: str | None = None) -> Column:
        """The option that explains most with other terms (orthogonal least squares).

        Args:
            beside: The other terms.
            joined: The phrase that it is joined to; None for a phrase by itself.
        """
        explained = self._explained(beside, joined)
        at = int(explained.argmax())
        return self._column(joined, at, float(explained[at]))

    def ranked(self, beside: Sequence[Column]) -> list[Column]:
        """Every phrase by itself, the one that explains most with other terms first."""
        explained = self._explained(beside, None)
        return [self._column(None, int(i), float(explained[i])) for i in (-explained).argsort()]

    def _explained(self, beside: Sequence[Column], joined: str | None) -> NDArray[Any]:
        """Share of the variance explained by the other terms with each option, [options]."""
        import numpy as np

        if joined not in self._options:
            self._options[joined] = self._standard(self._joined(str(joined)))
        options = self._options[joined]
        x = np.array([c.values for c in beside]).reshape(len(beside), len(self._y))
        onto, known = x @ options, x @ self._y
        gram = x @ x.T + RIDGE * np.eye(len(x))
        solved = np.linalg.solve(gram, np.column_stack([onto, known]))
        missed = self._y @ options - known @ solved[:, :-1]
        left = 1 + RIDGE - (onto * solved[:, :-1]).sum(axis=0)
        gain = np.where(left > APART, missed**2 / np.maximum(left, APART), 0.0)
        return np.asarray(known @ solved[:, -1] + gain)

    def _joined(self, phrase: str) -> NDArray[Any]:
        """Degrees of a phrase with each, of it without each, and of neither: [N, 3 * phrases]."""
        import numpy as np

        at, degrees = self._phrases.index(phrase), self._degrees
        one = degrees[:, [at]]
        both, alone = np.minimum(one, degrees), np.minimum(one, 1 - degrees)
        alone[:, at] = 0.0  # it without itself is nothing
        return np.hstack([both, alone, np.minimum(1 - one, 1 - degrees)])

    def _column(self, joined: str | None, at: int, explained: float) -> Column:
        how, other = divmod(at, len(self._phrases))
        phrase = self._phrases[other]
        if joined is None:
            term = Term(1.0, (phrase,))
        else:
            parts = [((joined, phrase), ()), ((joined,), (phrase,)), ((), (joined, phrase))]
            term = Term(1.0, *parts[how])
        return Column(term, self._options[joined][:, at], explained)

    def _standard(self, columns: NDArray[Any]) -> NDArray[Any]:
        """Centred, of length 1 with the weights; zero for what does not vary."""
        import numpy as np

        centred = columns - self._w @ columns
        spread = np.sqrt(self._w @ centred**2)
        # Rounding leaves constants a spread of about 1e-17.
        varies = spread > 1e-9 * np.maximum(np.abs(columns).max(axis=0), 1e-30)
        scaled = np.where(varies, centred / np.where(varies, spread, 1.0), 0.0)
        return np.asarray(scaled * np.sqrt(self._w)[:, None])
