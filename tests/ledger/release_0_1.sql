-- The tables as the first release made them, before workers, copies and marks.
CREATE TABLE submissions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, state VARCHAR(16) NOT NULL,
    opened_at FLOAT NOT NULL, claimed_as TEXT, left_in_place BOOLEAN NOT NULL, size INTEGER,
    sha256 VARCHAR(64), reason TEXT, mesh TEXT, preset TEXT, intake_rule TEXT,
    part_version_id VARCHAR(36), slice_job_id VARCHAR(36), uploaded_at FLOAT, build_id VARCHAR(36),
    routing_rule TEXT, destination VARCHAR(16), device TEXT, receipt_id VARCHAR(36), ended_at FLOAT,
    preset_id VARCHAR(36), owner_id VARCHAR(36), folder_id VARCHAR(36), device_id VARCHAR(36),
    due_date VARCHAR(10), slice_status TEXT, hold VARCHAR(16), released BOOLEAN NOT NULL, placed_as TEXT,
    step VARCHAR(16), due_at FLOAT, turn INTEGER NOT NULL, tries INTEGER NOT NULL, waiting_since FLOAT
);
CREATE INDEX submissions_claimed_as ON submissions (claimed_as);
CREATE INDEX submissions_due ON submissions (due_at);
CREATE INDEX submissions_sha256 ON submissions (sha256);
CREATE INDEX submissions_state ON submissions (state);
CREATE TABLE events (
    id INTEGER NOT NULL PRIMARY KEY, submission INTEGER NOT NULL REFERENCES submissions (id),
    at FLOAT NOT NULL, event VARCHAR(32) NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX ix_events_submission ON events (submission);
CREATE TABLE sends (
    submission INTEGER NOT NULL REFERENCES submissions (id), copy INTEGER NOT NULL,
    token VARCHAR(32) NOT NULL, intent_at FLOAT NOT NULL, deadline FLOAT NOT NULL, times INTEGER NOT NULL,
    lost VARCHAR(16), receipt_id VARCHAR(36), settled_at FLOAT, reconciled BOOLEAN NOT NULL,
    PRIMARY KEY (submission, copy)
);

-- What it left behind when it was killed: taken, uploading, waiting for slicing, sending, sent, held,
-- and a claim that was never written down.
INSERT INTO submissions (id, path, state, opened_at, claimed_as, left_in_place, released, turn, tries, step, due_at, ended_at, hold)
VALUES
    (1, 'due.stl', 'claimed', 1700000000, 'processing/1~due.stl', 0, 0, 0, 0, 'intake', 1700000000, NULL, NULL),
    (2, 'running.stl', 'inspected', 1700000000, 'processing/2~running.stl', 0, 0, 0, 0, 'intake', NULL, NULL, NULL),
    (3, 'slicing.stl', 'slicing', 1700000000, 'processing/3~slicing.stl', 0, 0, 1, 0, 'poll', 1700000000, NULL, NULL),
    (4, 'sending.stl', 'routed', 1700000000, 'processing/4~sending.stl', 0, 0, 2, 0, 'deliver', NULL, NULL, NULL),
    (5, 'sent.stl', 'dispatched', 1700000000, 'done/sent.stl', 0, 0, 3, 0, NULL, NULL, 1700000100, NULL),
    (6, 'held.stl', 'held', 1700000000, 'held/held.stl', 0, 0, 1, 0, NULL, NULL, NULL, 'rule'),
    (7, 'opened.stl', 'claimed', 1700000000, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL);
INSERT INTO events VALUES (1, 5, 1700000100, 'dispatched', 'job_request: receipt r, sent');
INSERT INTO sends VALUES
    (4, 1, 'token', 1700000050, 1700000090, 1, NULL, NULL, NULL, 0),
    (5, 1, 'token', 1700000050, 1700000090, 1, NULL, 'r', 1700000060, 0);
