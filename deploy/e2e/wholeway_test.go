package e2e

import (
	"testing"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// TestWholeWay goes with one body through every shape and database: from the question
// "what do I need?" to the province's figures, through REST alone.
func TestWholeWay(t *testing.T) {
	house.Each(t, func(t *testing.T, o house.Options) {
		w := &way{scene: newScene(t, o)}
		for _, part := range []struct {
			name string
			run  func(*way)
		}{
			{"find", (*way).find}, {"read the guide", (*way).guide}, {"apply", (*way).apply}, {"supplement", (*way).supplement},
			{"handle", (*way).handle}, {"history", (*way).history}, {"review", (*way).review}, {"counter", (*way).counter},
			{"progress", (*way).progress}, {"inbox", (*way).inbox}, {"clock", (*way).clock}, {"late", (*way).late},
			{"streams", (*way).streams}, {"refusals", (*way).refusals}, {"sign in", (*way).signIn}, {"figures", (*way).figures},
		} {
			// Each part goes on where the one before ended.
			if !t.Run(part.name, func(t *testing.T) { run(w, t, part.run) }) {
				break
			}
		}
		w.noFaults()
	})
}

// run lends a part its own test.
func run(w *way, t *testing.T, part func(*way)) {
	whole := w.scene.t
	defer func() { w.scene.t = whole }()
	w.scene.t = t
	part(w)
}

// way is what the parts of the whole way hand on.
type way struct {
	*scene
	// main is the case that goes all the way; open one that stays in hand; behind one
	// that is late.
	main, open, behind *caseworkv1.Case
	// code is main's query code.
	code string
	// submitted, accepted and done count what the figures must show.
	submitted, accepted, done int64
}
