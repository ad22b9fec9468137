// Package almanac is what casework and supervision count by: the working calendar and
// the policies of halls, as the catalogue published them.
//
// Each keeps its own copy in a table that Apply fills from the catalogue's feed. A Book is
// that copy in memory, a value that never changes; a new entry makes a new Book. An entry
// is known by its position in the catalogue's feed, so that who reckoned something with a
// Book can tell by one number what has come since.
package almanac
