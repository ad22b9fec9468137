-- +goose Up

-- The deployments followed. Every batch of a source changes its row first, so that
-- what two of its feeds say of one case is applied one after the other.
CREATE TABLE sources (
    source TEXT NOT NULL PRIMARY KEY,
    batches BIGINT NOT NULL
);

-- How far each feed is complete, in microseconds.
CREATE TABLE source_feeds (
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    complete_until BIGINT NOT NULL,
    PRIMARY KEY (source, feed)
);

CREATE TABLE halls (
    hall TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    level BIGINT NOT NULL,
    parent TEXT NOT NULL,
    sequence BIGINT NOT NULL
);

CREATE INDEX halls_parent ON halls (parent);

CREATE TABLE departments (
    department TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    sequence BIGINT NOT NULL
);

-- Every event of an item: what it can be applied for when is worked out of these.
CREATE TABLE item_changes (
    item TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    opened BOOLEAN NOT NULL,
    closed BOOLEAN NOT NULL,
    revision BIGINT NOT NULL,
    effective BIGINT NOT NULL,
    last_day BIGINT NOT NULL,
    on_application BOOLEAN NOT NULL,
    full_online BOOLEAN NOT NULL,
    possible BOOLEAN NOT NULL,
    department TEXT NOT NULL,
    PRIMARY KEY (item, sequence)
);

-- The times in which an item on application is in force: from_at <= t < to_at.
CREATE TABLE item_spans (
    item TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    full_online BOOLEAN NOT NULL,
    possible BOOLEAN NOT NULL,
    PRIMARY KEY (item, from_at)
);

CREATE INDEX item_spans_hall ON item_spans (hall);
CREATE INDEX item_spans_department ON item_spans (department);

-- What each case counts for now, and the last of its events that was counted. Days are
-- days since 1970 in China, 0 for none. A case known only by a review has sequence 0.
CREATE TABLE case_facts (
    name TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    channel TEXT NOT NULL,
    submit_day BIGINT NOT NULL,
    accept_day BIGINT NOT NULL,
    finish_day BIGINT NOT NULL,
    finish_online BOOLEAN NOT NULL,
    judged BOOLEAN NOT NULL,
    on_time BOOLEAN NOT NULL,
    reviews BIGINT NOT NULL,
    marks BIGINT NOT NULL
);

CREATE INDEX case_facts_submitted ON case_facts (hall, submit_day, name) WHERE submit_day > 0;
CREATE INDEX case_facts_accepted ON case_facts (hall, accept_day, name) WHERE accept_day > 0;
CREATE INDEX case_facts_finished ON case_facts (hall, finish_day, name) WHERE finish_day > 0;

-- What each review and each card counts for now.
CREATE TABLE marks (
    name TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    case_name TEXT NOT NULL,
    day BIGINT NOT NULL,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    channel TEXT NOT NULL,
    good BOOLEAN NOT NULL,
    in_force BOOLEAN NOT NULL
);

CREATE INDEX marks_case ON marks (case_name) WHERE case_name <> '';

-- The sums of the two tables above.
CREATE TABLE facts (
    day BIGINT NOT NULL,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    channel TEXT NOT NULL,
    submitted BIGINT NOT NULL,
    submitted_online BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    finished BIGINT NOT NULL,
    finished_online BIGINT NOT NULL,
    finished_on_time BIGINT NOT NULL,
    reviews BIGINT NOT NULL,
    reviews_satisfied BIGINT NOT NULL,
    cards BIGINT NOT NULL,
    finished_reviewed BIGINT NOT NULL,
    PRIMARY KEY (day, hall, department, item, channel)
);

CREATE INDEX facts_hall ON facts (hall, day);
CREATE INDEX facts_department ON facts (department, day);
CREATE INDEX facts_item ON facts (item, day);

-- The same by hall and day alone, so that the rates of a city over years are a few
-- thousand rows and not millions.
CREATE TABLE hall_facts (
    hall TEXT NOT NULL,
    day BIGINT NOT NULL,
    submitted BIGINT NOT NULL,
    submitted_online BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    finished BIGINT NOT NULL,
    finished_online BIGINT NOT NULL,
    finished_on_time BIGINT NOT NULL,
    reviews BIGINT NOT NULL,
    reviews_satisfied BIGINT NOT NULL,
    cards BIGINT NOT NULL,
    finished_reviewed BIGINT NOT NULL,
    PRIMARY KEY (hall, day)
);

-- +goose Down
DROP TABLE hall_facts;
DROP TABLE facts;
DROP TABLE marks;
DROP TABLE case_facts;
DROP TABLE item_spans;
DROP TABLE item_changes;
DROP TABLE departments;
DROP TABLE halls;
DROP TABLE source_feeds;
DROP TABLE sources;
