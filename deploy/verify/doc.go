// Package verify counts what happened a second time, from the raw events at the halls,
// and compares the outcome with what the hub shows. It shares no code with the hub: it
// is written from the words of the contract, so that a mistake in one of the two is a
// difference and not an agreement.
//
// On the way it checks what the feeds promise: positions and the events of each subject
// without gap, and every content with its hash.
package verify
