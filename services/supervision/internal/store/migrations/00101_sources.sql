-- +goose Up

-- Clocks are kept of whatever has one: cases, reviews. The source vouches for what has
-- not happened. The terms are the steps that the item's revision published.
ALTER TABLE clocks ADD COLUMN source TEXT NOT NULL DEFAULT 'casework';
ALTER TABLE clocks ADD COLUMN terms BYTEA NOT NULL DEFAULT '';

DROP INDEX clocks_next;
CREATE INDEX clocks_next ON clocks (source, next_at) WHERE next_at > 0;

-- What the revisions of items published about their handling, by the revision's name.
CREATE TABLE item_terms (
    name TEXT NOT NULL PRIMARY KEY,
    data BYTEA NOT NULL
);

-- The halls and who stands above each; empty at the top.
CREATE TABLE halls (
    name TEXT NOT NULL PRIMARY KEY,
    parent TEXT NOT NULL,
    display_name TEXT NOT NULL
);

-- When each account last entered finished cases: the latest moments, in microseconds.
CREATE TABLE accounts (
    account TEXT NOT NULL PRIMARY KEY,
    recent TEXT NOT NULL
);

-- Outcomes by month (as 201811) of items and of officers; '' is everybody.
CREATE TABLE tallies (
    month BIGINT NOT NULL,
    subject TEXT NOT NULL,
    label TEXT NOT NULL,
    item TEXT NOT NULL,
    department TEXT NOT NULL,
    officer TEXT NOT NULL,
    total BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (month, subject)
);

-- +goose Down
DROP TABLE tallies;
DROP TABLE accounts;
DROP TABLE halls;
DROP TABLE item_terms;
DROP INDEX clocks_next;
CREATE INDEX clocks_next ON clocks (next_at) WHERE next_at > 0;
ALTER TABLE clocks DROP COLUMN terms;
ALTER TABLE clocks DROP COLUMN source;
