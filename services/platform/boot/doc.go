// Package boot starts and stops OneHall processes: it reads the configuration,
// sets up logs, metrics and traces, builds what all services share (Runtime),
// and runs one service from its listener to its graceful end (Serve).
package boot
