// Package catalogue is the catalogue of public services: halls, departments, the
// directory of what law knows, and the items as each department does them.
//
// An item is edited as a draft and published by somebody else in revisions that never
// change; the revision in force is the highest whose time has come. Search is an index
// in the memory of each replica, built from the store at start and kept by the
// service's own feed.
package catalogue
