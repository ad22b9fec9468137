-- +goose Up

-- What happened. Rows are never changed and never deleted. The position is the place in
-- the whole feed: 1..n without a gap, in the order in which the transactions became
-- durable.
CREATE TABLE events (
    position BIGINT NOT NULL PRIMARY KEY,
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

-- +goose Down
DROP TABLE events;
