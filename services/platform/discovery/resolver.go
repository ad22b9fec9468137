package discovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/resolver"
)

// relistEvery is how long a watch is trusted before everything is read again.
const relistEvery = 30 * time.Second

// Options are the settings of a Builder.
type Options struct {
	// Cluster names the deployment whose instances are looked up.
	Cluster string
	// CacheDir is where the last good addresses of each role are kept; empty
	// means nowhere.
	CacheDir string
	// Static are addresses to start from when neither etcd nor the cache knows
	// better, by role.
	Static map[string][]string
	// RelistEvery replaces the 30 s between full listings; for tests.
	RelistEvery time.Duration
	// Log receives what happens; may be nil.
	Log *slog.Logger
}

// Builder makes gRPC resolvers for the scheme onehall.
type Builder struct {
	cli *clientv3.Client
	opt Options
}

// NewBuilder returns a Builder to be given to gRPC by grpc.WithResolvers.
func NewBuilder(cli *clientv3.Client, opt Options) *Builder {
	if opt.RelistEvery <= 0 {
		opt.RelistEvery = relistEvery
	}
	opt.Log = logger(opt.Log)
	return &Builder{cli: cli, opt: opt}
}

// Scheme tells gRPC which targets this builder resolves.
func (b *Builder) Scheme() string { return Scheme }

