-- +goose Up

-- How far each follower of each source has come.
CREATE TABLE cursors (
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (source, name)
);

-- The last sequence received of each subject, so that a gap is noticed. The subject
-- leads the key: all rows of a service may have one source and name, and a plan that
-- looks for these first reads everything.
CREATE TABLE followed_subjects (
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (subject, source, name)
);

-- Events that could not be applied, and those of the same subject behind them.
CREATE TABLE parked_events (
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    subject TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    event BYTEA NOT NULL,
    reason TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    parked_at BIGINT NOT NULL,
    skipped_at BIGINT NOT NULL,
    skipped_by TEXT NOT NULL,
    skip_reason TEXT NOT NULL,
    PRIMARY KEY (source, name, position)
);

CREATE INDEX parked_events_waiting ON parked_events (source, name, subject, position) WHERE skipped_at = 0;

-- +goose Down
DROP TABLE parked_events;
DROP TABLE followed_subjects;
DROP TABLE cursors;
