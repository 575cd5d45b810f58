"""Neurons over words: relatedness of a word to concepts, or of two words to a relation.

- `encoder`: vectors of texts, computed by a child process and cached in a folder of the caller.
- `judge`: who says how related things are: the encoder, or a language model.
- `truth`: the hidden rules (one concept, OR, AND-NOT, exceptions; relations) and what they answer.
- `topics`: the concepts and relations that neurons are drawn from.
- `neurons`, `null`: the seeded generator.
- `score`: what an explanation is worth.
- `baselines`: what an explainer has to beat.
"""

from hubel.evals.families.words.neurons import make

__all__ = ["make"]
