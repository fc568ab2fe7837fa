"""The tables of a results file. Any change is a step of ``migrations`` as well."""

from __future__ import annotations

APPLICATION_ID = 0x4E415342  # "NASB": tells a results file from any other SQLite database

SCHEMA = """
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,          -- hash of config: same key, same task on the same figures
    name TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    space TEXT NOT NULL,
    dataset TEXT,
    signal_metric TEXT NOT NULL,
    report_metric TEXT NOT NULL,
    unit TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('maximize', 'minimize')),
    optimum REAL NOT NULL,             -- best reported figure in the whole space
    noise_floor REAL,                  -- of the reported metric, in its unit; NULL if unknown
    config TEXT NOT NULL,              -- JSON
    measure TEXT,                      -- JSON: several objectives, their scaling and true front
    optimum_known INTEGER NOT NULL DEFAULT 1  -- 0 where optimum says nothing: no whole table
);
CREATE TABLE methods (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,          -- hash of name, class and hyper-parameters
    label TEXT NOT NULL,               -- name, and the hyper-parameters that differ from default
    name TEXT NOT NULL,
    config TEXT NOT NULL               -- JSON
);
CREATE TABLE environments (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    git_revision TEXT,
    packages TEXT NOT NULL,            -- JSON: package versions
    platform TEXT NOT NULL
);
CREATE TABLE trials (
    id INTEGER PRIMARY KEY,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    method_id INTEGER NOT NULL REFERENCES methods (id),
    seed INTEGER NOT NULL,
    environment_id INTEGER NOT NULL REFERENCES environments (id),
    status TEXT NOT NULL CHECK (status IN ('finished', 'failed')),
    message TEXT,                      -- why it failed
    finished_at TEXT NOT NULL,         -- UTC, ISO 8601
    wall_seconds REAL NOT NULL,
    trainings INTEGER,                 -- number of evaluations, at whatever epochs
    evaluations REAL,                  -- budget spent, in full evaluations
    seconds REAL,                      -- simulated training seconds spent
    architecture INTEGER,              -- index of the final incumbent; last to enter the front
    signal REAL,                       -- its signal, in the signal metric's unit
    report REAL,                       -- what it is judged by
    unavailable INTEGER,               -- evaluations without a figure; NULL if not counted
    UNIQUE (task_id, method_id, seed)
);
CREATE TABLE incumbents (              -- a row whenever the incumbent changed
    trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    training INTEGER NOT NULL,         -- after which evaluation, from 1
    evaluations REAL NOT NULL,
    seconds REAL NOT NULL,
    architecture INTEGER NOT NULL,
    signal REAL NOT NULL,
    report REAL NOT NULL,
    PRIMARY KEY (trial_id, training)
) WITHOUT ROWID;
CREATE TABLE fronts (                  -- what a search for several objectives returned
    trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    architecture INTEGER NOT NULL,
    objective INTEGER NOT NULL,        -- its place in the task's objectives, from 0
    report REAL NOT NULL,
    PRIMARY KEY (trial_id, architecture, objective)
) WITHOUT ROWID;
CREATE TABLE indicators (              -- figures of that front, see statistics.pareto.INDICATORS
    trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (trial_id, name)
) WITHOUT ROWID;
CREATE TABLE diagnostics (             -- what a method told of itself, see Session.log
    trial_id INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    step INTEGER NOT NULL,             -- the method's own count, such as its epoch
    shape TEXT NOT NULL,               -- JSON
    value BLOB NOT NULL,               -- little-endian float64
    PRIMARY KEY (trial_id, name, step)
) WITHOUT ROWID;
CREATE TABLE records (                 -- every evaluation: little-endian arrays, see Record
    trial_id INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
    architectures BLOB NOT NULL,       -- int32
    epochs BLOB NOT NULL,              -- int32
    signals BLOB NOT NULL,             -- float64, objectives fastest
    evaluations BLOB NOT NULL,         -- float64
    seconds BLOB NOT NULL,             -- float64
    recommended BLOB NOT NULL,         -- int32
    strings TEXT                       -- JSON: the architectures, on a benchmark without a table
);
"""
