package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/supervision/internal/store/queries"
)

// Order is a stored supervision order. Data is the message as it was last written.
type Order struct {
	ID                     int64
	Name, Hall, Department string
	// NextAt is when its last day is over; zero when nothing is awaited.
	NextAt   time.Time
	Sequence int64
	Data     []byte
}

func orderOf(r queries.Order) Order {
	return Order{ID: r.ID, Name: r.Name, Hall: r.Hall, Department: r.Department, NextAt: db.Time(r.NextAt), Sequence: r.Sequence, Data: r.Data}
}

// InsertOrder writes a new order.
func InsertOrder(ctx context.Context, tx *db.Tx, o Order) error {
	return queries.New(tx).InsertOrder(ctx, queries.InsertOrderParams{ID: o.ID, Name: o.Name, Hall: o.Hall, Department: o.Department,
		NextAt: db.Micros(o.NextAt), Data: o.Data})
}

// UpdateOrder replaces an order that still is at the sequence before.
func UpdateOrder(ctx context.Context, tx *db.Tx, o Order) error {
	n, err := queries.New(tx).UpdateOrder(ctx, queries.UpdateOrderParams{
		NextAt: db.Micros(o.NextAt), Sequence: o.Sequence, Data: o.Data, Name: o.Name, Sequence_2: o.Sequence - 1})
	if err == nil && n == 0 {
		return fault.Conflict.New()
	}
	return err
}

// GetOrder reads an order, or returns fault.NotFound.
func GetOrder(ctx context.Context, q db.Querier, name string) (Order, error) {
	row, err := queries.New(q).GetOrder(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Order{}, fault.NotFound.New()
	}
	return orderOf(row), err
}

// NextOrder is the order whose last day is over first; false when none is awaited.
func NextOrder(ctx context.Context, q db.Querier) (Order, bool, error) {
	row, err := queries.New(q).NextOrder(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return Order{}, false, nil
	}
	return orderOf(row), err == nil, err
}

// ListOrders lists the orders to a department, else of a hall, newest first, before an
// id; 0 begins.
func ListOrders(ctx context.Context, q db.Querier, hall, department string, before int64, limit int) ([]Order, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	var rows []queries.Order
	var err error
	if department != "" {
		rows, err = queries.New(q).ListDepartmentOrders(ctx, queries.ListDepartmentOrdersParams{Department: department, ID: before, Limit: int32(limit)})
	} else {
		rows, err = queries.New(q).ListHallOrders(ctx, queries.ListHallOrdersParams{Hall: hall, ID: before, Limit: int32(limit)})
	}
	all := make([]Order, 0, len(rows))
	for _, r := range rows {
		all = append(all, orderOf(r))
	}
	return all, err
}
