"""Names of a model's directions: the words that say what the answers say."""

from __future__ import annotations

import numpy as np

from hubel.agent.planners.lexical.asked import Asked
from hubel.agent.planners.lexical.lexicon import unit
from hubel.agent.planners.lexical.model import Model
from hubel.agent.planners.lexical.scan import left_by, pairs_of

#: Words near a direction that a name may be made of.
NEAREST = 40
#: Names are no farther from their direction, in cosine, than this beyond the nearest one.
BEYOND = 0.1
#: Words that miss most of what the best name misses.
FEW = 50
#: What a second word costs, in nats of likelihood.
COST = 5.0


def names(model: Model, asked: Asked) -> list[str]:
    """One word or two for each direction of a model, concepts first.

    Of the words near a direction those are chosen that foretell the answers best in its place: a
    free direction has hundreds of coordinates, a word has none. Then once more, with words in the
    place of the other directions too, which are kept if all words together foretell more.
    """
    free, worded = _named(model, asked)
    again, reworded = _named(worded, asked)
    return again if asked.missed(reworded) < asked.missed(worded) else free


def _named(model: Model, asked: Asked) -> tuple[list[str], Model]:
    """Names for directions, and the model with the names' directions in their place."""
    found = [_name(model, place, asked) for place in range(len(model.directions))]
    rows = unit(np.stack([asked.lexicon.of(words).sum(axis=0) for words in found]))
    worded = asked.fit(model.turned(rows), held=True)
    return [" and ".join(words) for words in found], worded


def _name(model: Model, place: int, asked: Asked) -> list[str]:
    direction = model.directions[place]
    lexicon = asked.lexicon
    numbers = lexicon.nearest(direction, NEAREST)
    words, vectors = [lexicon.words[n] for n in numbers], lexicon.vectors[numbers]
    one, two = pairs_of(vectors)
    phrases = unit(vectors[one] + vectors[two])
    missed = np.min([left for left, _ in left_by(phrases, model, place, asked)], axis=0)
    # What no name explains is missed by few words, and makes their answers as unsure.
    misfit = max(float(missed.min()) - len(asked.values) * asked.noise**2, 0.0) / FEW
    nats = missed / (2 * (asked.variance + misfit)) + COST * (one != two)
    close = phrases @ direction
    nats[close < close.max() - BEYOND] = np.inf
    # An inflection of the first word would say nothing new.
    alike = [a != b and words[a][:4] == words[b][:4] for a, b in zip(one, two, strict=True)]
    nats[alike] = np.inf
    best = int(nats.argmin())
    return list(dict.fromkeys([words[one[best]], words[two[best]]]))
