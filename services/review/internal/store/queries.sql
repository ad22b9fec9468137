-- name: GetCase :one
SELECT * FROM cases WHERE name = $1;

-- name: ListReviewable :many
SELECT * FROM cases
WHERE cases.applicant_key = $1 AND cases.name < $2 AND cases.submitted AND NOT cases.voided
  AND NOT EXISTS (
    SELECT 1 FROM reviews r
    WHERE r.case_name = cases.name AND r.author_key = cases.applicant_key
      AND r.moment = CASE WHEN cases.finished THEN 3 WHEN cases.accepted THEN 2 ELSE 1 END)
ORDER BY cases.name DESC LIMIT $3;

-- name: ReviewedMoments :many
SELECT moment FROM reviews WHERE case_name = $1 AND author_key = $2;

-- name: InsertReview :execrows
INSERT INTO reviews (id, name, hall, department, item, case_name, moment, author_key, stars, sequence, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING;

-- name: CountReview :exec
INSERT INTO review_counts (subject, stars, reviews) VALUES ($1, $2, 1)
ON CONFLICT (subject, stars) DO UPDATE SET reviews = review_counts.reviews + 1;

-- name: UpdateReview :execrows
UPDATE reviews SET data = $1, sequence = $2 WHERE name = $3 AND sequence = $4;

-- name: GetReview :one
SELECT * FROM reviews WHERE name = $1;

-- name: ListOfHall :many
SELECT * FROM reviews WHERE hall = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: ListOfDepartment :many
SELECT * FROM reviews WHERE department = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: ListOfItem :many
SELECT * FROM reviews WHERE item = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: CountsOf :many
SELECT stars, reviews FROM review_counts WHERE subject = $1;
