-- +goose Up

-- This service's own copy of what it needs of the catalogue. position is that of the
-- event in the catalogue's feed, by which replicas notice what is new.
CREATE TABLE items (
    name TEXT NOT NULL PRIMARY KEY,
    state BIGINT NOT NULL,
    position BIGINT NOT NULL
);

CREATE INDEX items_changed ON items (position);

CREATE TABLE item_revisions (
    name TEXT NOT NULL,
    revision BIGINT NOT NULL,
    position BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (name, revision)
);

CREATE INDEX item_revisions_changed ON item_revisions (position);

-- +goose Down
DROP TABLE item_revisions;
DROP TABLE items;
