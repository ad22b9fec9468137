// Package house stands whole halls up for the end-to-end tests, out of the program
// that people run and never out of its parts: as one process (`onehall up`) or as a
// process for each role with an etcd of its own, on SQLite or on PostgreSQL. A test
// sees the same House whichever it is.
//
// ONEHALL_E2E_LOGS names a directory that gets all files of the halls of failed tests,
// ONEHALL_E2E_PICTURES one that gets the pictures of the pages.
package house
