"""How explanations made elsewhere are scored, as `hubel bench submit-format` prints it."""

from __future__ import annotations

import json

from hubel.evals.submission import FORMAT

#: A submission that is in order.
EXAMPLE = {
    "format": FORMAT,
    "planner": "mine",
    "suite": "numbers",
    "seed": 7,
    "n": 3,
    "queries": 200,
    "explanations": [
        {
            "number": 0,
            "code": "import math\n\ndef f(x):\n    return 3 * math.sin(x) + 1\n",
            "text": "A sine wave of height 3 around 1; between 20 and 60 it is flat.",
            "confidence": 0.9,
            "exceptions": [[20.0, 60.0]],
            "queries": 180,
        },
        {"number": 2, "code": None, "text": "Noise.", "confidence": 0.8, "queries": 200},
    ],
}

TEXT = f"""\
EXPLANATIONS MADE ELSEWHERE

Neurons are named by suite, seed and number. An explainer of yours sees them in one of two ways:

  hubel bench export --suite numbers --n 60 --seed 7 --queries 200 questions.json
      Tables of inputs and outputs, for an explainer that asks nothing.

  hubel bench answer --suite numbers --n 60 --seed 7 --queries 200 --as mine
      Answers questions: lines of JSON over stdin and stdout. Start it from your program.
      It writes     {{"suite": "numbers", "planner": "submitted:mine", "queries": 200, "left": [0]}}
      you ask       {{"number": 0, "ask": [1.5, -20]}}
      it answers    {{"number": 0, "outputs": [3.99, null], "left": 198}}     null: undefined there
      you explain   {{"number": 0, "code": "def f(x): ...", "text": "...", "confidence": 0.9}}
      it answers    {{"number": 0, "taken": true}}     and that is final
      or says       {{"error": "what is wrong"}}     which costs nothing
      Inputs are counted; each explanation is scored and kept as it comes. A neuron that was asked
      about and not explained by the end of stdin counts as not explained.

  hubel bench score explanations.json
      Scores a file, which states its own counts:

{json.dumps(EXAMPLE, indent=2)}

FIELDS
  planner       a name of yours; the leaderboard has it as submitted:NAME
  n, queries    neurons from number 0 on; inputs that could be asked of each. Those without an
                explanation count as not explained.
  code          Python source that defines f(x), with the standard library; null: no meaning is
                claimed. It runs in a sandbox, without a network. numbers: a float in -128 to 128
                to a float. strings: a string to a string. words: a string ("a,b" for pairs) to a
                float; related(text, words) is there. scenes: the set of phrases that are true of a
                scene, with its things, to a float. docs/benchmark.md says more of these two.
  text          the same in words. Required, shown, not scored.
  confidence    probability that the code agrees with the truth on 99% of fresh inputs
  exceptions    intervals [low, high] in which the neuron behaves otherwise (numbers); optional
  outside       true: lawful, but you have no form for its law; optional
  about         words: what it names, {{"concepts": [{{"name": "sea"}}]}}; optional
  queries       inputs of which you saw the output (in a file; `answer` counts itself)
  seconds, tokens, dollars     what it took; optional

Then the leaderboard, paired with others on the same neurons:

  hubel bench --suite numbers --n 60 --seed 7 --queries 200 --planner builtin,submitted:mine

Results are final: another try goes by another name. Nothing stops an author who wants to cheat from
making the neurons from the seed, so a result is as honest as its author; for one that others are to
trust, have someone else choose the seed and run the explainer.
`hubel bench submit-format --json` prints the JSON schema of a file.
"""
