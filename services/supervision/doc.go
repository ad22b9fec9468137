// Package supervision is e-supervision: it follows the cases, keeps both clocks of
// each and raises cards when a limit is near or passed, or when somebody acted
// against the rules. It never changes a case.
//
// What makes its cards trustworthy is that they do not depend on when it ran. Before an
// event that was entered at E is applied to a case, everything is raised that fell due
// for it strictly before E; for cases about which nothing comes in, everything is raised
// that fell due before the moment up to which the source vouches that all is told. So
// after any outage the cards are those of an undisturbed run, each dated by the moment
// its condition came true.
package supervision
