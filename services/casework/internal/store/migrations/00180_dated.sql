-- +goose Up

-- Whether a case that waits in no inbox here has days that a calendar may move: one that
-- its source handles and that is still open, or one whose missing materials are still to
-- come. Those of the inboxes are found by these.
ALTER TABLE cases ADD COLUMN dated BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE cases SET dated = TRUE WHERE stage = 0 AND state IN (2, 3, 6, 7, 8, 9);
CREATE INDEX cases_dated ON cases (hall, case_no) WHERE dated;

-- +goose Down
DROP INDEX cases_dated;
ALTER TABLE cases DROP COLUMN dated;
