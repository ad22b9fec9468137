// Package search finds items by what a person would say. It is an index in memory:
// for every pair of neighbouring characters a roaring bitmap of the items that have it.
// Official names are short, and two characters are the commonest Chinese word, so pairs
// find all that a scan of the texts would find; a dictionary cuts query and text apart
// in different places and loses two thirds.
//
// Text is folded before it is indexed or asked for: width, case, traditional to
// simplified character by character, so that a part of a text folds to a part of the
// folded text. Titles and aliases are also indexed by pinyin, whole and by initials.
package search
