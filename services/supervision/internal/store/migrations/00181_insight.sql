-- +goose Up

-- What the discretion check of a month found, in order of certainty.
CREATE TABLE findings (
    name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    month BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    measure BIGINT NOT NULL,
    department TEXT NOT NULL,
    place BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX findings_hall ON findings (hall, month, place);

-- How busy each department is: cases accepted and not decided, and what is usual, in
-- thousandths; seen counts the acceptances that this rests on.
CREATE TABLE department_loads (
    department TEXT NOT NULL PRIMARY KEY,
    open BIGINT NOT NULL,
    usual BIGINT NOT NULL,
    seen BIGINT NOT NULL
);

-- What became of cases by the places they stood at on their way.
CREATE TABLE past_places (
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    item TEXT NOT NULL,
    month BIGINT NOT NULL,
    stage BIGINT NOT NULL,
    fifth BIGINT NOT NULL,
    load BIGINT NOT NULL,
    n BIGINT NOT NULL,
    overran BIGINT NOT NULL,
    remaining BIGINT NOT NULL,
    PRIMARY KEY (hall, department, item, month, stage, fifth, load)
);

-- What is to be expected of open cases, as it was reckoned last; risk in millionths.
CREATE TABLE forecasts (
    case_name TEXT NOT NULL PRIMARY KEY,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    risk BIGINT NOT NULL,
    day BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX forecasts_hall ON forecasts (hall, risk DESC, case_name);
CREATE INDEX forecasts_department ON forecasts (department, risk DESC, case_name);

-- +goose Down
DROP TABLE forecasts;
DROP TABLE past_places;
DROP TABLE department_loads;
DROP TABLE findings;
