"""A language model as the judge of relatedness, as in the original FIND.

Any endpoint that speaks the chat completions protocol of OpenAI will do. FIND asks for "1" or "0"
and takes the probability of "1" among the two (Schwettmann et al. 2023); where an endpoint gives no
probabilities, the answer itself counts.
"""

from __future__ import annotations

import json
import math
import urllib.request
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hubel.evals.families.words.judge import Pair
from hubel.tools.spec import ToolError


class LlmJudge:
    """Asks an endpoint one question for each word; an answer once given is kept.

    Attributes:
        url: Of the endpoint, up to and without ``/chat/completions``.
        model: Its name there.
    """

    def __init__(self, url: str, model: str, key: str = "", timeout: float = 60.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise ToolError(f"'{url}' is no address of an endpoint: it begins with http(s)://.")
        self.url, self.model, self._key, self._timeout = url.rstrip("/"), model, key, timeout
        self._known: dict[str, float] = {}

    def related(self, words: Sequence[str], concept: str) -> NDArray[Any]:
        """The probability of "1" for each word."""
        rule = f"related to {concept}"
        return np.array([self._ask(word, rule) for word in words])

    def paired(self, pairs: Sequence[Pair], first: str, second: str) -> NDArray[Any]:
        """The probability of "1" for each pair."""
        rule = f"'X, Y' where X is of the kind '{first}' and Y is the {second} of X"
        return np.array([self._ask(f"{one}, {two}", rule) for one, two in pairs])

    def _ask(self, text: str, rule: str) -> float:
        question = (
            f'Answer "1" if the input is {rule}, otherwise "0", and nothing else.\nInput: {text}'
        )
        if question not in self._known:
            self._known[question] = self._answered(question)
        return self._known[question]

    def _answered(self, question: str) -> float:
        asked = {
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            "temperature": 0,
            "max_tokens": 2,
            "logprobs": True,
            "top_logprobs": 5,
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        request = urllib.request.Request(  # noqa: S310 - __init__ lets only http(s) through
            f"{self.url}/chat/completions", json.dumps(asked).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as reply:  # noqa: S310
                choice = json.load(reply)["choices"][0]
            return _one_of(choice)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ToolError(f"The judge at {self.url} gave no answer: {error!r}.") from None


def _one_of(choice: dict[str, Any]) -> float:
    """The share of "1" in the first token that is one of the two."""
    for token in ((choice.get("logprobs") or {}).get("content")) or []:
        weight = {"0": 0.0, "1": 0.0}
        for rival in token["top_logprobs"]:
            if (text := rival["token"].strip()) in weight:
                weight[text] += math.exp(rival["logprob"])
        if total := sum(weight.values()):
            return weight["1"] / total
    answer = choice["message"]["content"].strip()[:1]
    if answer not in ("0", "1"):
        raise ValueError(f"neither 0 nor 1: {answer!r}")
    return float(answer)
