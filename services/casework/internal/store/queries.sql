-- name: InsertCase :execresult
INSERT INTO cases (case_no, hall, department, applicant_key, state, on_behalf, stage, due, dated, reckoned, seq, happened_at, data, content, filed_at)
SELECT CAST(@case_no AS TEXT), CAST(@hall AS TEXT), CAST(@department AS TEXT), CAST(@applicant_key AS TEXT), CAST(@state AS BIGINT), CAST(@on_behalf AS BOOLEAN),
  CAST(@stage AS BIGINT), CAST(@due AS BIGINT), CAST(@dated AS BOOLEAN), CAST(@reckoned AS BIGINT), CAST(@seq AS BIGINT), CAST(@happened_at AS BIGINT), @data,
  CAST(@content AS BIGINT), CAST(@filed_at AS BIGINT)
WHERE NOT CAST(@once AS BOOLEAN) OR NOT EXISTS (SELECT 1 FROM (
  SELECT c.content, c.filed_at FROM cases AS c
  WHERE c.applicant_key = CAST(@applicant_key AS TEXT) AND c.case_no > CAST(@lowest AS TEXT) AND c.case_no < CAST(@highest AS TEXT) LIMIT 200
) AS today WHERE today.content = CAST(@content AS BIGINT) AND today.filed_at > CAST(@since AS BIGINT));

-- name: FiledBefore :one
SELECT case_no FROM cases
WHERE applicant_key = @applicant_key AND case_no > @lowest AND case_no < @highest AND content = @content AND filed_at > CAST(@since AS BIGINT) LIMIT 1;

-- name: GetCase :one
SELECT state, stage, due, dated, reckoned, seq, happened_at, data FROM cases WHERE case_no = $1;

-- name: UpdateCase :execresult
UPDATE cases SET state = @state, stage = @stage, due = @due, dated = @dated, reckoned = @reckoned, seq = @seq, happened_at = @happened_at, data = @data
WHERE case_no = @case_no AND seq = @seq - 1;

-- name: UpdateDraft :execresult
UPDATE cases SET department = @department, applicant_key = @applicant_key, state = @state, stage = @stage, due = @due,
  dated = @dated, reckoned = @reckoned, seq = @seq, happened_at = @happened_at, data = @data, content = @content, filed_at = @filed_at
WHERE cases.case_no = @case_no AND cases.seq = @seq - 1 AND (NOT CAST(@once AS BOOLEAN) OR NOT EXISTS (SELECT 1 FROM (
  SELECT c.content, c.filed_at FROM cases AS c
  WHERE c.applicant_key = @applicant_key AND c.case_no > CAST(@lowest AS TEXT) AND c.case_no < CAST(@highest AS TEXT) LIMIT 200
) AS today WHERE today.content = @content AND today.filed_at > CAST(@since AS BIGINT)));

-- name: MoveCase :execresult
UPDATE cases SET department = @department, assignee = @assignee, state = @state, stage = @stage, due = @due,
  dated = @dated, reckoned = @reckoned, seq = @seq, happened_at = @happened_at, data = @data
WHERE case_no = @case_no AND seq = @seq - 1;

-- name: TouchCase :execresult
UPDATE cases SET reckoned = @reckoned, seq = @seq, happened_at = @happened_at, data = @data
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

-- name: InsertCentre :execrows
INSERT INTO centres (name, seq, data) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING;

-- name: UpdateCentre :execrows
UPDATE centres SET seq = @seq, data = @data WHERE name = @name AND seq = @seq - 1;

-- name: GetCentre :one
SELECT seq, data FROM centres WHERE name = $1;

-- name: ListCentres :many
SELECT name, data FROM centres WHERE name > @after AND name < @before ORDER BY name LIMIT CAST(@size AS BIGINT);

-- name: TakeSlot :execrows
INSERT INTO slots (centre, start_at, booked) VALUES (@centre, @start_at, 1)
ON CONFLICT (centre, start_at) DO UPDATE SET booked = slots.booked + 1 WHERE slots.booked < CAST(@capacity AS BIGINT);

-- name: GiveSlotBack :exec
UPDATE slots SET booked = booked - 1 WHERE centre = @centre AND start_at = @start_at AND booked > 0;

-- name: ListSlots :many
SELECT start_at, booked FROM slots WHERE centre = @centre AND start_at >= @since AND start_at < @until ORDER BY start_at;

-- name: InsertAppointment :exec
INSERT INTO appointments (name, centre, start_at, holder_key, open, seq, data) VALUES ($1, $2, $3, $4, TRUE, 1, $5);

-- name: CloseAppointment :execrows
UPDATE appointments SET open = FALSE, seq = @seq, data = @data WHERE name = @name AND seq = @seq - 1 AND open;

-- name: GetAppointment :one
SELECT seq, data FROM appointments WHERE name = $1;

-- name: ListAppointments :many
SELECT name, start_at, data FROM appointments
WHERE centre = @centre AND start_at < @until AND (start_at, name) > (CAST(@after_start AS BIGINT), CAST(@after_name AS TEXT))
ORDER BY start_at, name LIMIT CAST(@size AS BIGINT);

