-- +goose Up

-- Centres with windows, where people come in person. Each resource is protobuf bytes
-- beside the columns it is found by; its history is in events.
CREATE TABLE centres (
    name TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    data BYTEA NOT NULL
);

-- How much of a bookable time is taken; the row is the lock against booking it twice.
CREATE TABLE slots (
    centre TEXT NOT NULL,
    start_at BIGINT NOT NULL,
    booked BIGINT NOT NULL,
    PRIMARY KEY (centre, start_at)
);

CREATE TABLE appointments (
    name TEXT NOT NULL PRIMARY KEY,
    centre TEXT NOT NULL,
    start_at BIGINT NOT NULL,
    holder_key TEXT NOT NULL,
    -- Booked, and neither given back nor arrived.
    open BOOLEAN NOT NULL,
    seq BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX appointments_of_centre ON appointments (centre, start_at, name);
CREATE INDEX appointments_of_holder ON appointments (holder_key, centre, start_at, name);

-- rank is the moment by which a ticket's turn comes. called_at is 0 until it is called.
CREATE TABLE tickets (
    name TEXT NOT NULL PRIMARY KEY,
    centre TEXT NOT NULL,
    day BIGINT NOT NULL,
    department TEXT NOT NULL,
    rank BIGINT NOT NULL,
    holder_key TEXT NOT NULL,
    waiting BOOLEAN NOT NULL,
    called_at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX tickets_waiting ON tickets (centre, day, rank, name) WHERE waiting;
CREATE INDEX tickets_waiting_of_department ON tickets (centre, day, department, rank, name) WHERE waiting;
CREATE INDEX tickets_waiting_of_holder ON tickets (holder_key, centre, day) WHERE waiting AND holder_key <> '';
CREATE INDEX tickets_called ON tickets (centre, day, called_at) WHERE called_at > 0;

-- What a centre's day adds up to, so that nobody has to count.
CREATE TABLE centre_days (
    centre TEXT NOT NULL,
    day BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    called BIGINT NOT NULL,
    gone BIGINT NOT NULL,
    wait_seconds BIGINT NOT NULL,
    PRIMARY KEY (centre, day)
);

-- Codes by which a draft is taken over at a window; only their hashes are kept.
CREATE TABLE carry_codes (
    code_hash TEXT NOT NULL PRIMARY KEY,
    case_no TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX carry_codes_expired ON carry_codes (expires_at);

-- +goose Down
DROP TABLE carry_codes;
DROP TABLE centre_days;
DROP TABLE tickets;
DROP TABLE appointments;
DROP TABLE slots;
DROP TABLE centres;
