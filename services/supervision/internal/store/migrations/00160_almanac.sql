-- +goose Up

-- This service's own copy of the calendar notices and policies that the catalogue
-- published, by the position of their events (platform/almanac).
CREATE TABLE almanac (
    position BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    data BYTEA NOT NULL
);

-- +goose Down
DROP TABLE almanac;
