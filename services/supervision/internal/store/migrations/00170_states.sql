-- +goose Up

-- Cards have states beside standing and revoked; 1 waits to be confirmed, until the end
-- of confirm_by. The numbers are those of the contract.
ALTER TABLE cards ADD COLUMN state BIGINT NOT NULL DEFAULT 2;
ALTER TABLE cards ADD COLUMN confirm_by BIGINT NOT NULL DEFAULT 0;
UPDATE cards SET state = 3 WHERE NOT standing;
CREATE INDEX cards_pending ON cards (hall, confirm_by) WHERE state = 1;

-- The stage an open case waits in, for the wall's figures.
ALTER TABLE clocks ADD COLUMN stage TEXT NOT NULL DEFAULT '';
CREATE INDEX clocks_wall ON clocks (hall, department, stage, due) WHERE open;

-- +goose Down
DROP INDEX clocks_wall;
ALTER TABLE clocks DROP COLUMN stage;
DROP INDEX cards_pending;
ALTER TABLE cards DROP COLUMN confirm_by;
ALTER TABLE cards DROP COLUMN state;