// Build returns at once, whatever state etcd is in: what is known from disk or
// configuration is given to gRPC now, the rest comes in the background.
func (b *Builder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	role := strings.Trim(target.Endpoint(), "/")
	if role == "" || strings.Contains(role, "/") {
		return nil, fmt.Errorf("discovery: target %q names no role", target.URL.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{
		cli: b.cli, cc: cc, opt: b.opt, role: role, prefix: prefix(b.opt.Cluster, role),
		cancel: cancel, done: make(chan struct{}), nudge: make(chan struct{}, 1),
	}
	if addrs := w.startingPoint(); len(addrs) > 0 {
		w.push(addrs)
	}
	go w.run(ctx)
	return w, nil
}

// watcher follows the instances of one role for one gRPC channel. All fields
// below nudge belong to its own goroutine once run has started.
type watcher struct {
	cli    *clientv3.Client
	cc     resolver.ClientConn
	opt    Options
	role   string
	prefix string
	cancel context.CancelFunc
	done   chan struct{}
	nudge  chan struct{}

	known map[string]string // key -> addr, as etcd last said
	given []string          // what gRPC works with now, sorted
}

// ResolveNow is gRPC's hint that connections fail; it brings the next listing
// forward.
func (w *watcher) ResolveNow(resolver.ResolveNowOptions) {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// Close ends the watcher and waits for it.
func (w *watcher) Close() {
	w.cancel()
	<-w.done
}

// startingPoint is the last good set of an earlier process, else the
// configured list.
func (w *watcher) startingPoint() []string {
	addrs, err := readCache(w.opt.CacheDir, w.opt.Cluster, w.role)
	if err != nil {
		w.opt.Log.Warn("discovery cache unreadable", "role", w.role, "error", err)
	}
	if len(addrs) == 0 {
		addrs = slices.Clone(w.opt.Static[w.role])
	}
	slices.Sort(addrs)
	return slices.Compact(addrs)
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	var b backoff
	for ctx.Err() == nil {
		rev, err := w.list(ctx)
		if err == nil {
			b.reset()
			if err = w.follow(ctx, rev); err == nil {
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		w.report(err)
		pause := b.step()
		w.opt.Log.Warn("discovery interrupted", "role", w.role, "retry_in", pause, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// list reads all instances of the role and returns the revision it saw.
func (w *watcher) list(ctx context.Context) (int64, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	resp, err := w.cli.Get(ctx, w.prefix, clientv3.WithPrefix())
	if err != nil {
		return 0, fmt.Errorf("list instances: %w", err)
	}
	w.known = make(map[string]string, len(resp.Kvs))
	for _, kv := range resp.Kvs {
		w.learn(kv)
	}
	w.apply()
	return resp.Header.Revision, nil
}

// follow applies changes after rev. It returns nil when it is simply time to
// list again, and an error for every other way in which the watch ended.
func (w *watcher) follow(ctx context.Context, rev int64) error {
	// The deadline bounds the watch call itself too, which otherwise blocks
	// for as long as etcd is unreachable.
	period := w.opt.RelistEvery*9/10 + rand.N(w.opt.RelistEvery/10)
	wctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), period)
	defer cancel()
	started := time.Now()
	ch := w.cli.Watch(wctx, w.prefix, clientv3.WithPrefix(), clientv3.WithRev(rev+1))
	for {
		select {
		case <-wctx.Done():
			return ctx.Err()
		case <-w.nudge:
			// Failing connections nudge in volleys; one listing a second is
			// enough to answer all of them.
			if time.Since(started) >= time.Second {
				return nil
			}
		case resp, ok := <-ch:
			if !ok {
				if errors.Is(wctx.Err(), context.DeadlineExceeded) {
					return nil
				}
				return errors.New("watch closed")
			}
			if err := resp.Err(); err != nil {
				return fmt.Errorf("watch: %w", err)
			}
			for _, ev := range resp.Events {
				if ev.Type == clientv3.EventTypeDelete {
					delete(w.known, string(ev.Kv.Key))
				} else {
					w.learn(ev.Kv)
				}
			}
			w.apply()
		}
	}
}

// learn takes one key in; a value that is no instance is left out, loudly.
func (w *watcher) learn(kv *mvccpb.KeyValue) {
	in, err := parseInstance(kv.Value)
	if err != nil {
		w.opt.Log.Warn("discovery key ignored", "key", string(kv.Key), "error", err)
		delete(w.known, string(kv.Key))
		return
	}
	w.known[string(kv.Key)] = in.Addr
}

// apply gives gRPC the known set, unless it is empty: leases also lapse when
// etcd is slow, and an instance that answers is better than no instance. If it
// is truly gone, connecting fails and says so.
func (w *watcher) apply() {
	addrs := make([]string, 0, len(w.known))
	for _, a := range w.known {
		addrs = append(addrs, a)
	}
	slices.Sort(addrs)
	addrs = slices.Compact(addrs)
	if len(addrs) == 0 {
		if len(w.given) > 0 {
			w.opt.Log.Warn("discovery set empty, last good kept", "role", w.role, "kept", len(w.given))
		}
		w.report(errors.New("no instance is registered"))
		return
	}
	if slices.Equal(addrs, w.given) {
		return
	}
	w.push(addrs)
	if err := writeCache(w.opt.CacheDir, w.opt.Cluster, w.role, addrs); err != nil {
		w.opt.Log.Warn("discovery cache not written", "role", w.role, "error", err)
	}
}

func (w *watcher) push(addrs []string) {
	state := resolver.State{Endpoints: make([]resolver.Endpoint, len(addrs))}
	for i, a := range addrs {
		state.Endpoints[i] = resolver.Endpoint{Addresses: []resolver.Address{{Addr: a}}}
	}
	w.given = addrs
	// The error only asks for an early second try, which the watch and the
	// periodic listing give anyway.
	if err := w.cc.UpdateState(state); err != nil {
		w.opt.Log.Warn("discovery set refused by balancer", "role", w.role, "error", err)
		return
	}
	w.opt.Log.Info("discovery set applied", "role", w.role, "instances", len(addrs))
}

// report tells gRPC that nothing is known, so that calls fail with a reason
// instead of waiting. Once a set has been given, trouble with etcd is not the
// callers' business.
func (w *watcher) report(err error) {
	if len(w.given) == 0 {
		w.cc.ReportError(fmt.Errorf("discovery of %s: %w", w.role, err))
	}
}
