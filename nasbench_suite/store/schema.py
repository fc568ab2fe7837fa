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
    optimum_known INTEGER NOT NULL DEFAULT 1, -- 0 where optimum says nothing: no whole table
    seal TEXT                          -- SHA-256 of the row; NULL of an earlier version
);
CREATE TABLE methods (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,          -- hash of name, class and hyper-parameters
    label TEXT NOT NULL,               -- name, and the hyper-parameters that differ from default
    name TEXT NOT NULL,
    config TEXT NOT NULL,              -- JSON
    seal TEXT                          -- as of tasks
);
CREATE TABLE environments (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    git_revision TEXT,
    packages TEXT NOT NULL,            -- JSON: package versions
    platform TEXT NOT NULL,
    seal TEXT                          -- as of tasks
);
CREATE TABLE codes (                   -- the code of methods, as trials ran it
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT,                       -- hash of its source; NULL if there is none to read
    distribution TEXT,                 -- what it was installed from
    version TEXT,                      -- of that distribution
    git_revision TEXT,                 -- of the folder it lies in
    seal TEXT                          -- as of tasks
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
    code_id INTEGER REFERENCES codes (id),  -- NULL of an earlier version
    seal INTEGER,                      -- of this row, see seals; NULL of an earlier version
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
    seal INTEGER,                      -- of this row, see seals; NULL of an earlier version
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
CREATE TABLE seals (                   -- of what belongs to a finished trial in other tables
    trial_id INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
    incumbents INTEGER NOT NULL,
    fronts INTEGER NOT NULL,
    indicators INTEGER NOT NULL,
    diagnostics INTEGER NOT NULL,
    records INTEGER NOT NULL
);
CREATE TABLE totals (                  -- of trials: how many, and the sum of their seals
    name TEXT PRIMARY KEY,
    rows INTEGER NOT NULL,
    seal INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO totals VALUES ('trials', 0, 0);
"""
