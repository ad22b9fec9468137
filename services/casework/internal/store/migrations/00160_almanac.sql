-- +goose Up

-- This service's own copy of the calendar notices and policies that the catalogue
-- published, by the position of their events (platform/almanac).
CREATE TABLE almanac (
    position BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    data BYTEA NOT NULL
);

-- The position of the almanac's last entry that a case's dates were reckoned with. No
-- index holds it: whoever looks for cases to be reckoned again goes through the inboxes.
ALTER TABLE cases ADD COLUMN reckoned BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE cases DROP COLUMN reckoned;
DROP TABLE almanac;
