// Package rules decides what may happen to a case and when its limits end. It knows no
// database, no protobuf and no clock: everything comes in as plain values, so that
// every rule can be tested as a table and by random histories.
package rules
