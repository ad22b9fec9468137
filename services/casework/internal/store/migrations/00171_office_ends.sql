-- +goose Up

-- Applications that an office ended without a decision: not accepted, refused, returned or
-- voided. They are few; whoever applies for the same again soon after goes on by the first
-- clock.
CREATE TABLE office_ends (
    applicant_key TEXT NOT NULL,
    item TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    case_no TEXT NOT NULL,
    PRIMARY KEY (applicant_key, item, ended_at, case_no)
);

-- +goose Down
DROP TABLE office_ends;
