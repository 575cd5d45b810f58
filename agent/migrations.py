"""The ledger's schema, as numbered migrations. A migration that was released never changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

_OF_FIRST = (
    "messages",
    "hypotheses",
    "predictions",
    "artifacts",
    "uses",
    "verdicts",
    "explanations",
    "scores",
    "llm_calls",
)
#: Tables whose rows, once written, are evidence: they are never changed or deleted.
APPEND_ONLY = (*_OF_FIRST, "bench", "prompts", "preflights")

_FIRST = """
CREATE TABLE studies (
    id INTEGER PRIMARY KEY,
    question TEXT NOT NULL,
    model TEXT NOT NULL,
    unit TEXT NOT NULL,
    data TEXT NOT NULL,
    planner TEXT NOT NULL,
    device TEXT NOT NULL,
    seed INTEGER NOT NULL,
    budget TEXT NOT NULL CHECK (json_valid(budget)),
    created TEXT NOT NULL,
    opened TEXT CHECK (opened IS NULL OR json_valid(opened)),
    stop TEXT,
    stop_detail TEXT,
    finished TEXT
);
CREATE TABLE messages (
    study INTEGER NOT NULL REFERENCES studies(id),
    n INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'planner', 'error')),
    content TEXT NOT NULL CHECK (json_valid(content)),
    created TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (study, n)
);
CREATE TABLE hypotheses (
    study INTEGER NOT NULL,
    name TEXT NOT NULL,
    message INTEGER NOT NULL,
    claim TEXT NOT NULL,
    form TEXT NOT NULL CHECK (json_valid(form)),
    revises TEXT,
    PRIMARY KEY (study, name),
    FOREIGN KEY (study, message) REFERENCES messages(study, n),
    FOREIGN KEY (study, revises) REFERENCES hypotheses(study, name)
);
CREATE TABLE predictions (
    study INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    hypothesis TEXT NOT NULL,
    message INTEGER NOT NULL,
    path TEXT NOT NULL,
    expects TEXT NOT NULL CHECK (json_valid(expects)),
    refutes TEXT NOT NULL CHECK (json_valid(refutes)),
    PRIMARY KEY (study, experiment, hypothesis),
    FOREIGN KEY (study, hypothesis) REFERENCES hypotheses(study, name),
    FOREIGN KEY (study, message) REFERENCES messages(study, n)
);
CREATE TABLE experiments (
    study INTEGER NOT NULL REFERENCES studies(id),
    n INTEGER NOT NULL,
    message INTEGER NOT NULL,
    asked_by TEXT NOT NULL CHECK (asked_by IN ('planner', 'program')),
    tool TEXT NOT NULL,
    kind TEXT NOT NULL,
    args TEXT NOT NULL CHECK (json_valid(args)),
    seed INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'refused', 'broken', 'lost')),
    mediator TEXT,
    counterfactual TEXT,
    metric TEXT,
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    error TEXT,
    started TEXT NOT NULL,
    seconds REAL,
    PRIMARY KEY (study, n),
    FOREIGN KEY (study, message) REFERENCES messages(study, n),
    CHECK (status <> 'done' OR (mediator IS NOT NULL AND counterfactual IS NOT NULL
                                AND metric IS NOT NULL AND result IS NOT NULL))
);
CREATE TABLE artifacts (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    provenance TEXT NOT NULL CHECK (json_valid(provenance)),
    path TEXT NOT NULL
);
CREATE TABLE uses (
    study INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    position INTEGER NOT NULL,
    artifact TEXT NOT NULL REFERENCES artifacts(id),
    PRIMARY KEY (study, experiment, position),
    FOREIGN KEY (study, experiment) REFERENCES experiments(study, n)
);
CREATE TABLE verdicts (
    study INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    hypothesis TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('supported', 'refuted', 'inconclusive')),
    measured REAL,
    PRIMARY KEY (study, experiment, hypothesis),
    FOREIGN KEY (study, experiment, hypothesis)
        REFERENCES predictions(study, experiment, hypothesis),
    FOREIGN KEY (study, experiment) REFERENCES experiments(study, n)
);
CREATE TABLE explanations (
    study INTEGER PRIMARY KEY REFERENCES studies(id),
    verdict TEXT NOT NULL CHECK (verdict IN ('answered', 'nothing found')),
    text TEXT NOT NULL,
    form TEXT NOT NULL CHECK (json_valid(form)),
    exceptions TEXT NOT NULL CHECK (json_valid(exceptions)),
    grade TEXT NOT NULL CHECK (grade IN ('observed', 'correlational', 'causal')),
    evidence TEXT NOT NULL CHECK (json_valid(evidence))
);
CREATE TABLE scores (
    study INTEGER NOT NULL REFERENCES studies(id),
    explanation TEXT NOT NULL,
    pearson REAL NOT NULL,
    ci_low REAL NOT NULL,
    ci_high REAL NOT NULL,
    n INTEGER NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    PRIMARY KEY (study, explanation)
);
CREATE TABLE llm_calls (
    study INTEGER NOT NULL,
    n INTEGER NOT NULL,
    message INTEGER NOT NULL,
    model TEXT NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    dollars REAL,
    seconds REAL NOT NULL,
    PRIMARY KEY (study, n),
    FOREIGN KEY (study, message) REFERENCES messages(study, n)
);
CREATE TRIGGER prediction_before_experiment BEFORE INSERT ON predictions
WHEN EXISTS (SELECT 1 FROM experiments WHERE study = NEW.study AND n = NEW.experiment)
BEGIN SELECT RAISE(ABORT, 'a prediction must be registered before its experiment starts'); END;
CREATE TRIGGER verdict_after_result BEFORE INSERT ON verdicts
WHEN NOT EXISTS (SELECT 1 FROM experiments WHERE study = NEW.study AND n = NEW.experiment
                 AND status = 'done')
