-- +goose Up

-- What applicants keep for their applications. data is sealed: who reads the table alone
-- learns nothing of anybody.
CREATE TABLE profiles (
    applicant_key TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    data BYTEA NOT NULL
);

-- Who may act for whom. data, sealed, names both sides.
CREATE TABLE mandates (
    id TEXT NOT NULL PRIMARY KEY,
    principal_key TEXT NOT NULL,
    agent_key TEXT NOT NULL,
    -- From when to when, and when it was taken back: 0 for never.
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Whether it reaches cases that the agent did not file.
    all_cases BOOLEAN NOT NULL,
    seq BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX mandates_given ON mandates (principal_key, created_at, id);
CREATE INDEX mandates_received ON mandates (agent_key, created_at, id);

-- +goose Down
DROP TABLE mandates;
DROP TABLE profiles;
