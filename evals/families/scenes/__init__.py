"""Neurons that see: rules over scenes, computed from pixels by a wired network.

`neurons.make` gives a neuron with its truth to the evaluator; ``--model synthetic:scenes/N`` opens
the same neuron as a target, without the truth. The lab's side (`network`, `evidence`, `wiring`,
`wired`, `drawing`, `target`) knows concept channels by number; what they mean is written in
``concepts.json``, which only the evaluator's side (`rules`, `held_out`, `neurons`) reads.

How far that hides the truth: no name, site, message or tool result tells the rule, and a process
that holds neither the package nor its data cannot look it up. It does not hide it from code that
reads the package's files; neurons by number are public, as those of any procedural benchmark. For
a run that must not be predictable, take a secret seed, write the wiring to a file
(`neurons.write`) and have the lab open ``synthetic:FILE``: the seed is then nowhere in what the lab
is told.
"""
