package main

import (
	"context"
	"io"

	"github.com/onehall/onehall/deploy/stand"
)

func verifyHall(context.Context, io.Writer, *stand.Hall) error { return nil }
