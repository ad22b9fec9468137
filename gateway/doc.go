// Package gateway opens the hall to the public: REST and streams for programs, pages
// for citizens, and the documentation of both. It holds no data and decides nothing;
// each request becomes one gRPC call that carries the caller's own token, so that the
// service behind it verifies, permits and validates as it does for everybody.
//
// In front of the generated handlers stands a guard (harden.go, body.go) that refuses
// what grpc-gateway would let through: see docs for the list.
package gateway