-- name: ListAppointmentsOfHolder :many
SELECT name, start_at, data FROM appointments
WHERE holder_key = @holder_key AND centre = @centre AND start_at < @until AND (start_at, name) > (CAST(@after_start AS BIGINT), CAST(@after_name AS TEXT))
ORDER BY start_at, name LIMIT CAST(@size AS BIGINT);

-- name: CountOpenAppointments :one
SELECT COUNT(*) FROM appointments WHERE holder_key = @holder_key AND centre = @centre AND start_at >= @since AND open;

-- name: TakeNumber :one
INSERT INTO centre_days (centre, day, taken, called, gone, wait_seconds) VALUES (@centre, @day, 1, 0, 0, 0)
ON CONFLICT (centre, day) DO UPDATE SET taken = centre_days.taken + 1
RETURNING taken;

-- name: CountCall :exec
UPDATE centre_days SET called = called + 1, wait_seconds = wait_seconds + @seconds WHERE centre = @centre AND day = @day;

-- name: CountLeaving :exec
UPDATE centre_days SET gone = gone + 1 WHERE centre = @centre AND day = @day;

-- name: GetCentreDay :one
SELECT taken, called, gone, wait_seconds FROM centre_days WHERE centre = $1 AND day = $2;

-- name: InsertTicket :exec
INSERT INTO tickets (name, centre, day, department, rank, holder_key, waiting, called_at, seq, data)
VALUES ($1, $2, $3, $4, $5, $6, TRUE, 0, 1, $7);

-- name: GetTicket :one
SELECT day, rank, seq, data FROM tickets WHERE name = $1;

-- name: UpdateTicket :execrows
UPDATE tickets SET waiting = FALSE, called_at = @called_at, seq = @seq, data = @data WHERE name = @name AND seq = @seq - 1;

-- name: NextTicket :one
SELECT name, rank, seq, data FROM tickets WHERE centre = @centre AND day = @day AND waiting ORDER BY rank, name LIMIT 1;

-- name: NextTicketOfDepartment :one
SELECT name, rank, seq, data FROM tickets WHERE centre = @centre AND day = @day AND department = @department AND waiting ORDER BY rank, name LIMIT 1;

-- name: HolderWaits :one
SELECT COUNT(*) FROM tickets WHERE holder_key = @holder_key AND holder_key <> '' AND centre = @centre AND day = @day AND waiting;

-- name: CountAhead :one
SELECT COUNT(*) FROM (SELECT 1 FROM tickets
  WHERE centre = @centre AND day = @day AND waiting AND (rank, name) < (CAST(@rank AS BIGINT), CAST(@name AS TEXT)) LIMIT 1000) AS before;

-- name: ListCalled :many
SELECT data FROM tickets WHERE centre = @centre AND day = @day AND called_at > 0 ORDER BY called_at DESC LIMIT CAST(@size AS BIGINT);

