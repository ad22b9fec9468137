// Command bench measures the hall as its users meet it: over REST, with every
// interceptor, durable at each answer, the followers running. A figure alone says
// nothing about another machine, so each stands beside a limit taken in the same run,
// alternating with it: what the database, the disk or the same path without a part can
// do on this machine in these minutes. The ratio is what may be compared.
//
// The hall, the load and the limit run in processes of their own on loopback, on the
// same cores. Nothing here is a test: a busy machine makes a bad figure, not a failure.
//
//	go run ./deploy/bench                  all of it, about ten minutes
//	go run ./deploy/bench -short           the same with less of everything
//	go run ./deploy/bench -only submit     one part; -list names them
//	go run ./deploy/bench -only rebuild -cases 200000
//	                                       with another number of stored cases or clocks
//	ONEHALL_CPUPROFILE=dir go run ./deploy/bench -only submit
//	                                       writes a CPU profile of each hall's rounds
package main
