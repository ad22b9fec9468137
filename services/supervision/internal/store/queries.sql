-- name: GetClock :one
SELECT * FROM clocks WHERE case_name = $1;

-- name: DueCases :many
SELECT case_name FROM clocks WHERE source = $1 AND next_at > 0 AND next_at < $2 ORDER BY next_at LIMIT $3;

-- name: NextDue :one
SELECT CAST(COALESCE(MIN(next_at), 0) AS BIGINT) FROM clocks WHERE source = $1 AND next_at > 0;

-- name: LiveCases :many
SELECT case_name FROM clocks WHERE case_name > $1 AND (open OR next_at > 0) ORDER BY case_name LIMIT $2;

-- name: ListHallClocks :many
SELECT * FROM clocks WHERE open AND hall = $1 AND (due > $2 OR (due = $2 AND case_name > $3)) ORDER BY due, case_name LIMIT $4;

-- name: ListDepartmentClocks :many
SELECT * FROM clocks WHERE open AND department = $1 AND (due > $2 OR (due = $2 AND case_name > $3)) ORDER BY due, case_name LIMIT $4;

-- name: InsertCard :execrows
INSERT INTO cards (id, name, hall, department, subject, level, standing, state, confirm_by, sequence, data, month, as_of, rule, item, officer)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13, $14, $15) ON CONFLICT (name) DO NOTHING;

-- name: GetCard :one
SELECT * FROM cards WHERE name = $1;

-- name: UpdateCard :execrows
UPDATE cards SET data = $1, standing = $2, state = $3, sequence = $4 WHERE name = $5 AND sequence = $6;

-- name: ListCards :many
SELECT * FROM cards WHERE id < $1 AND level >= $2 AND state >= $3 AND state <= $4 AND (standing OR state = 3 OR CAST($5 AS BOOLEAN))
ORDER BY id DESC LIMIT $6;

-- name: ListHallCards :many
SELECT * FROM cards WHERE hall = $1 AND id < $2 AND level >= $3 AND state >= $4 AND state <= $5 AND (standing OR state = 3 OR CAST($6 AS BOOLEAN))
ORDER BY id DESC LIMIT $7;

-- name: ListDepartmentCards :many
SELECT * FROM cards WHERE department = $1 AND id < $2 AND level >= $3 AND state >= $4 AND state <= $5 AND (standing OR state = 3 OR CAST($6 AS BOOLEAN))
ORDER BY id DESC LIMIT $7;

-- name: ListSubjectCards :many
SELECT * FROM cards WHERE subject = $1 AND id < $2 AND level >= $3 AND state >= $4 AND state <= $5 AND (standing OR state = 3 OR CAST($6 AS BOOLEAN))
ORDER BY id DESC LIMIT $7;

-- name: PolicyVersion :one
SELECT version FROM policies WHERE id = 1;

-- name: SetPolicyVersion :exec
INSERT INTO policies (id, version) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET version = excluded.version;

-- name: StandingCards :many
SELECT * FROM cards WHERE (standing OR state = 1) AND id > $1 ORDER BY id LIMIT $2;

