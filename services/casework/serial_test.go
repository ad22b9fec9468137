package casework

import "testing"

func TestSerialsComeInBlocksAndLeaveATakenOne(t *testing.T) {
	var s serials
	draw := func() int {
		t.Helper()
		n, err := s.draw()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := draw()
	if first%serialBlock != 0 {
		t.Errorf("a block begins with %d", first)
	}
	for i := 1; i < serialBlock; i++ {
		if n := draw(); n != first+i {
			t.Fatalf("serial %d of the block is %d, want %d", i, n, first+i)
		}
	}
	// Each of the next blocks is the former one again once in a million.
	second := draw()
	s.leave()
	third := draw()
	if second%serialBlock != 0 || third%serialBlock != 0 || second == first+serialBlock && third == second+serialBlock || third == second {
		t.Errorf("blocks begin with %d, %d, %d", first, second, third)
	}
}
