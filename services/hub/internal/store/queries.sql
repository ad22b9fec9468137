-- name: AddSource :exec
INSERT INTO sources (source, batches) VALUES (sqlc.arg(source), 0) ON CONFLICT (source) DO NOTHING;

-- name: LockSource :execrows
UPDATE sources SET batches = batches + 1 WHERE source = sqlc.arg(source);

-- name: SetComplete :exec
INSERT INTO source_feeds (source, feed, complete_until) VALUES (sqlc.arg(source), sqlc.arg(feed), sqlc.arg(complete_until))
ON CONFLICT (source, feed) DO UPDATE SET complete_until = excluded.complete_until
WHERE excluded.complete_until > source_feeds.complete_until;

-- name: Completes :many
SELECT source, feed, complete_until FROM source_feeds;

-- name: Positions :many
SELECT source, position FROM cursors WHERE name = sqlc.arg(name);

-- name: ParkedSubjects :many
SELECT source, CAST(COUNT(DISTINCT subject) AS BIGINT) AS subjects FROM parked_events
WHERE name = sqlc.arg(name) AND skipped_at = 0 GROUP BY source;

-- name: PutHall :exec
INSERT INTO halls (hall, display_name, level, parent, sequence)
VALUES (sqlc.arg(hall), sqlc.arg(display_name), sqlc.arg(level), sqlc.arg(parent), sqlc.arg(sequence))
ON CONFLICT (hall) DO UPDATE SET display_name = excluded.display_name, level = excluded.level, parent = excluded.parent,
  sequence = excluded.sequence WHERE excluded.sequence > halls.sequence;

-- name: Halls :many
SELECT hall, display_name, level, parent FROM halls ORDER BY hall;

-- name: GetHall :one
SELECT hall, display_name, level, parent FROM halls WHERE hall = sqlc.arg(hall);

-- name: PutDepartment :exec
INSERT INTO departments (department, display_name, sequence)
VALUES (sqlc.arg(department), sqlc.arg(display_name), sqlc.arg(sequence))
ON CONFLICT (department) DO UPDATE SET display_name = excluded.display_name, sequence = excluded.sequence
WHERE excluded.sequence > departments.sequence;

-- name: HasDepartment :one
SELECT EXISTS (SELECT 1 FROM departments WHERE department = sqlc.arg(department));

-- name: HasItem :one
SELECT EXISTS (SELECT 1 FROM item_changes WHERE item = sqlc.arg(item));

-- name: AddItemChange :execrows
INSERT INTO item_changes (item, sequence, at, opened, closed, revision, effective, last_day, on_application, full_online, possible, department)
VALUES (sqlc.arg(item), sqlc.arg(sequence), sqlc.arg(at), sqlc.arg(opened), sqlc.arg(closed), sqlc.arg(revision), sqlc.arg(effective),
  sqlc.arg(last_day), sqlc.arg(on_application), sqlc.arg(full_online), sqlc.arg(possible), sqlc.arg(department))
ON CONFLICT (item, sequence) DO NOTHING;

-- name: ItemChanges :many
SELECT * FROM item_changes WHERE item = sqlc.arg(item) ORDER BY sequence;

-- name: DeleteItemSpans :exec
DELETE FROM item_spans WHERE item = sqlc.arg(item);

-- name: AddItemSpan :exec
INSERT INTO item_spans (item, from_at, to_at, hall, department, full_online, possible)
VALUES (sqlc.arg(item), sqlc.arg(from_at), sqlc.arg(to_at), sqlc.arg(hall), sqlc.arg(department), sqlc.arg(full_online), sqlc.arg(possible));

-- name: DeleteEmptyFact :exec
DELETE FROM facts WHERE day = sqlc.arg(day) AND hall = sqlc.arg(hall) AND department = sqlc.arg(department)
  AND item = sqlc.arg(item) AND channel = sqlc.arg(channel)
  AND submitted = 0 AND submitted_online = 0 AND accepted = 0 AND finished = 0 AND finished_online = 0 AND finished_on_time = 0 AND reviews = 0 AND reviews_satisfied = 0 AND cards = 0 AND finished_reviewed = 0;

