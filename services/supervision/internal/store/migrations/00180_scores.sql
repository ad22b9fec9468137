-- +goose Up

-- What scores look a card up by: its month in China (as 201811) and what it is about.
ALTER TABLE cards ADD COLUMN month BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cards ADD COLUMN as_of BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cards ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE cards ADD COLUMN item TEXT NOT NULL DEFAULT '';
ALTER TABLE cards ADD COLUMN officer TEXT NOT NULL DEFAULT '';

CREATE INDEX cards_month ON cards (hall, month, department) WHERE month > 0;
CREATE INDEX cards_unplaced ON cards (id) WHERE month = 0;

-- The cases that came to an end, one row each, written once: what figures open to. The
-- month is that in which the end was entered; the entry makes cases alike.
CREATE TABLE counted_cases (
    case_name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    month BIGINT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    entry TEXT NOT NULL,
    officer TEXT NOT NULL,
    applicant BIGINT NOT NULL,
    cut BIGINT NOT NULL,
    flags BIGINT NOT NULL,
    work BIGINT NOT NULL,
    promised BIGINT NOT NULL,
    ended BIGINT NOT NULL
);

CREATE INDEX counted_department ON counted_cases (department, month, case_name);
CREATE INDEX counted_entry ON counted_cases (entry, month, case_name);

-- The same added up by month, item, handler and kind of applicant, and the reviews.
CREATE TABLE month_facts (
    hall TEXT NOT NULL,
    month BIGINT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    officer TEXT NOT NULL,
    applicant BIGINT NOT NULL,
    cut BIGINT NOT NULL,
    entry TEXT NOT NULL,
    n BIGINT NOT NULL,
    early BIGINT NOT NULL,
    late BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    supplemented BIGINT NOT NULL,
    paused BIGINT NOT NULL,
    promised BIGINT NOT NULL,
    used BIGINT NOT NULL,
    reviews BIGINT NOT NULL,
    satisfied BIGINT NOT NULL,
    h0 BIGINT NOT NULL,
    h1 BIGINT NOT NULL,
    h2 BIGINT NOT NULL,
    h3 BIGINT NOT NULL,
    h4 BIGINT NOT NULL,
    h5 BIGINT NOT NULL,
    h6 BIGINT NOT NULL,
    h7 BIGINT NOT NULL,
    h8 BIGINT NOT NULL,
    h9 BIGINT NOT NULL,
    h10 BIGINT NOT NULL,
    h11 BIGINT NOT NULL,
    PRIMARY KEY (hall, month, department, item, officer, applicant, cut)
);

CREATE INDEX month_facts_entry ON month_facts (entry, month);

-- The scores of months that are over, as they were frozen or reckoned again.
CREATE TABLE scores (
    name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    month BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    department TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX scores_month ON scores (hall, month, kind, name);

-- What was given or taken by hand.
CREATE TABLE score_marks (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hall TEXT NOT NULL,
    month BIGINT NOT NULL,
    department TEXT NOT NULL,
    score TEXT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX score_marks_month ON score_marks (hall, month, department);

-- Formulas are documents as rule sets are, approved in the same way.
ALTER TABLE rule_sets ADD COLUMN kind TEXT NOT NULL DEFAULT 'rules';

-- +goose Down
ALTER TABLE rule_sets DROP COLUMN kind;
DROP TABLE score_marks;
DROP TABLE scores;
DROP TABLE month_facts;
DROP TABLE counted_cases;
DROP INDEX cards_unplaced;
DROP INDEX cards_month;
ALTER TABLE cards DROP COLUMN officer;
ALTER TABLE cards DROP COLUMN item;
ALTER TABLE cards DROP COLUMN rule;
ALTER TABLE cards DROP COLUMN as_of;
ALTER TABLE cards DROP COLUMN month;
