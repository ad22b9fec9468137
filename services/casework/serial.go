package casework

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"sync"

	"github.com/onehall/onehall/services/platform/codes"
)

const (
	// numberTries is how often a case number is drawn anew when it is taken. Of a million
	// blocks a day even a hundredth in use makes a second taken one rare.
	numberTries = 8
	// serialBlock is how many serials follow on each other.
	serialBlock = 100
)

// serials draws the serials of case numbers: a block at random, then its numbers one after
// the other. A random block needs no word with other processes, and keeps from a receipt
// how many cases there are. Neighbours within it are for the database: every index that
// begins with the number, here and at all who follow, is then written in a page or two
// for many cases instead of in a page for each.
type serials struct {
	mu         sync.Mutex
	next, left int
}

// draw gives the next serial.
func (s *serials) draw() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		block, err := rand.Int(rand.Reader, big.NewInt((codes.MaxSerial+1)/serialBlock))
		if err != nil {
			return 0, fmt.Errorf("casework: random serial: %w", err)
		}
		s.next, s.left = int(block.Int64())*serialBlock, serialBlock
	}
	s.next++
	s.left--
	return s.next - 1, nil
}

// leave ends the block: a number of it is taken, so all may be.
func (s *serials) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = 0
}