-- name: ListFacts :many
SELECT * FROM facts WHERE day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
  AND (day, hall, department, item, channel) > (CAST(sqlc.arg(after_day) AS BIGINT), CAST(sqlc.arg(after_hall) AS TEXT), CAST(sqlc.arg(after_department) AS TEXT), CAST(sqlc.arg(after_item) AS TEXT), CAST(sqlc.arg(after_channel) AS TEXT))
ORDER BY day, hall, department, item, channel LIMIT sqlc.arg(size);

-- name: ListFactsOfHall :many
SELECT * FROM facts WHERE facts.hall = sqlc.arg(of_hall) AND day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
  AND (day, hall, department, item, channel) > (CAST(sqlc.arg(after_day) AS BIGINT), CAST(sqlc.arg(after_hall) AS TEXT), CAST(sqlc.arg(after_department) AS TEXT), CAST(sqlc.arg(after_item) AS TEXT), CAST(sqlc.arg(after_channel) AS TEXT))
ORDER BY day, hall, department, item, channel LIMIT sqlc.arg(size);

-- name: SumHall :one
SELECT CAST(COALESCE(SUM(submitted), 0) AS BIGINT) AS submitted,
  CAST(COALESCE(SUM(submitted_online), 0) AS BIGINT) AS submitted_online,
  CAST(COALESCE(SUM(accepted), 0) AS BIGINT) AS accepted,
  CAST(COALESCE(SUM(finished), 0) AS BIGINT) AS finished,
  CAST(COALESCE(SUM(finished_online), 0) AS BIGINT) AS finished_online,
  CAST(COALESCE(SUM(finished_on_time), 0) AS BIGINT) AS finished_on_time,
  CAST(COALESCE(SUM(reviews), 0) AS BIGINT) AS reviews,
  CAST(COALESCE(SUM(reviews_satisfied), 0) AS BIGINT) AS reviews_satisfied,
  CAST(COALESCE(SUM(cards), 0) AS BIGINT) AS cards,
  CAST(COALESCE(SUM(finished_reviewed), 0) AS BIGINT) AS finished_reviewed
FROM hall_facts WHERE hall = sqlc.arg(hall) AND day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day);

-- name: SumTree :one
SELECT CAST(COALESCE(SUM(submitted), 0) AS BIGINT) AS submitted,
  CAST(COALESCE(SUM(submitted_online), 0) AS BIGINT) AS submitted_online,
  CAST(COALESCE(SUM(accepted), 0) AS BIGINT) AS accepted,
  CAST(COALESCE(SUM(finished), 0) AS BIGINT) AS finished,
  CAST(COALESCE(SUM(finished_online), 0) AS BIGINT) AS finished_online,
  CAST(COALESCE(SUM(finished_on_time), 0) AS BIGINT) AS finished_on_time,
  CAST(COALESCE(SUM(reviews), 0) AS BIGINT) AS reviews,
  CAST(COALESCE(SUM(reviews_satisfied), 0) AS BIGINT) AS reviews_satisfied,
  CAST(COALESCE(SUM(cards), 0) AS BIGINT) AS cards,
  CAST(COALESCE(SUM(finished_reviewed), 0) AS BIGINT) AS finished_reviewed
FROM hall_facts WHERE hall_facts.hall IN (SELECT h.hall FROM halls h WHERE h.hall = sqlc.arg(hall) OR h.parent = sqlc.arg(hall)) AND day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day);

-- name: SumByHall :many
SELECT hall, CAST(COALESCE(SUM(submitted), 0) AS BIGINT) AS submitted,
  CAST(COALESCE(SUM(submitted_online), 0) AS BIGINT) AS submitted_online,
  CAST(COALESCE(SUM(accepted), 0) AS BIGINT) AS accepted,
  CAST(COALESCE(SUM(finished), 0) AS BIGINT) AS finished,
  CAST(COALESCE(SUM(finished_online), 0) AS BIGINT) AS finished_online,
  CAST(COALESCE(SUM(finished_on_time), 0) AS BIGINT) AS finished_on_time,
  CAST(COALESCE(SUM(reviews), 0) AS BIGINT) AS reviews,
  CAST(COALESCE(SUM(reviews_satisfied), 0) AS BIGINT) AS reviews_satisfied,
  CAST(COALESCE(SUM(cards), 0) AS BIGINT) AS cards,
  CAST(COALESCE(SUM(finished_reviewed), 0) AS BIGINT) AS finished_reviewed
