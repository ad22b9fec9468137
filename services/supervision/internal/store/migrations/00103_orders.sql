-- +goose Up

-- Supervision orders. next_at is when the last day to report is over, 0 when nothing is
-- awaited.
CREATE TABLE orders (
    id BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    hall TEXT NOT NULL,
    department TEXT NOT NULL,
    next_at BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    data BYTEA NOT NULL
);

CREATE INDEX orders_hall ON orders (hall, id);
CREATE INDEX orders_department ON orders (department, id);
CREATE INDEX orders_next ON orders (next_at) WHERE next_at > 0;

-- +goose Down
DROP TABLE orders;
