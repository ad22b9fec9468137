package discovery

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// TestAddressesStartFromWhatIsKnown holds a client that does not speak gRPC to the same
// promise: with etcd away it works with what the configuration names.
func TestAddressesStartFromWhatIsKnown(t *testing.T) {
	cli, err := NewClient(ClientConfig{Endpoints: []string{"http://127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func(cli *clientv3.Client) {
		if err := cli.Close(); err != nil {
			t.Log(err)
		}
	}(cli)
	b := NewBuilder(cli, Options{Cluster: "test", Static: map[string][]string{"files": {"127.0.0.1:7001", "127.0.0.1:7002"}}})
	began := time.Now()
	known, err := b.Addresses("files")
	if err != nil {
		t.Fatal(err)
	}
	none, err := b.Addresses("nobody")
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v without etcd", took)
	}
	seen := map[string]int{}
	for range 10 {
		addr, ok := known.Pick()
		if !ok {
			t.Fatal("nothing is known")
		}
		seen[addr]++
		known.Failed() // a hint, never an end
	}
	if seen["127.0.0.1:7001"] != 5 || seen["127.0.0.1:7002"] != 5 {
		t.Errorf("picked %v", seen)
	}
	if known.Len() != 2 || none.Len() != 0 {
		t.Errorf("%d and %d are known", known.Len(), none.Len())
	}
	if addr, ok := none.Pick(); ok {
		t.Errorf("an unknown role is at %s", addr)
	}
	for _, a := range []*Addresses{known, none} {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
