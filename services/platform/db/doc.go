// Package db is the one way OneHall's services reach their database: SQLite in the
// embedded form, PostgreSQL in production, with one set of SQL for both.
//
// All writes go through [DB.Write]. Many callers share one commit beneath it (group
// commit), because the flush to disk at commit is the dearest part of a small
// transaction and costs the same for one caller as for two hundred. A caller sees
// none of that: its function runs alone in effect, and Write returns only when the
// change is durable, or says that it is not, or says that nobody knows.
//
// Reads go through [DB.Read] and [DB.ReadTx] and never wait for writers.
//
// Time is stored as BIGINT microseconds of UTC ([Micros], [Time]); ids are made in
// Go ([DB.NextID]).
package db
