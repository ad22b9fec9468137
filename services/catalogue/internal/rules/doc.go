// Package rules holds what makes an item fit to be published: the checks Q1 to Q14
// of the catalogue, over plain values. It knows no database, no contract and no clock.
package rules
