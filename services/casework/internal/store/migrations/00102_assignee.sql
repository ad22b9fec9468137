-- +goose Up

-- Who is to do the step a case waits for; empty while it lies in the pool. Only claimed
-- cases are in the index, so that a filing writes nothing to it.
ALTER TABLE cases ADD COLUMN assignee TEXT NOT NULL DEFAULT '';

CREATE INDEX cases_assigned ON cases (assignee, hall, stage, due, case_no) WHERE assignee <> '';

-- +goose Down
DROP INDEX cases_assigned;
ALTER TABLE cases DROP COLUMN assignee;
