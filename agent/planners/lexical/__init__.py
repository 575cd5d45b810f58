"""Explorers of neurons over words: which concepts drive a neuron, which relation of two words.

A neuron over words takes a word (or ``"word, word"``) and answers with a number. What an explorer
knows of meaning is a `Lexicon`: a list of words with one vector each, made elsewhere by a sentence
encoder and read here as plain arrays, so that the planner's process never loads a network.

- `lexicon`: words and their vectors.
- `surrogate`: a Gaussian process over the lexicon, which says where to ask next.
- `model`: the hypothesis space (concepts joined by OR, one taken out), with free directions.
- `scan`: the same with words for directions, all pairs of them at once.
- `asked`, `table`: what was answered so far; matrices that grow with it.
- `rivals`, `letters`: what tells larger models from smaller ones, and an excepted letter.
- `naming`: words for directions.
- `form`, `pairform`: an explanation as concepts with weighted words: JSON, code, predictions.
- `entities`, `relations`: the explorers.
"""
