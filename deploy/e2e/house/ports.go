package house

import (
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// ports are handed out below the kernel's own range, so that no outgoing connection
// sits on the port of a process that is being started again.
var ports struct {
	sync.Mutex
	next int
}

const firstPort, lastPort = 12000, 32000

// address is a free loopback address that nobody else in this test binary was given.
func address(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		// Test binaries that run at the same time begin at different places.
		ports.next = firstPort + os.Getpid()*37%(lastPort-firstPort)
	}
	for range lastPort - firstPort {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports.next))
		if ports.next++; ports.next == lastPort {
			ports.next = firstPort
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("house: %v", err)
		}
		return addr
	}
	t.Fatal("house: no free port")
	return ""
}
