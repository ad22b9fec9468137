-- name: InsertCase :exec
INSERT INTO cases (case_no, hall, department, applicant_key, state, on_behalf, stage, due, seq, happened_at, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: GetCase :one
SELECT state, stage, due, seq, happened_at, data FROM cases WHERE case_no = $1;

-- name: UpdateCase :execrows
UPDATE cases SET state = @state, stage = @stage, due = @due, seq = @seq, happened_at = @happened_at, data = @data
WHERE case_no = @case_no AND seq = @seq - 1;

-- name: UpdateDraft :execrows
UPDATE cases SET department = @department, applicant_key = @applicant_key, state = @state, stage = @stage, due = @due,
  seq = @seq, happened_at = @happened_at, data = @data
WHERE case_no = @case_no AND seq = @seq - 1;

-- name: MoveCase :execrows
UPDATE cases SET department = @department, assignee = @assignee, state = @state, stage = @stage, due = @due,
  seq = @seq, happened_at = @happened_at, data = @data
WHERE case_no = @case_no AND seq = @seq - 1;

-- name: TouchCase :execrows
UPDATE cases SET seq = @seq, happened_at = @happened_at, data = @data
WHERE case_no = @case_no AND seq = @seq - 1;

-- name: ListByApplicant :many
SELECT case_no, seq, data FROM cases
WHERE applicant_key = @applicant_key AND case_no > @lowest AND case_no < @before
  AND (CAST(@state AS BIGINT) = 0 OR state = @state)
  AND (CAST(@department AS TEXT) = '' OR department = @department)
ORDER BY case_no DESC LIMIT CAST(@size AS BIGINT);

-- name: ListByDepartment :many
SELECT case_no, seq, data FROM cases
WHERE department = @department AND case_no < @before AND state <> 1
  AND (CAST(@state AS BIGINT) = 0 OR state = @state)
ORDER BY case_no DESC LIMIT CAST(@size AS BIGINT);

-- name: ListByHall :many
SELECT case_no, seq, data FROM cases
WHERE case_no > @lowest AND case_no < @before
  AND (state <> 1 OR (CAST(@drafts AS BOOLEAN) AND on_behalf))
  AND (CAST(@state AS BIGINT) = 0 OR state = @state)
ORDER BY case_no DESC LIMIT CAST(@size AS BIGINT);

-- name: ListWaiting :many
SELECT case_no, seq, due, data FROM cases
WHERE hall = @hall AND stage = @stage AND stage > 0 AND (due, case_no) > (CAST(@after_due AS BIGINT), CAST(@after_case_no AS TEXT))
  AND (CAST(@department AS TEXT) = '' OR department = @department)
  AND (NOT CAST(@unassigned AS BOOLEAN) OR assignee = '')
ORDER BY due, case_no LIMIT CAST(@size AS BIGINT);

-- name: ListAssigned :many
SELECT case_no, seq, due, data FROM cases
WHERE assignee = @assignee AND assignee <> '' AND hall = @hall AND stage = @stage AND (due, case_no) > (CAST(@after_due AS BIGINT), CAST(@after_case_no AS TEXT))
  AND (CAST(@department AS TEXT) = '' OR department = @department)
ORDER BY due, case_no LIMIT CAST(@size AS BIGINT);

-- name: PutItem :exec
INSERT INTO items (name, state, position) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET state = excluded.state, position = excluded.position;

-- name: AddItem :exec
INSERT INTO items (name, state, position) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING;

-- name: PutRevision :exec
INSERT INTO item_revisions (name, revision, position, data) VALUES ($1, $2, $3, $4) ON CONFLICT (name, revision) DO NOTHING;

-- name: ItemsAfter :many
SELECT name, state, position FROM items WHERE position > @after ORDER BY position LIMIT CAST(@size AS BIGINT);

-- name: RevisionsAfter :many
SELECT name, revision, position, data FROM item_revisions WHERE position > @after ORDER BY position LIMIT CAST(@size AS BIGINT);

-- name: NextHall :one
SELECT hall FROM cases WHERE case_no > @behind ORDER BY case_no LIMIT 1;

-- name: ListUnaccepted :many
SELECT case_no, due FROM cases
WHERE hall = @hall AND stage = 1 AND stage > 0 AND (due, case_no) > (CAST(@after_due AS BIGINT), CAST(@after_case_no AS TEXT)) AND due < CAST(@today AS BIGINT) AND state = 2
ORDER BY due, case_no LIMIT CAST(@size AS BIGINT);

-- name: GetProfile :one
SELECT seq, data FROM profiles WHERE applicant_key = $1;

-- name: PutProfile :execrows
INSERT INTO profiles (applicant_key, seq, data) VALUES (@applicant_key, @seq, @data)
ON CONFLICT (applicant_key) DO UPDATE SET seq = excluded.seq, data = excluded.data WHERE profiles.seq = excluded.seq - 1;

-- name: InsertMandate :exec
INSERT INTO mandates (id, principal_key, agent_key, starts_at, ends_at, revoked_at, created_at, all_cases, seq, data)
VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 1, $8);

-- name: GetMandate :one
SELECT id, principal_key, agent_key, starts_at, ends_at, revoked_at, created_at, all_cases, seq, data FROM mandates WHERE id = $1;

-- name: RevokeMandate :execrows
UPDATE mandates SET revoked_at = @revoked_at, seq = @seq WHERE id = @id AND seq = @seq - 1;

-- name: CountMandates :one
SELECT COUNT(*) FROM mandates WHERE principal_key = @principal_key AND ends_at > @now AND revoked_at = 0;

-- name: MandatesGiven :many
SELECT id, principal_key, agent_key, starts_at, ends_at, revoked_at, created_at, all_cases, seq, data FROM mandates
WHERE principal_key = @principal_key AND (created_at, id) < (CAST(@before_time AS BIGINT), CAST(@before_id AS TEXT))
ORDER BY created_at DESC, id DESC LIMIT CAST(@size AS BIGINT);

-- name: MandatesReceived :many
SELECT id, principal_key, agent_key, starts_at, ends_at, revoked_at, created_at, all_cases, seq, data FROM mandates
WHERE agent_key = @agent_key AND (created_at, id) < (CAST(@before_time AS BIGINT), CAST(@before_id AS TEXT))
ORDER BY created_at DESC, id DESC LIMIT CAST(@size AS BIGINT);

-- name: MandatesBetween :many
SELECT id, principal_key, agent_key, starts_at, ends_at, revoked_at, created_at, all_cases, seq, data FROM mandates
WHERE agent_key = @agent_key AND principal_key = @principal_key AND all_cases AND revoked_at = 0
  AND starts_at <= CAST(@now AS BIGINT) AND ends_at > CAST(@now AS BIGINT)
ORDER BY created_at DESC, id DESC LIMIT 100;