-- name: StandingHallCards :many
SELECT * FROM cards WHERE (standing OR state = 1) AND hall = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: StandingDepartmentCards :many
SELECT * FROM cards WHERE (standing OR state = 1) AND department = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: SaveTerms :exec
INSERT INTO item_terms (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: GetTerms :one
SELECT data FROM item_terms WHERE name = $1;

-- name: SaveHall :exec
INSERT INTO halls (name, parent, display_name) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET parent = excluded.parent, display_name = excluded.display_name;

-- name: GetHall :one
SELECT * FROM halls WHERE name = $1;

-- name: GetAccount :one
SELECT recent FROM accounts WHERE account = $1;

-- name: SaveAccount :exec
INSERT INTO accounts (account, recent) VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET recent = excluded.recent;

-- name: AddTally :exec
INSERT INTO tallies (month, subject, label, item, department, officer, total, refused) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (month, subject) DO UPDATE SET total = tallies.total + excluded.total, refused = tallies.refused + excluded.refused;

-- name: TallyMonths :many
SELECT DISTINCT month FROM tallies WHERE month > $1 AND month < $2 ORDER BY month;

-- name: Tallies :many
SELECT * FROM tallies WHERE month = $1 AND (subject = '' OR total >= $2) ORDER BY subject;

-- name: JudgedMonth :one
SELECT version FROM policies WHERE id = 2;

-- name: SetJudgedMonth :exec
INSERT INTO policies (id, version) VALUES (2, $1) ON CONFLICT (id) DO UPDATE SET version = excluded.version;

-- name: SubmittedCases :many
SELECT * FROM clocks WHERE hall = $1 AND submitted >= $2 AND submitted < $3 AND (submitted > $4 OR (submitted = $4 AND case_name > $5))
ORDER BY submitted, case_name LIMIT $6;

-- name: InsertRuleSet :exec
INSERT INTO rule_sets (id, name, hall, effective, sequence, data, kind) VALUES ($1, $2, $3, 0, 1, $4, $5);

-- name: UpdateRuleSet :execrows
UPDATE rule_sets SET effective = $1, sequence = $2, data = $3 WHERE name = $4 AND sequence = $5;

-- name: GetRuleSet :one
SELECT * FROM rule_sets WHERE name = $1;

-- name: ListRuleSets :many
SELECT * FROM rule_sets WHERE hall = $1 AND kind = $2 AND id < $3 ORDER BY id DESC LIMIT $4;

-- name: RuleSetsInForce :many
SELECT * FROM rule_sets WHERE effective > 0 AND kind = $1 ORDER BY effective, id;

-- name: CountCards :many
SELECT hall, department, level, state, COUNT(*) AS n FROM cards GROUP BY hall, department, level, state ORDER BY hall, department, level;

-- name: CountHallCards :many
SELECT hall, department, level, state, COUNT(*) AS n FROM cards WHERE hall = $1 GROUP BY hall, department, level, state ORDER BY hall, department, level;

-- name: CountDepartmentCards :many
SELECT hall, department, level, state, COUNT(*) AS n FROM cards WHERE department = $1 GROUP BY hall, department, level, state ORDER BY hall, department, level;

-- name: InsertOrder :exec
INSERT INTO orders (id, name, hall, department, next_at, sequence, data) VALUES ($1, $2, $3, $4, $5, 1, $6);

-- name: UpdateOrder :execrows
UPDATE orders SET next_at = $1, sequence = $2, data = $3 WHERE name = $4 AND sequence = $5;

-- name: GetOrder :one
SELECT * FROM orders WHERE name = $1;

-- name: ListHallOrders :many
SELECT * FROM orders WHERE hall = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: ListDepartmentOrders :many
SELECT * FROM orders WHERE department = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: NextOrder :one
SELECT * FROM orders WHERE next_at > 0 ORDER BY next_at LIMIT 1;

-- name: CountOverdueCards :many
SELECT hall, department, level, COUNT(*) AS n FROM cards WHERE state = 1 AND confirm_by <= $1 GROUP BY hall, department, level;

-- name: CountStages :many
SELECT hall, department, stage, due, COUNT(*) AS n FROM clocks WHERE open GROUP BY hall, department, stage, due;

-- name: CountHallStages :many
SELECT hall, department, stage, due, COUNT(*) AS n FROM clocks WHERE open AND hall = $1 GROUP BY hall, department, stage, due;

-- name: NearestClocks :many
SELECT * FROM clocks WHERE open AND due >= $1 ORDER BY due, case_name LIMIT $2;

-- name: FrozenMonth :one
SELECT version FROM policies WHERE id = 3;

-- name: HoldMonths :exec
INSERT INTO policies (id, version) VALUES (3, '0') ON CONFLICT (id) DO UPDATE SET version = policies.version;

-- name: SetFrozenMonth :exec
INSERT INTO policies (id, version) VALUES (3, $1) ON CONFLICT (id) DO UPDATE SET version = excluded.version;

-- name: UnplacedCards :many
SELECT * FROM cards WHERE month = 0 AND id > $1 ORDER BY id LIMIT $2;

-- name: PlaceCard :exec
UPDATE cards SET month = $1, as_of = $2, rule = $3, item = $4, officer = $5 WHERE id = $6;

-- name: MonthCards :many
SELECT name, subject, rule, level, as_of, department, item, officer FROM cards WHERE hall = $1 AND month = $2 AND standing AND month > 0;

-- name: MonthDepartmentCards :many
SELECT name, subject, rule, level, as_of, department, item, officer FROM cards WHERE hall = $1 AND month = $2 AND department = $3 AND standing AND month > 0;

-- name: InsertScore :execrows
INSERT INTO scores (name, hall, month, kind, department, sequence, data) VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT (name) DO NOTHING;

-- name: UpdateScore :execrows
UPDATE scores SET sequence = $1, data = $2 WHERE name = $3 AND sequence = $4;

-- name: GetScore :one
SELECT * FROM scores WHERE name = $1;

-- name: ListScores :many
SELECT * FROM scores WHERE hall = $1 AND month = $2 AND kind = $3 AND name > $4 ORDER BY name LIMIT $5;

-- name: InsertScoreMark :exec
INSERT INTO score_marks (id, name, hall, month, department, score, data) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: ScoreMarks :many
SELECT * FROM score_marks WHERE hall = $1 AND month = $2 ORDER BY id;

-- name: CountedCases :many
SELECT * FROM counted_cases WHERE department = $1 AND month = $2 AND case_name > $3 AND (flags & $4) = $4
  AND (CAST($5 AS TEXT) = '' OR officer = CAST($5 AS TEXT)) AND (CAST($6 AS TEXT) = '' OR item = CAST($6 AS TEXT)) ORDER BY case_name LIMIT $7;

-- name: DeleteFindings :exec
DELETE FROM findings WHERE hall = $1 AND month = $2;

-- name: InsertFinding :exec
INSERT INTO findings (name, hall, month, kind, measure, department, place, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: ListFindings :many
SELECT place, department, data FROM findings WHERE hall = $1 AND month = $2 AND place > $3 AND (CAST($4 AS BIGINT) = 0 OR kind = CAST($4 AS BIGINT))
  AND (CAST($5 AS BIGINT) = 0 OR measure = CAST($5 AS BIGINT)) AND (CAST($6 AS TEXT) = '' OR department = CAST($6 AS TEXT)) ORDER BY place LIMIT $7;

-- name: GetFinding :one
SELECT department, data FROM findings WHERE name = $1;

-- name: LastFindings :one
SELECT CAST(COALESCE(MAX(month), 0) AS BIGINT) AS month FROM findings WHERE hall = $1;

-- name: LikeCases :many
SELECT * FROM counted_cases WHERE entry = $1 AND month >= $2 AND month <= $3 AND applicant = $4 AND department = $5 AND (month > $6 OR (month = $6 AND case_name > $7))
  AND (CAST($8 AS TEXT) = '' OR officer = CAST($8 AS TEXT)) AND (CAST($9 AS TEXT) = '' OR item = CAST($9 AS TEXT)) ORDER BY month, case_name LIMIT $10;

-- name: PastPlaces :many
SELECT department, item, stage, fifth, load, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(overran) AS BIGINT) AS overran, CAST(SUM(remaining) AS BIGINT) AS remaining FROM past_places
WHERE hall = $1 AND month >= $2 GROUP BY department, item, stage, fifth, load;

-- name: ForecastDay :one
SELECT version FROM policies WHERE id = 5;

-- name: SetForecastDay :exec
INSERT INTO policies (id, version) VALUES (5, $1) ON CONFLICT (id) DO UPDATE SET version = excluded.version;

-- name: OpenHalls :many
SELECT DISTINCT hall FROM clocks WHERE open AND source = 'casework' ORDER BY hall;

-- name: SweepForecasts :exec
DELETE FROM forecasts WHERE hall = $1 AND day < $2;

-- name: ListHallForecasts :many
SELECT case_name, risk, department, data FROM forecasts WHERE hall = $1 AND (risk < $2 OR (risk = $2 AND case_name > $3)) ORDER BY risk DESC, case_name LIMIT $4;

-- name: ListDepartmentForecasts :many
SELECT case_name, risk, department, data FROM forecasts WHERE department = $1 AND (risk < $2 OR (risk = $2 AND case_name > $3)) ORDER BY risk DESC, case_name LIMIT $4;

-- name: ReckonPlace :one
SELECT version FROM policies WHERE id = 4;

-- name: SetReckonPlace :exec
INSERT INTO policies (id, version) VALUES (4, $1) ON CONFLICT (id) DO UPDATE SET version = excluded.version;
