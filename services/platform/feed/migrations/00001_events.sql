-- +goose Up

-- What happened. Rows are never deleted, and never changed but for the position,
-- which is given once, after commit.
CREATE TABLE events (
    id BIGINT NOT NULL PRIMARY KEY,
    position BIGINT UNIQUE,
    subject TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    type TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource BYTEA NOT NULL,
    resource_sha256 BYTEA NOT NULL,
    actor TEXT NOT NULL,
    actor_department TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    detail BYTEA NOT NULL,
    detail_type TEXT NOT NULL,
    request_key TEXT UNIQUE,
    request_hash BYTEA,
    UNIQUE (subject, sequence)
);

-- The events that wait for their number: few at any time.
CREATE INDEX events_unnumbered ON events (sequence, id) WHERE position IS NULL;

-- +goose Down
DROP TABLE events;
