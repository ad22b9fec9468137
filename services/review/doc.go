// Package review is what the public says about how its cases were handled: stars,
// national tags and words, one review a case and moment, by the applicant only.
//
// It follows the cases and keeps of each what it takes to judge who may review it
// when. Nothing changes the stars or the words of a review; a department answers
// beside it.
package review
