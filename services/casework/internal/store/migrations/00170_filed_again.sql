-- +goose Up

-- What tells one filing from another of the same applicant: a hash of what it says, and
-- when it came in; 0 for a draft and for what another system tells. No index holds them:
-- they are looked at where the new row's own place in cases_of_applicant is.
ALTER TABLE cases ADD COLUMN content BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN filed_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE cases DROP COLUMN filed_at;
ALTER TABLE cases DROP COLUMN content;
