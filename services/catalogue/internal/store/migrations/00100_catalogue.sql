-- +goose Up

CREATE TABLE halls (
    name TEXT NOT NULL PRIMARY KEY,
    parent TEXT NOT NULL,
    level BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE TABLE departments (
    name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX departments_hall ON departments (hall, name);

CREATE TABLE directory_entries (
    name TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

-- One row an item. The draft is empty where it is no other than the last revision's
-- content, which spares a copy of nearly every item.
CREATE TABLE items (
    name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    title TEXT NOT NULL,
    level BIGINT NOT NULL,
    state BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    editor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    draft_sha256 TEXT NOT NULL,
    draft BYTEA NOT NULL
);

CREATE INDEX items_hall ON items (hall, name);
CREATE INDEX items_department ON items (department, title);

-- Published revisions. Rows are inserted and never changed.
CREATE TABLE item_revisions (
    item TEXT NOT NULL,
    revision BIGINT NOT NULL,
    effective_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (item, revision)
);

-- What requests were answered that changed many things at once, or nothing.
CREATE TABLE batch_answers (
    request_key TEXT NOT NULL PRIMARY KEY,
    request_hash BYTEA NOT NULL,
    answered_at BIGINT NOT NULL,
    response BYTEA NOT NULL
);

-- +goose Down
DROP TABLE batch_answers;
DROP TABLE item_revisions;
DROP TABLE items;
DROP TABLE directory_entries;
DROP TABLE departments;
DROP TABLE halls;