FROM hall_facts WHERE day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day) GROUP BY hall;

-- name: SumDepartment :one
SELECT CAST(COALESCE(SUM(submitted), 0) AS BIGINT) AS submitted,
  CAST(COALESCE(SUM(submitted_online), 0) AS BIGINT) AS submitted_online,
  CAST(COALESCE(SUM(accepted), 0) AS BIGINT) AS accepted,
  CAST(COALESCE(SUM(finished), 0) AS BIGINT) AS finished,
  CAST(COALESCE(SUM(finished_online), 0) AS BIGINT) AS finished_online,
  CAST(COALESCE(SUM(finished_on_time), 0) AS BIGINT) AS finished_on_time,
  CAST(COALESCE(SUM(reviews), 0) AS BIGINT) AS reviews,
  CAST(COALESCE(SUM(reviews_satisfied), 0) AS BIGINT) AS reviews_satisfied,
  CAST(COALESCE(SUM(cards), 0) AS BIGINT) AS cards,
  CAST(COALESCE(SUM(finished_reviewed), 0) AS BIGINT) AS finished_reviewed
FROM facts WHERE department = sqlc.arg(department) AND day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day);

-- name: SumItem :one
SELECT CAST(COALESCE(SUM(submitted), 0) AS BIGINT) AS submitted,
  CAST(COALESCE(SUM(submitted_online), 0) AS BIGINT) AS submitted_online,
  CAST(COALESCE(SUM(accepted), 0) AS BIGINT) AS accepted,
  CAST(COALESCE(SUM(finished), 0) AS BIGINT) AS finished,
  CAST(COALESCE(SUM(finished_online), 0) AS BIGINT) AS finished_online,
  CAST(COALESCE(SUM(finished_on_time), 0) AS BIGINT) AS finished_on_time,
  CAST(COALESCE(SUM(reviews), 0) AS BIGINT) AS reviews,
  CAST(COALESCE(SUM(reviews_satisfied), 0) AS BIGINT) AS reviews_satisfied,
  CAST(COALESCE(SUM(cards), 0) AS BIGINT) AS cards,
  CAST(COALESCE(SUM(finished_reviewed), 0) AS BIGINT) AS finished_reviewed
FROM facts WHERE item = sqlc.arg(item) AND (CAST(sqlc.arg(department) AS TEXT) = '' OR department = sqlc.arg(department)) AND day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day);

-- name: ItemsOfHall :one
SELECT CAST(COUNT(*) AS BIGINT) AS items,
  CAST(COALESCE(SUM(CASE WHEN s.full_online THEN 1 ELSE 0 END), 0) AS BIGINT) AS full_online,
  CAST(COALESCE(SUM(CASE WHEN s.possible THEN 1 ELSE 0 END), 0) AS BIGINT) AS possible,
  CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM facts f WHERE f.item = s.item AND f.day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
    AND f.submitted > 0) THEN 1 ELSE 0 END), 0) AS BIGINT) AS used
FROM item_spans s WHERE s.hall = sqlc.arg(hall) AND s.from_at <= sqlc.arg(at) AND s.to_at > sqlc.arg(at);

-- name: ItemsOfTree :one
SELECT CAST(COUNT(*) AS BIGINT) AS items,
  CAST(COALESCE(SUM(CASE WHEN s.full_online THEN 1 ELSE 0 END), 0) AS BIGINT) AS full_online,
  CAST(COALESCE(SUM(CASE WHEN s.possible THEN 1 ELSE 0 END), 0) AS BIGINT) AS possible,
  CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM facts f WHERE f.item = s.item AND f.day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
    AND f.submitted > 0) THEN 1 ELSE 0 END), 0) AS BIGINT) AS used
FROM item_spans s WHERE s.hall IN (SELECT h.hall FROM halls h WHERE h.hall = sqlc.arg(hall) OR h.parent = sqlc.arg(hall)) AND s.from_at <= sqlc.arg(at) AND s.to_at > sqlc.arg(at);

-- name: ItemsByHall :many
SELECT s.hall, CAST(COUNT(*) AS BIGINT) AS items,
  CAST(COALESCE(SUM(CASE WHEN s.full_online THEN 1 ELSE 0 END), 0) AS BIGINT) AS full_online,
  CAST(COALESCE(SUM(CASE WHEN s.possible THEN 1 ELSE 0 END), 0) AS BIGINT) AS possible,
  CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM facts f WHERE f.item = s.item AND f.day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
    AND f.submitted > 0) THEN 1 ELSE 0 END), 0) AS BIGINT) AS used
