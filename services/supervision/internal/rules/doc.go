// Package rules judges cases by the rules of e-supervision. It is pure: a judgement
// follows from the facts of a case, the policy of its hall and nothing else, so it can
// be made again at any time and come out the same.
//
// Two families: timed rules (T) come true by the mere passing of time, at a moment that
// can be computed beforehand; rules of conduct (P) come true by what somebody did.
package rules
