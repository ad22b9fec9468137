-- +goose Up

-- Files on their way here. What has arrived lies in the blob store in parts, which are
-- kept in upload_parts; received is their sum. request_key makes a repeated call one.
CREATE TABLE uploads (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    creator TEXT NOT NULL,
    request_key TEXT NOT NULL UNIQUE,
    request_hash BYTEA NOT NULL,
    state BIGINT NOT NULL,
    size BIGINT NOT NULL,
    received BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX uploads_open ON uploads (owner) WHERE state = 1;
CREATE INDEX uploads_expiring ON uploads (expires_at) WHERE state = 1;

CREATE TABLE upload_parts (
    upload TEXT NOT NULL,
    start BIGINT NOT NULL,
    size BIGINT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (upload, start)
);

CREATE INDEX upload_parts_blob ON upload_parts (blob);

-- Files that are kept, as they are now; their history is in events. A deleted one keeps
-- its row. uses counts what cases have taken it up, so that none can while it is deleted.
CREATE TABLE materials (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    live BOOLEAN NOT NULL,
    uses BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX materials_of_owner ON materials (owner, name) WHERE live;
CREATE INDEX materials_kept ON materials (keep_until) WHERE live;

-- Which cases have taken a material up.
CREATE TABLE material_uses (
    material TEXT NOT NULL,
    case_name TEXT NOT NULL,
    PRIMARY KEY (material, case_name)
);

-- The stored bytes: one blob for each owner and content, never shared between owners, so
-- that nobody can learn from an upload what others have.
CREATE TABLE file_blobs (
    owner TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    blob TEXT NOT NULL,
    size BIGINT NOT NULL,
    refs BIGINT NOT NULL,
    PRIMARY KEY (owner, sha256)
);

CREATE INDEX file_blobs_blob ON file_blobs (blob);

-- Blobs that nothing refers to any more and that are still to be removed.
CREATE TABLE blob_trash (
    blob TEXT NOT NULL PRIMARY KEY
);

-- +goose Down
DROP TABLE blob_trash;
DROP TABLE file_blobs;
DROP TABLE material_uses;
DROP TABLE materials;
DROP TABLE upload_parts;
DROP TABLE uploads;
