-- +goose Up

-- Cases as they are now: the key columns that are searched, and the whole case with
-- its personal data as protobuf bytes. The history is in events. A case number begins
-- with its hall and day, so the primary key also lists a hall's cases, newest first.
CREATE TABLE cases (
    case_no TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    applicant_key TEXT NOT NULL,
    state BIGINT NOT NULL,
    -- Whether a window entered it for the applicant.
    on_behalf BOOLEAN NOT NULL,
    -- The inbox it waits in, 0 for none, and the day it is sorted by there.
    stage BIGINT NOT NULL,
    due BIGINT NOT NULL,
    -- The sequence of the last event, and when that happened.
    seq BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX cases_of_applicant ON cases (applicant_key, case_no);
CREATE INDEX cases_of_department ON cases (department, case_no);
-- The department is at the end so that one department's inbox is found in the index
-- alone, without an index of its own to be written at each filing.
CREATE INDEX cases_waiting ON cases (hall, stage, due, case_no, department) WHERE stage > 0;

-- +goose Down
DROP TABLE cases;
