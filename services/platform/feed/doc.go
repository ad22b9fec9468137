// Package feed is how one OneHall service tells the others what happened.
//
// Three things live here:
//
//   - [Append] writes an event in the transaction of the change it reports, so there
//     is never one without the other. The event's row is also the record of the
//     request that caused it: a repeated request finds it and is answered from it.
//   - [Server] numbers the events after they are committed and hands them out. Numbers
//     taken inside a transaction would lose events: one who took 1 and commits after
//     one who took 2 is overlooked by a reader already past 2. Numbered after commit,
//     in batches, the line has no gap and one order, and no lock on the way of writers.
//   - [Follower] applies another service's events. Effect and cursor move in one
//     transaction by compare-and-set, so a crash, a repetition or a second replica do
//     no harm. An event that cannot be applied parks its subject, and only that.
//
// A service takes the tables by opening its database with [WithMigrations].
package feed
