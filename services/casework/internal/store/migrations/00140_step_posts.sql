-- +goose Up

-- The step of an item's own flow that a case waits for: one row for each post that may
-- take it, or one with an empty post where any officer of the department may. Cases that
-- go the usual path have none. due is the day the inbox is sorted by.
CREATE TABLE step_posts (
    case_no TEXT NOT NULL,
    post TEXT NOT NULL,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    due BIGINT NOT NULL,
    PRIMARY KEY (case_no, post)
);

CREATE INDEX step_posts_waiting ON step_posts (hall, post, due, case_no, department);

-- +goose Down
DROP TABLE step_posts;
