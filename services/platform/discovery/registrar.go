package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	leaseSeconds = 5
	// checkEvery bounds how long a key may be missing when neither the
	// keep-alive nor the watch on the key told us.
	checkEvery = 5 * time.Second
)

// Registration says what to write and where.
type Registration struct {
	// Cluster names the deployment; it is the first part of every key.
	Cluster string
	// Role is the service, as "casework".
	Role string
	// ID tells the instances of a role apart.
	ID string
	// Instance is the value of the key.
	Instance Instance
}

// Registrar keeps the key of one instance in etcd for as long as it lives.
type Registrar struct {
	cli  *clientv3.Client
	reg  Registration
	log  *slog.Logger
	key  string
	body string

	cancel     context.CancelFunc
	done       chan struct{}
	registered chan struct{}
	once       sync.Once

	mu    sync.Mutex
	lease clientv3.LeaseID
}

// errLost is why a session ended although nobody asked for it.
var errLost = errors.New("registration lost")

// Register starts to hold the instance's key and returns at once. It keeps
// trying until Deregister is called or ctx ends: an etcd that is down delays
// the registration and never the instance.
func Register(ctx context.Context, cli *clientv3.Client, reg Registration, log *slog.Logger) (*Registrar, error) {
	if reg.Cluster == "" || reg.Role == "" || reg.ID == "" {
		return nil, fmt.Errorf("discovery: cluster, role and instance id are required")
	}
	body, err := json.Marshal(reg.Instance)
	if err != nil {
		return nil, fmt.Errorf("discovery: encode instance: %w", err)
	}
	if _, err := parseInstance(body); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &Registrar{
		cli: cli, reg: reg, log: logger(log),
		key: prefix(reg.Cluster, reg.Role) + reg.ID, body: string(body),
		cancel: cancel, done: make(chan struct{}), registered: make(chan struct{}),
	}
	go r.run(ctx)
	return r, nil
}

// Registered is closed when the key has been written for the first time.
func (r *Registrar) Registered() <-chan struct{} { return r.registered }

func (r *Registrar) run(ctx context.Context) {
	defer close(r.done)
	var b backoff
	for ctx.Err() == nil {
		held, err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if held {
			b.reset()
		}
		pause := b.step()
		r.log.WarnContext(ctx, "discovery registration interrupted", "role", r.reg.Role, "instance", r.reg.ID, "retry_in", pause, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// session takes a fresh lease, writes the key and returns when either is gone.
// held tells whether the key had been written.
func (r *Registrar) session(ctx context.Context) (held bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	gctx, gcancel := bounded(ctx)
	grant, err := r.cli.Grant(gctx, leaseSeconds)
	gcancel()
	if err != nil {
		return false, fmt.Errorf("grant lease: %w", err)
	}
	r.setLease(grant.ID)

	pctx, pcancel := bounded(ctx)
	put, err := r.cli.Put(pctx, r.key, r.body, clientv3.WithLease(grant.ID))
	pcancel()
	if err != nil {
		return false, fmt.Errorf("put key: %w", err)
	}
	alive, err := r.cli.KeepAlive(ctx, grant.ID)
	if err != nil {
		return false, fmt.Errorf("keep lease alive: %w", err)
	}
	r.once.Do(func() { close(r.registered) })
	r.log.InfoContext(ctx, "discovery registered", "role", r.reg.Role, "instance", r.reg.ID, "addr", r.reg.Instance.Addr)

	gone := r.cli.Watch(clientv3.WithRequireLeader(ctx), r.key, clientv3.WithRev(put.Header.Revision+1), clientv3.WithFilterPut())
	return true, r.hold(ctx, alive, gone)
}

// hold returns when the lease or the key is lost. A watch that ends is not a
// loss: the periodic check stands in for it.
func (r *Registrar) hold(ctx context.Context, alive <-chan *clientv3.LeaseKeepAliveResponse, gone clientv3.WatchChan) error {
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, ok := <-alive:
			if !ok {
				return fmt.Errorf("lease: %w", errLost)
			}
		case resp, ok := <-gone:
			if !ok {
				gone = nil
				continue
			}
			if len(resp.Events) > 0 {
				return fmt.Errorf("key deleted: %w", errLost)
			}
		case <-check.C:
			cctx, cancel := bounded(ctx)
			got, err := r.cli.Get(cctx, r.key, clientv3.WithCountOnly())
			cancel()
			// An etcd that does not answer proves nothing about the key; the
			// lease channel closes by itself once the lease must have lapsed.
			if err == nil && got.Count == 0 {
				return fmt.Errorf("key missing: %w", errLost)
			}
		}
	}
}

// Deregister stops holding the key and deletes it first of all, so that
// clients leave before the instance stops to answer. It deletes only a key
// that is still under this registrar's lease: a successor that took the same
// id keeps its own.
func (r *Registrar) Deregister(ctx context.Context) error {
	r.cancel()
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	lease := r.currentLease()
	if lease == clientv3.NoLease {
		return nil
	}
	dctx, cancel := bounded(ctx)
	defer cancel()
	_, err := r.cli.Txn(dctx).
		If(clientv3.Compare(clientv3.LeaseValue(r.key), "=", int64(lease))).
		Then(clientv3.OpDelete(r.key)).Commit()
	if err != nil {
		return fmt.Errorf("discovery: deregister: %w", err)
	}
	if _, err := r.cli.Revoke(dctx, lease); err != nil {
		return fmt.Errorf("discovery: revoke lease: %w", err)
	}
	return nil
}

func (r *Registrar) setLease(id clientv3.LeaseID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lease = id
}

func (r *Registrar) currentLease() clientv3.LeaseID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lease
}