FROM item_spans s WHERE s.from_at <= sqlc.arg(at) AND s.to_at > sqlc.arg(at) GROUP BY s.hall;

-- name: ItemsOfDepartment :one
SELECT CAST(COUNT(*) AS BIGINT) AS items,
  CAST(COALESCE(SUM(CASE WHEN s.full_online THEN 1 ELSE 0 END), 0) AS BIGINT) AS full_online,
  CAST(COALESCE(SUM(CASE WHEN s.possible THEN 1 ELSE 0 END), 0) AS BIGINT) AS possible,
  CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM facts f WHERE f.item = s.item AND f.day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
    AND f.submitted > 0) THEN 1 ELSE 0 END), 0) AS BIGINT) AS used
FROM item_spans s WHERE s.department = sqlc.arg(department) AND s.from_at <= sqlc.arg(at) AND s.to_at > sqlc.arg(at);

-- name: ItemsOfItem :one
SELECT CAST(COUNT(*) AS BIGINT) AS items,
  CAST(COALESCE(SUM(CASE WHEN s.full_online THEN 1 ELSE 0 END), 0) AS BIGINT) AS full_online,
  CAST(COALESCE(SUM(CASE WHEN s.possible THEN 1 ELSE 0 END), 0) AS BIGINT) AS possible,
  CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM facts f WHERE f.item = s.item AND f.day BETWEEN sqlc.arg(first_day) AND sqlc.arg(last_day)
    AND f.submitted > 0) THEN 1 ELSE 0 END), 0) AS BIGINT) AS used
FROM item_spans s WHERE s.item = sqlc.arg(item) AND (CAST(sqlc.arg(department) AS TEXT) = '' OR s.department = sqlc.arg(department)) AND s.from_at <= sqlc.arg(at) AND s.to_at > sqlc.arg(at);

-- name: SubmittedCases :many
SELECT name FROM case_facts
WHERE hall = sqlc.arg(hall) AND submit_day = sqlc.arg(day) AND submit_day > 0 AND name > sqlc.arg(after)
  AND (CAST(sqlc.arg(department) AS TEXT) = '' OR department = sqlc.arg(department))
  AND (CAST(sqlc.arg(item) AS TEXT) = '' OR item = sqlc.arg(item))
  AND (CAST(sqlc.arg(channel) AS TEXT) = '' OR channel = sqlc.arg(channel))
  AND (CAST(sqlc.arg(online) AS BIGINT) = 0 OR channel IN ('web', 'mobile'))
ORDER BY name LIMIT sqlc.arg(size);

-- name: AcceptedCases :many
SELECT name FROM case_facts
WHERE hall = sqlc.arg(hall) AND accept_day = sqlc.arg(day) AND accept_day > 0 AND name > sqlc.arg(after)
  AND (CAST(sqlc.arg(department) AS TEXT) = '' OR department = sqlc.arg(department))
  AND (CAST(sqlc.arg(item) AS TEXT) = '' OR item = sqlc.arg(item))
  AND (CAST(sqlc.arg(channel) AS TEXT) = '' OR channel = sqlc.arg(channel))
ORDER BY name LIMIT sqlc.arg(size);

-- name: FinishedCases :many
SELECT name FROM case_facts
WHERE hall = sqlc.arg(hall) AND finish_day = sqlc.arg(day) AND finish_day > 0 AND name > sqlc.arg(after)
  AND (CAST(sqlc.arg(department) AS TEXT) = '' OR department = sqlc.arg(department))
  AND (CAST(sqlc.arg(item) AS TEXT) = '' OR item = sqlc.arg(item))
  AND (CAST(sqlc.arg(channel) AS TEXT) = '' OR channel = sqlc.arg(channel))
  AND (CAST(sqlc.arg(online) AS BIGINT) = 0 OR finish_online) AND (CAST(sqlc.arg(on_time) AS BIGINT) = 0 OR on_time)
  AND (CAST(sqlc.arg(reviewed) AS BIGINT) = 0 OR reviews > 0)
ORDER BY name LIMIT sqlc.arg(size);
