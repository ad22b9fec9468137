// Package rules is what the hub counts and how it makes rates of it. It knows no
// database, no message and no clock.
//
// What a case, a review or a card adds to the facts is a function of its present
// state alone ([Case.Contribute], [Mark.Contribute]). A change takes away what the
// former state added and adds what the new one does, so a correction, a repetition or
// a replay can never leave a rest.
package rules
