-- +goose Up

-- What this service knows of the cases: its own copy, kept from the feed.
CREATE TABLE cases (
    name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    item_title TEXT NOT NULL,
    applicant_key TEXT NOT NULL,
    handlers TEXT NOT NULL,
    submitted BOOLEAN NOT NULL,
    accepted BOOLEAN NOT NULL,
    finished BOOLEAN NOT NULL,
    voided BOOLEAN NOT NULL,
    sequence BIGINT NOT NULL
);

CREATE INDEX cases_applicant ON cases (applicant_key, name);

CREATE TABLE reviews (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    case_name TEXT NOT NULL,
    moment BIGINT NOT NULL,
    author_key TEXT NOT NULL,
    stars BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL,
    UNIQUE (case_name, moment, author_key)
);

CREATE INDEX reviews_hall ON reviews (hall, id);
CREATE INDEX reviews_department ON reviews (department, id);
CREATE INDEX reviews_item ON reviews (item, id);

-- Reviews counted by what they are of (a hall, a department or an item) and stars,
-- so that a summary costs the same however many there are.
CREATE TABLE review_counts (
    subject TEXT NOT NULL,
    stars BIGINT NOT NULL,
    reviews BIGINT NOT NULL,
    PRIMARY KEY (subject, stars)
);

-- +goose Down
DROP TABLE review_counts;
DROP TABLE reviews;
DROP TABLE cases;
