package e2e

import (
	"os"
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
)

func TestMain(m *testing.M) { os.Exit(house.Main(m)) }