BEGIN SELECT RAISE(ABORT, 'a verdict needs the result of its experiment'); END;
CREATE TRIGGER experiment_ends_once BEFORE UPDATE ON experiments
WHEN OLD.status <> 'running' OR OLD.tool <> NEW.tool OR OLD.args <> NEW.args
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: experiments'); END;
CREATE TRIGGER experiments_stay BEFORE DELETE ON experiments
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: experiments'); END;
CREATE TRIGGER studies_stay BEFORE DELETE ON studies
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: studies'); END;
CREATE TRIGGER study_ends_once BEFORE UPDATE ON studies
WHEN OLD.finished IS NOT NULL OR OLD.question <> NEW.question OR OLD.seed <> NEW.seed
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: studies'); END;
"""


def _first() -> str:
    """Version 1: the tables, and the triggers that keep evidence as it was written."""
    return _FIRST + _kept(_OF_FIRST)


def _kept(tables: tuple[str, ...]) -> str:
    """Triggers by which the rows of tables are never changed or deleted."""
    return "".join(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END;\n"
        for table in tables
        for verb in ("UPDATE", "DELETE")
    )


#: Version 2: calls that code made belong to the experiment that ran the code, and every experiment
#: says in what sandbox it ran.
_SECOND = """
ALTER TABLE experiments ADD COLUMN parent INTEGER;
ALTER TABLE experiments ADD COLUMN sandbox TEXT NOT NULL DEFAULT 'none'
    CHECK (sandbox IN ('isolated', 'confined', 'none', 'unsafe'));
"""

#: Version 3: results of the benchmark.
_THIRD = """
CREATE TABLE bench (
    suite TEXT NOT NULL,
    seed INTEGER NOT NULL,
    queries INTEGER NOT NULL,
    planner TEXT NOT NULL,
    neuron INTEGER NOT NULL,
    result TEXT NOT NULL CHECK (json_valid(result)),
    created TEXT NOT NULL,
    PRIMARY KEY (suite, seed, queries, planner, neuron)
);
CREATE TRIGGER bench_no_update BEFORE UPDATE ON bench
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: bench'); END;
CREATE TRIGGER bench_no_delete BEFORE DELETE ON bench
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: bench'); END;
"""

#: Version 4: language models. Every request to one is a row, answered or not; prompts are kept by
#: their hash; what a model was measured to be capable of is kept beside the studies it plans.
_FOURTH = """
ALTER TABLE studies ADD COLUMN options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options));
DROP TABLE llm_calls;
CREATE TABLE prompts (
    hash TEXT PRIMARY KEY,
    text TEXT NOT NULL
);
CREATE TABLE llm_calls (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES studies(id),
    message INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('planner', 'describer', 'probe')),
    model TEXT NOT NULL,
    mode TEXT NOT NULL,
    prompt TEXT REFERENCES prompts(hash),
    status TEXT NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    dollars REAL,
    seconds REAL NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    created TEXT NOT NULL
);
CREATE INDEX llm_calls_of ON llm_calls(study);
CREATE TABLE preflights (
    id INTEGER PRIMARY KEY,
    planner TEXT NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    created TEXT NOT NULL
);
CREATE INDEX experiments_time ON experiments(study, parent, seconds);
CREATE INDEX messages_time ON messages(study, seconds);
"""


def _fourth() -> str:
    """Version 4, with the triggers that keep its tables as they were written."""
    return _FOURTH + _kept(("prompts", "llm_calls", "preflights"))


#: The script of each version, from 1.
MIGRATIONS: tuple[str, ...] = (_first(), _SECOND, _THIRD, _fourth())


def migrate(connection: sqlite3.Connection) -> int:
    """Bring a database to the newest version, all or nothing; ``user_version`` holds its number.

    Args:
        connection: Opened with ``isolation_level=None``.

    Raises:
        ValueError: The file was written by a newer hubel.
    """
    connection.execute("BEGIN IMMEDIATE")  # a second process that opens the file waits here
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise ValueError(
                f"the ledger has version {version}, this hubel knows {len(MIGRATIONS)}: "
                "update hubel"
            )
        for script in MIGRATIONS[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return len(MIGRATIONS)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's inner semicolons do not end it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
