// Package casework is case handling: one record from application to collection.
//
// Every change of a case is one transaction of two statements: the event, whose row is
// also the record of the request that caused it, and the case as it is now. A filing
// reads nothing before it writes; what it needs of the catalogue is kept in memory by
// following the catalogue's feed. What may happen when is decided in internal/rules.
//
// Personal data stay in the row of the case. Events, lists and answers carry them masked;
// RevealApplicant alone shows them, and leaves an event of its own.
package casework