-- name: PutCarryCode :execrows
INSERT INTO carry_codes (code_hash, case_no, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (code_hash) DO UPDATE SET case_no = excluded.case_no, expires_at = excluded.expires_at
WHERE carry_codes.case_no = excluded.case_no OR carry_codes.expires_at < CAST(@now AS BIGINT);

-- name: GetCarryCode :one
SELECT case_no, expires_at FROM carry_codes WHERE code_hash = $1;

-- name: DeleteExpiredCodes :exec
DELETE FROM carry_codes WHERE expires_at < $1;
-- name: DropStepPosts :exec
DELETE FROM step_posts WHERE case_no = $1;

-- name: AddStepPost :exec
INSERT INTO step_posts (case_no, post, hall, department, due) VALUES ($1, $2, $3, $4, $5);

-- name: ListByPost :many
SELECT c.case_no, s.due, c.data FROM step_posts s JOIN cases c ON c.case_no = s.case_no
WHERE s.hall = @hall AND s.post = @post AND (s.due, s.case_no) > (CAST(@after_due AS BIGINT), CAST(@after_case_no AS TEXT))
  AND (CAST(@department AS TEXT) = '' OR s.department = @department)
ORDER BY s.due, s.case_no LIMIT CAST(@size AS BIGINT);

-- name: InsertUpload :execrows
INSERT INTO uploads (name, owner, creator, request_key, request_hash, state, size, received, expires_at, data)
VALUES ($1, $2, $3, $4, $5, 1, $6, 0, $7, $8)
ON CONFLICT (request_key) DO NOTHING;

-- name: GetUpload :one
SELECT name, owner, creator, request_hash, state, size, received, expires_at, data FROM uploads WHERE name = $1;

-- name: GetUploadByRequest :one
SELECT name, owner, creator, request_hash, state, size, received, expires_at, data FROM uploads WHERE request_key = $1;

-- name: OpenUploads :one
SELECT COUNT(*) AS uploads, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM uploads WHERE owner = $1 AND state = 1;

-- name: ReceivePart :execrows
UPDATE uploads SET received = received + CAST(@part AS BIGINT), expires_at = @expires_at
WHERE name = @name AND state = 1 AND received = @start;

-- name: InsertPart :exec
INSERT INTO upload_parts (upload, start, size, blob) VALUES ($1, $2, $3, $4);

-- name: ListParts :many
SELECT start, size, blob FROM upload_parts WHERE upload = $1 ORDER BY start;

-- name: EndUpload :execrows
UPDATE uploads SET state = @state, data = @data WHERE name = @name AND state = 1;

-- name: TrashParts :exec
INSERT INTO blob_trash (blob) SELECT blob FROM upload_parts WHERE upload = $1 ON CONFLICT (blob) DO NOTHING;

-- name: DeleteParts :exec
DELETE FROM upload_parts WHERE upload = $1;

-- name: ListExpiredUploads :many
SELECT name, data FROM uploads WHERE state = 1 AND expires_at <= $1 ORDER BY expires_at LIMIT 100;

-- name: ForgetUploads :exec
DELETE FROM uploads WHERE state <> 1 AND expires_at <= $1;

-- name: InsertMaterial :exec
INSERT INTO materials (name, owner, sha256, live, uses, keep_until, seq, data) VALUES ($1, $2, $3, TRUE, 0, $4, $5, $6);

-- name: GetMaterial :one
SELECT name, owner, sha256, live, uses, keep_until, seq, data FROM materials WHERE name = $1;

-- name: ListMaterials :many
SELECT name, data FROM materials WHERE owner = @owner AND live AND name < @before ORDER BY name DESC LIMIT CAST(@size AS BIGINT);

-- name: SaveMaterial :execrows
UPDATE materials SET seq = @seq, keep_until = @keep_until, data = @data WHERE name = @name AND live AND seq = @seq - 1;

-- name: DeleteMaterial :execrows
UPDATE materials SET live = FALSE, seq = @seq, data = @data WHERE name = @name AND live AND seq = @seq - 1 AND uses = @uses;

-- name: KeepMaterial :exec
UPDATE materials SET keep_until = @keep_until WHERE name = @name AND live;

-- name: ListOldMaterials :many
SELECT name FROM materials WHERE live AND keep_until <= $1 ORDER BY keep_until LIMIT 100;

-- name: UseMaterial :execrows
UPDATE materials SET uses = uses + 1 WHERE name = $1 AND live;

-- name: InsertUse :execrows
INSERT INTO material_uses (material, case_name) VALUES ($1, $2) ON CONFLICT (material, case_name) DO NOTHING;

-- name: ListUses :many
SELECT case_name FROM material_uses WHERE material = $1 ORDER BY case_name;

-- name: OwnedBytes :one
SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM file_blobs WHERE owner = $1;

-- name: HoldBlob :one
INSERT INTO file_blobs (owner, sha256, blob, size, refs) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (owner, sha256) DO UPDATE SET refs = file_blobs.refs + 1
RETURNING blob;

-- name: GetBlob :one
SELECT blob FROM file_blobs WHERE owner = $1 AND sha256 = $2;

-- name: ReleaseBlob :one
UPDATE file_blobs SET refs = refs - 1 WHERE owner = $1 AND sha256 = $2 RETURNING blob, refs;

-- name: DropBlob :exec
DELETE FROM file_blobs WHERE owner = $1 AND sha256 = $2 AND refs = 0;

-- name: TrashBlob :exec
INSERT INTO blob_trash (blob) VALUES ($1) ON CONFLICT (blob) DO NOTHING;

-- name: ListTrash :many
SELECT blob FROM blob_trash ORDER BY blob LIMIT 200;

-- name: DeleteTrash :exec
DELETE FROM blob_trash WHERE blob = $1;

-- name: BlobKnown :one
SELECT EXISTS (SELECT 1 FROM file_blobs f WHERE f.blob = @blob) OR EXISTS (SELECT 1 FROM upload_parts p WHERE p.blob = @blob) OR EXISTS (SELECT 1 FROM blob_trash t WHERE t.blob = @blob);

-- name: ListStale :many
SELECT case_no, due FROM cases
WHERE hall = @hall AND stage = @stage AND stage > 0 AND (due, case_no) > (CAST(@after_due AS BIGINT), CAST(@after_case_no AS TEXT))
  AND reckoned < @reckoned
ORDER BY due, case_no LIMIT CAST(@size AS BIGINT);

-- name: ListStaleDated :many
SELECT case_no, due FROM cases
WHERE hall = @hall AND dated AND case_no > @after_case_no AND reckoned < @reckoned
ORDER BY case_no LIMIT CAST(@size AS BIGINT);

-- name: MarkReckoned :execresult
UPDATE cases SET reckoned = @reckoned WHERE case_no = @case_no AND seq = @seq;

-- name: InsertOfficeEnd :exec
INSERT INTO office_ends (applicant_key, item, ended_at, case_no) VALUES ($1, $2, $3, $4);

-- name: OfficeEnds :many
SELECT ended_at, case_no FROM office_ends
WHERE applicant_key = @applicant_key AND item = @item AND ended_at >= @since AND ended_at <= @until ORDER BY ended_at DESC, case_no LIMIT 20;
