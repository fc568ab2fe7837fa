"""From the tables of earlier versions to those of this one.

A change to ``schema.SCHEMA`` is a step here as well, and a stored file of the schema before it goes
to the tests (tests/unit/nasbench_suite/store/files). A step that was ever released stays as it is.
"""

from __future__ import annotations

import sqlite3

# The statements that lead from schema 1 to 2, from 2 to 3, and so on.
STEPS = (
    # 2: searches for several objectives.
    """
    ALTER TABLE tasks ADD COLUMN measure TEXT;
    CREATE TABLE fronts (
        trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        architecture INTEGER NOT NULL,
        objective INTEGER NOT NULL,
        report REAL NOT NULL,
        PRIMARY KEY (trial_id, architecture, objective)
    ) WITHOUT ROWID;
    CREATE TABLE indicators (
        trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (trial_id, name)
    ) WITHOUT ROWID;
    """,
    # 3: what methods tell of themselves.
    """
    CREATE TABLE diagnostics (
        trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        step INTEGER NOT NULL,
        shape TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (trial_id, name, step)
    ) WITHOUT ROWID;
    """,
    # 4: benchmarks without a table, and architectures without figures.
    """
    ALTER TABLE tasks ADD COLUMN optimum_known INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE trials ADD COLUMN unavailable INTEGER;
    ALTER TABLE records ADD COLUMN strings TEXT;
    """,
    # 5: seals of all rows, and the code that ran.
    """
    CREATE TABLE codes (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        source TEXT,
        distribution TEXT,
        version TEXT,
        git_revision TEXT,
        seal TEXT
    );
    ALTER TABLE tasks ADD COLUMN seal TEXT;
    ALTER TABLE methods ADD COLUMN seal TEXT;
    ALTER TABLE environments ADD COLUMN seal TEXT;
    ALTER TABLE trials ADD COLUMN code_id INTEGER REFERENCES codes (id);
    ALTER TABLE trials ADD COLUMN seal INTEGER;
    ALTER TABLE diagnostics ADD COLUMN seal INTEGER;
    CREATE TABLE seals (
        trial_id INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
        incumbents INTEGER NOT NULL,
        fronts INTEGER NOT NULL,
        indicators INTEGER NOT NULL,
        diagnostics INTEGER NOT NULL,
        records INTEGER NOT NULL
    );
    CREATE TABLE totals (
        name TEXT PRIMARY KEY,
        rows INTEGER NOT NULL,
        seal INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO totals SELECT 'trials', count(*), 0 FROM trials;
    """,
)
SCHEMA_VERSION = len(STEPS) + 1


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Take every step from that schema to this version's, within the transaction that is open."""
    for step in STEPS[version - 1 :]:
        execute_all(connection, step)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def execute_all(connection: sqlite3.Connection, statements: str) -> None:
    """Execute statements one by one; ``executescript`` would end the transaction first."""
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)
