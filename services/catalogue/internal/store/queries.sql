-- name: InsertHall :execrows
INSERT INTO halls (name, parent, level, sequence, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: UpdateHall :execrows
UPDATE halls SET sequence = @sequence, data = @data WHERE name = @name AND sequence = @sequence - 1;

-- name: GetHall :one
SELECT sequence, data FROM halls WHERE name = $1;

-- name: ListHalls :many
SELECT name, sequence, data FROM halls
WHERE name > @after AND (CAST(@parent AS TEXT) = '' OR parent = @parent) AND (CAST(@level AS BIGINT) = 0 OR level = @level)
ORDER BY name LIMIT CAST(@size AS BIGINT);

-- name: InsertDepartment :execrows
INSERT INTO departments (name, hall, sequence, data) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: GetDepartment :one
SELECT sequence, data FROM departments WHERE name = $1;

-- name: ListDepartments :many
SELECT name, sequence, data FROM departments WHERE hall = @hall AND name > @after ORDER BY name LIMIT CAST(@size AS BIGINT);

-- name: InsertDirectoryEntry :execrows
INSERT INTO directory_entries (name, sequence, data) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: GetDirectoryEntry :one
SELECT sequence, data FROM directory_entries WHERE name = $1;

-- name: ListDirectoryEntries :many
SELECT name, sequence, data FROM directory_entries WHERE name > @after ORDER BY name LIMIT CAST(@size AS BIGINT);

-- name: InsertItem :execrows
INSERT INTO items (name, hall, department, title, level, state, revision, sequence, editor, created_at, updated_at, draft_sha256, draft)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING;

-- name: UpdateItem :execrows
UPDATE items SET department = @department, title = @title, level = @level, state = @state, revision = @revision, sequence = @sequence,
  editor = @editor, updated_at = @updated_at, draft_sha256 = @draft_sha256, draft = @draft
WHERE name = @name AND sequence = @sequence - 1;

-- name: TitleTaken :one
SELECT CAST(COUNT(*) AS BIGINT) FROM (
  SELECT 1 FROM items WHERE department = @department AND title = @title AND level = @level AND name <> @name AND state <> 4 LIMIT 1
) taken;

-- name: TitlesOfDepartment :many
SELECT name, title, level FROM items WHERE department = @department AND state <> 4;

-- name: InsertRevision :execrows
INSERT INTO item_revisions (item, revision, effective_at, ends_at, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: GetRevision :one
SELECT data FROM item_revisions WHERE item = $1 AND revision = $2;

-- name: ListRevisions :many
SELECT revision, data FROM item_revisions WHERE item = @item AND revision < @before ORDER BY revision DESC LIMIT CAST(@size AS BIGINT);

-- name: ListInForce :many
SELECT i.name, i.department, i.state, i.sequence, i.created_at, i.updated_at, r.revision, r.ends_at, r.data
FROM items i JOIN item_revisions r ON r.item = i.name
WHERE i.hall = @hall AND i.name > @after AND i.state = 2
  AND (CAST(@department AS TEXT) = '' OR i.department = @department)
  AND r.revision = (SELECT MAX(x.revision) FROM item_revisions x WHERE x.item = i.name AND x.effective_at <= @now)
  AND (r.ends_at = 0 OR r.ends_at > @now)
ORDER BY i.name LIMIT CAST(@size AS BIGINT);

-- name: GetInForce :one
SELECT i.name, i.department, i.state, i.sequence, i.created_at, i.updated_at, r.revision, r.ends_at, r.data
FROM items i JOIN item_revisions r ON r.item = i.name
WHERE i.name = @name AND (i.state = 2 OR i.state = 3)
  AND r.revision = (SELECT MAX(x.revision) FROM item_revisions x WHERE x.item = i.name AND x.effective_at <= @now)
  AND (r.ends_at = 0 OR r.ends_at > @now);

-- name: InsertAnswer :execrows
INSERT INTO batch_answers (request_key, request_hash, answered_at, response) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: GetAnswer :one
SELECT request_hash, response FROM batch_answers WHERE request_key = $1;

-- name: InsertCalendar :execrows
INSERT INTO calendars (version, data) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: AllCalendars :many
SELECT version, data FROM calendars ORDER BY version;

-- name: GetCalendar :one
SELECT data FROM calendars WHERE version = $1;

-- name: ListCalendars :many
SELECT version, data FROM calendars WHERE version < @before ORDER BY version DESC LIMIT CAST(@size AS BIGINT);

-- name: InsertPolicy :execrows
INSERT INTO hall_policies (hall, version, state, effective, sequence, data) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: UpdatePolicy :execrows
UPDATE hall_policies SET state = @state, sequence = @sequence, data = @data
WHERE hall = @hall AND version = @version AND sequence = @sequence - 1;

-- name: GetPolicy :one
SELECT sequence, data FROM hall_policies WHERE hall = $1 AND version = $2;

-- name: LastPolicy :one
SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM hall_policies WHERE hall = $1;

-- name: PolicyInForce :one
SELECT data FROM hall_policies WHERE hall = $1 AND state = 2 AND effective <= $2 ORDER BY version DESC LIMIT 1;

-- name: ListPolicies :many
SELECT version, data FROM hall_policies WHERE hall = @hall AND version < @before ORDER BY version DESC LIMIT CAST(@size AS BIGINT);
