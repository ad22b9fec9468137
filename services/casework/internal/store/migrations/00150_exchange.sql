-- +goose Up

-- The systems whose rows are taken in. open_gaps and open_rejects are kept beside them, so
-- that nobody counts.
CREATE TABLE exchange_sources (
    name TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    data BYTEA NOT NULL,
    batches BIGINT NOT NULL,
    open_gaps BIGINT NOT NULL,
    open_rejects BIGINT NOT NULL
);

-- Every version of every row as it was told, for ever: rows are added and never changed.
CREATE TABLE exchange_rows (
    source TEXT NOT NULL,
    case_no TEXT NOT NULL,
    tbl TEXT NOT NULL,
    serial BIGINT NOT NULL,
    version BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    columns BYTEA NOT NULL,
    PRIMARY KEY (source, case_no, tbl, serial, version)
);

-- The case that rows tell of: our number of it, what was told of it in which order, and
-- which rows wait for which.
CREATE TABLE exchange_cases (
    source TEXT NOT NULL,
    source_case_no TEXT NOT NULL,
    case_no TEXT NOT NULL,
    told TEXT NOT NULL,
    waiting TEXT NOT NULL,
    missing TEXT NOT NULL,
    waiting_since BIGINT NOT NULL,
    -- Whether it waited too long and was told all the same.
    forced BOOLEAN NOT NULL,
    PRIMARY KEY (source, source_case_no)
);

CREATE INDEX exchange_gaps ON exchange_cases (source, source_case_no) WHERE waiting_since > 0;
CREATE INDEX exchange_overdue ON exchange_cases (waiting_since) WHERE waiting_since > 0 AND NOT forced;

-- Rows that were refused, until they are sent again well. What stood in them stays with
-- the source.
CREATE TABLE exchange_rejects (
    source TEXT NOT NULL,
    row_key TEXT NOT NULL,
    tbl TEXT NOT NULL,
    source_case_no TEXT NOT NULL,
    serial BIGINT NOT NULL,
    version BIGINT NOT NULL,
    reason TEXT NOT NULL,
    field TEXT NOT NULL,
    rejected_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (source, row_key)
);

-- What was counted, by the month of arrival.
CREATE TABLE exchange_quality (
    source TEXT NOT NULL,
    month TEXT NOT NULL,
    tbl TEXT NOT NULL,
    accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    corrections BIGINT NOT NULL,
    disordered BIGINT NOT NULL,
    late BIGINT NOT NULL,
    lag_seconds BIGINT NOT NULL,
    expected_fields BIGINT NOT NULL,
    filled_fields BIGINT NOT NULL,
    PRIMARY KEY (source, month, tbl)
);

-- +goose Down
DROP TABLE exchange_quality;
DROP TABLE exchange_rejects;
DROP TABLE exchange_cases;
DROP TABLE exchange_rows;
DROP TABLE exchange_sources;
