"""A cache of the sentence encoder that holds planted vectors, so that no encoder is needed."""

import numpy as np

from hubel.agent.planners.lexical.lexicon import Lexicon, clustered, unit
from hubel.evals.families.words import topics

FIELDS, EACH, WIDTH = ("sea", "sky", "bread", "metal"), 80, 32


def planted(folder):
    """Four fields of words around their names; each concept of the generator lies in one."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    centres = unit(rng.normal(size=(len(FIELDS), WIDTH)))
    noise = unit(rng.normal(size=(len(FIELDS), EACH, WIDTH)))
    around = unit(centres[:, None] + rng.uniform(0.2, 2.0, (len(FIELDS), EACH, 1)) * noise)
    words = [*FIELDS, *(f"{'abcd'[k % 4]}{name}{k}" for name in FIELDS for k in range(EACH))]
    vectors = np.concatenate([centres, around.reshape(-1, WIDTH)])
    Lexicon(tuple(words), vectors, clustered(vectors, 20)).save(folder / "lexicon.npz")
    # Also what stands in the code of tests and explanations beside words.
    texts = [*topics.texts(), *"abcd,", "", "ea", "much", "/etc/hostname"]
    rows = rng.normal(size=(len(texts), WIDTH))
    rows[: len(topics.texts())] = [
        centres[k % len(FIELDS)] + 0.8 * unit(rng.normal(size=WIDTH))
        for k in range(len(topics.texts()))
    ]
    np.savez(folder / "texts.npz", texts=np.array(texts), vectors=rows)
    return folder
