-- +goose Up

-- What supervision knows of each submitted case: its facts, the cards already
-- raised, and the next moment at which one falls due by itself (0 for none).
CREATE TABLE clocks (
    case_name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    applicant_key TEXT NOT NULL,
    facts BYTEA NOT NULL,
    raised TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    due BIGINT NOT NULL,
    open BOOLEAN NOT NULL
);

CREATE INDEX clocks_next ON clocks (next_at) WHERE next_at > 0;
CREATE INDEX clocks_hall ON clocks (hall, due, case_name) WHERE open;
CREATE INDEX clocks_department ON clocks (department, due, case_name) WHERE open;

CREATE TABLE cards (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    subject TEXT NOT NULL,
    level BIGINT NOT NULL,
    standing BOOLEAN NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX cards_hall ON cards (hall, id);
CREATE INDEX cards_department ON cards (department, id);
CREATE INDEX cards_subject ON cards (subject, id);

-- The policy (rules, calendar, ways of counting) that the clocks were reckoned with.
CREATE TABLE policies (
    id BIGINT NOT NULL PRIMARY KEY,
    version TEXT NOT NULL
);

-- +goose Down
DROP TABLE policies;
DROP TABLE cards;
DROP TABLE clocks;
