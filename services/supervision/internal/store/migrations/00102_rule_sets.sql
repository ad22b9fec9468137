-- +goose Up

-- What a trial of other rules needs of past cases: when each was submitted, and who
-- told what when.
ALTER TABLE clocks ADD COLUMN submitted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE clocks ADD COLUMN deeds TEXT NOT NULL DEFAULT '';

CREATE INDEX clocks_submitted ON clocks (hall, submitted, case_name) WHERE submitted > 0;

-- The halls' own rules of conduct. A set holds from its moment on, 0 for a draft.
CREATE TABLE rule_sets (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hall TEXT NOT NULL,
    effective BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX rule_sets_hall ON rule_sets (hall, id);
CREATE INDEX rule_sets_effective ON rule_sets (effective) WHERE effective > 0;

-- +goose Down
DROP TABLE rule_sets;
DROP INDEX clocks_submitted;
ALTER TABLE clocks DROP COLUMN deeds;
ALTER TABLE clocks DROP COLUMN submitted;
