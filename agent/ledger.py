"""The ledger: one SQLite file that holds everything a study did. The only SQL of the project.

Every row has a number that follows from its place in the study, so writing a thing twice is
noticed, and a study that was cut off is gone on with by reading what is there. As rows of evidence
never change, those of the study that is read are kept, and only what is new is read: a step costs
the same at the hundredth as at the first.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from hubel.agent.database import Database
from hubel.agent.migrations import migrate
from hubel.agent.records import (
    Experiment,
    Explanation,
    Hypothesis,
    LLMCall,
    Message,
    Prediction,
    Score,
    Study,
    Verdict,
    decoded,
)
from hubel.tools.result import Artifact
from hubel.tools.stimuli import PictureStore

Row = TypeVar(
    "Row", Study, Message, Hypothesis, Prediction, Experiment, Verdict, Explanation, Score, LLMCall
)


class _Read(Generic[Row]):
    """The rows of one table that were read, those that may still change, and the newest of all."""

    def __init__(self) -> None:
        self.settled: dict[int, Row] = {}
        self.open: list[int] = []
        self.newest = 0


class LedgerError(Exception):
    """The ledger refuses: the message says what and why."""


class Ledger:
    """The ledger in a folder: ``ledger.db`` and, beside it, ``pictures/``.

    Args:
        home: The folder; made if need be.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.path = home / "ledger.db"
        self.pictures = PictureStore(home / "pictures")
        self._study = 0
        self._read: dict[str, _Read[Any]] = {}
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        self._db = Database(connection)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        # With WAL, NORMAL survives a killed process; only a power cut may lose the last rows.
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            migrate(connection)
        except ValueError as error:
            raise LedgerError(f"{self.path}: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.conn.close()

    # Studies

    def begin(self, **columns: Any) -> Study:
        """Start a study; `columns` as in `Study`, without id and dates."""
        with self._transaction():
            number = self._insert("studies", {**columns, "created": _now()})
            self._insert(
                "messages",
                {
                    "study": number,
                    "n": 0,
                    "role": "user",
                    "content": {"question": columns["question"]},
                    "created": _now(),
                    "seconds": 0.0,
                },
            )
        return self.study(number)

    def opened(self, study: int, what: dict[str, Any]) -> None:
        """Record what the lab opened; only the first time counts."""
        with self._transaction():
            self._db.execute(
                "UPDATE studies SET opened = ? WHERE id = ? AND opened IS NULL",
                [json.dumps(what), study],
            )

    def end(self, study: int, stop: str, detail: str | None) -> None:
        """Record why a study ended; a second time changes nothing."""
        with self._transaction():
            self._db.execute(
                "UPDATE studies SET stop = ?, stop_detail = ?, finished = ? "
                "WHERE id = ? AND finished IS NULL",
                [stop, detail, _now(), study],
            )

    def studies(self) -> list[Study]:
        """All studies, newest first."""
        return self._rows(Study, "SELECT * FROM studies ORDER BY id DESC")

    def study(self, number: int) -> Study:
        """One study.

        Raises:
            LedgerError: There is none of that number.
        """
        found = self._rows(Study, "SELECT * FROM studies WHERE id = ?", number)
        if not found:
            last = self._db.execute("SELECT max(id) FROM studies").fetchone()[0]
            known = f"the last one is {last}" if last else "there are none yet"
            raise LedgerError(f"There is no study {number} in {self.path}; {known}.")
        return found[0]

    # What happens in a study

    def record_step(
        self,
        study: int,
        message: Message,
        seconds: float,
        hypotheses: Iterable[Hypothesis] = (),
        predictions: Iterable[Prediction] = (),
    ) -> None:
        """Record a planner's step with its hypotheses and predictions, all or nothing.

        Raises:
            LedgerError: A prediction names an experiment that has begun, or a name is taken.
        """
        with self._transaction():
            self._insert(
                "messages",
                {"study": study, **_columns(message), "created": _now(), "seconds": seconds},
            )
            for hypothesis in hypotheses:
                self._insert("hypotheses", {"study": study, **_columns(hypothesis)})
            for prediction in predictions:
                self._insert("predictions", {"study": study, **_columns(prediction)})

    def start(self, study: int, experiment: Experiment) -> None:
        """Record that an experiment begins. One that was cut off may begin again."""
        row = {"study": study, **_columns(experiment), "started": _now()}
        with self._transaction():
            known = self._db.execute(
                "SELECT status FROM experiments WHERE study = ? AND n = ?", [study, experiment.n]
            ).fetchone()
            if known is None:
                self._insert("experiments", row)
            elif known[0] != "running":
                raise LedgerError(f"Experiment {experiment.n} of study {study} has ended already.")

    def finish(
        self,
        study: int,
        n: int,
        status: str,
        seconds: float,
        *,
        result: dict[str, Any] | None = None,
        error: str | None = None,
        verdicts: Sequence[Verdict] = (),
    ) -> None:
        """Record the end of an experiment, the pictures it made and its verdicts, at once."""
        result = result or {}
        with self._transaction():
            self._db.execute(
                "UPDATE experiments SET status = ?, seconds = ?, result = ?, error = ?, "
                "mediator = ?, counterfactual = ?, metric = ? WHERE study = ? AND n = ?",
                [
                    status,
                    seconds,
                    json.dumps(result) if result else None,
                    error,
                    result.get("mediator"),
                    result.get("counterfactual"),
                    result.get("metric"),
                    study,
                    n,
                ],
            )
            for position, made in enumerate(result.get("artifacts", ())):
                self._use(study, n, position, Artifact(**made))
            for verdict in verdicts:
                self._insert("verdicts", {"study": study, **_columns(verdict)})

    def conclude(self, study: int, explanation: Explanation, scores: Iterable[Score]) -> None:
        """Record what a study came to, with its scores."""
        with self._transaction():
            self._insert("explanations", {"study": study, **_columns(explanation)})
            for score in scores:
                self._insert("scores", {"study": study, **_columns(score)})

    # Reading

    def messages(self, study: int) -> list[Message]:
        """What was said, in order."""
        return sorted(self._known(Message, "messages", study), key=lambda m: m.n)

    def hypotheses(self, study: int) -> list[Hypothesis]:
        """The hypotheses, in the order in which they were registered."""
        return self._known(Hypothesis, "hypotheses", study)

    def predictions(self, study: int) -> list[Prediction]:
        """The registered predictions, by experiment."""
        known = self._known(Prediction, "predictions", study)
        return sorted(known, key=lambda p: (p.experiment, p.hypothesis))

    def experiments(self, study: int) -> list[Experiment]:
        """The experiments, in order."""
        return sorted(self._known(Experiment, "experiments", study), key=lambda e: e.n)

    def verdicts(self, study: int) -> list[Verdict]:
        """The verdicts, by experiment."""
        known = self._known(Verdict, "verdicts", study)
        return sorted(known, key=lambda v: (v.experiment, v.hypothesis))

    def llm_calls(self, study: int) -> list[LLMCall]:
        """The requests to language models, in order."""
        return self._known(LLMCall, "llm_calls", study)

    def explanation(self, study: int) -> Explanation | None:
        """What the study came to, once it has."""
        found = self._rows(Explanation, "SELECT * FROM explanations WHERE study = ?", study)
        return found[0] if found else None

    def scores(self, study: int) -> dict[str, Score]:
        """The scores, by what was scored."""
        found = self._rows(Score, "SELECT * FROM scores WHERE study = ? ORDER BY rowid", study)
        return {score.explanation: score for score in found}

    def seconds(self, study: int) -> float:
        """Time spent so far by the planner and the experiments, not counting pauses."""
        (spent,) = self._db.execute(
            "SELECT (SELECT coalesce(sum(seconds), 0) FROM messages WHERE study = :s)"
            " + (SELECT coalesce(sum(seconds), 0) FROM experiments"
            "    WHERE study = :s AND parent IS NULL)",  # code's time holds that of its calls
            {"s": study},
        ).fetchone()
        return float(spent)

    # Language models

    def record_llm(self, study: int, call: LLMCall) -> None:
        """Record a request to a language model, answered or not."""
        with self._transaction():
            self._insert("llm_calls", {"study": study, **_columns(call), "created": _now()})

    def keep_prompt(self, text: str) -> str:
        """Keep a system prompt; gives its hash."""
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        with self._transaction():
            if self.prompt(key) is None:
                self._insert("prompts", {"hash": key, "text": text})
        return key

    def prompt(self, key: str) -> str | None:
        """The prompt of a hash, if it is there."""
        found = self._db.execute("SELECT text FROM prompts WHERE hash = ?", [key]).fetchone()
        return str(found[0]) if found else None

    def keep_preflight(self, planner: str, detail: dict[str, Any]) -> None:
        """Record what a planner was measured to be capable of."""
        with self._transaction():
            row = {"planner": planner, "detail": detail, "created": _now()}
            self._insert("preflights", row)

    def preflight(self, planner: str) -> dict[str, Any] | None:
        """What a planner was last measured to be capable of; None if it never was."""
        found = self._db.execute(
            "SELECT detail, created FROM preflights WHERE planner = ? ORDER BY id DESC", [planner]
        ).fetchone()
        return {**json.loads(found[0]), "measured": found[1]} if found else None

    # The benchmark

    def bench(self, key: tuple[str, int, int, str, int], result: dict[str, Any]) -> None:
        """Record a result; `key` is (suite, seed, queries, planner, number of the neuron)."""
        names = ("suite", "seed", "queries", "planner", "neuron")
        row = dict(zip(names, key, strict=True))
        with self._transaction():
            self._insert("bench", {**row, "result": result, "created": _now()})

    def benched(self, key: tuple[str, int, int, str, int]) -> dict[str, Any] | None:
        """The result of a key, if it is there."""
        found = self._db.execute(
            "SELECT result FROM bench WHERE suite = ? AND seed = ? AND queries = ? "
            "AND planner = ? AND neuron = ?",
            list(key),
        ).fetchone()
        return json.loads(found[0]) if found else None

    def schema(self) -> str:
        """The SQL of every table and trigger."""
        return str(self._db.schema)

    # Inside

    def _transaction(self) -> AbstractContextManager[Any]:
        return _Guard(self._db.conn)

    def _insert(self, table: str, row: dict[str, Any]) -> int:
        stored = {
            k: json.dumps(v) if isinstance(v, dict | list | tuple) else v for k, v in row.items()
        }
        names = ", ".join(stored)
        marks = ", ".join(f":{k}" for k in stored)
        cursor = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", stored)  # noqa: S608
        return int(cursor.lastrowid or 0)

    def _use(self, study: int, n: int, position: int, artifact: Artifact) -> None:
        where = self.pictures.path(artifact.id).relative_to(self.home)
        known = self._db.execute("SELECT 1 FROM artifacts WHERE id = ?", [artifact.id]).fetchone()
        if known is None:
            self._insert("artifacts", {**_columns(artifact), "path": str(where)})
        use = {"study": study, "experiment": n, "position": position, "artifact": artifact.id}
        self._insert("uses", use)

    def _known(self, kind: type[Row], table: str, study: int) -> list[Row]:
        """Rows of a study in the order in which they were written; only new ones are read."""
        if study != self._study:  # one study is kept at a time
            self._study, self._read = study, {}
        known: _Read[Row] = self._read.setdefault(table, _Read())
        marks = ", ".join("?" * len(known.open))
        fresh = self._raw(
            f"SELECT rowid AS at, * FROM {table} "  # noqa: S608  (a table of ours)
            f"WHERE study = ? AND (rowid > ? OR rowid IN ({marks})) ORDER BY rowid",
            study, known.newest, *known.open,
        )  # fmt: skip
        rows = {row["at"]: _record(kind, row) for row in fresh}
        # An experiment that runs is the one kind of row that may yet change.
        still = [at for at, row in rows.items() if getattr(row, "status", "") == "running"]
        known.settled |= {at: row for at, row in rows.items() if at not in still}
        known.open = still
        known.newest = max(known.newest, *rows, 0)  # last: an interrupt before it loses nothing
        both = known.settled | {at: rows[at] for at in still}
        return [both[at] for at in sorted(both)]

    def _rows(self, kind: type[Row], sql: str, *parameters: object) -> list[Row]:
        return [_record(kind, row) for row in self._raw(sql, *parameters)]

    def _raw(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        cursor = self._db.execute(sql, list(parameters))
        columns = [c[0] for c in cursor.description]
        return [decoded(dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]


class _Guard(AbstractContextManager[None]):
    """A transaction; what the schema refuses comes out as a `LedgerError`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:  # a full disk has rolled it back already
                self._connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.IntegrityError):
            raise LedgerError(f"the ledger refuses: {error}") from error


def _record(kind: type[Row], row: dict[str, Any]) -> Row:
    wanted = {f.name for f in fields(kind)}
    return kind(**{k: v for k, v in row.items() if k in wanted})


def _columns(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
