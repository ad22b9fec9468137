// Package hub is the provincial hub: it follows the feeds of every registered
// deployment and adds up what happened there, so that a rate, a ranking and the cases
// behind them are one and the same count.
//
// A source is a deployment; of each, four feeds are followed: the catalogue (halls,
// departments, items), casework, review and supervision. What a batch of events changes
// is worked out per case, added up in memory and written in few statements, in the
// transaction that moves the cursor. The facts can be recounted at the source at any
// time and must be equal.
package hub
