-- +goose Up

-- The versions of the working calendar that were published, from 2 on: 1 is what the
-- program was built with. They never change.
CREATE TABLE calendars (
    version BIGINT NOT NULL PRIMARY KEY,
    data BYTEA NOT NULL
);

-- By what limits halls count. state is that of the contract's enum; effective is a day
-- counted from 1970-01-01.
CREATE TABLE hall_policies (
    hall TEXT NOT NULL,
    version BIGINT NOT NULL,
    state BIGINT NOT NULL,
    effective BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (hall, version)
);

-- +goose Down
DROP TABLE hall_policies;
DROP TABLE calendars;
