package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
)

// Source is one deployment that the hub follows, under the hub's name for it.
type Source struct {
	Name                          string
	Casework, Review, Supervision feedv1.FeedServiceClient
	// Now is the clock that the source goes by; nil means the system's. Everything
	// written before the recount began is counted.
	Now func() time.Time
}

const (
	// pageSize is the largest page a feed gives.
	pageSize = 1000
	// maxAttempts is how often the hub is compared while it does not stand still.
	maxAttempts = 100
	// maxFindings bounds what is told of a broken feed.
	maxFindings = 1000
	// patience is how long a feed may take to vouch for what was written before.
	patience = 2 * time.Minute
	// poll is how often the hub is asked whether it has caught up.
	poll = 50 * time.Millisecond
)

// errMoved tells that the hub counted on while it was being read.
var errMoved = errors.New("verify: the hub moved on")

// recount is one run.
type recount struct {
	hub    hubv1.HubServiceClient
	feeds  []*reader
	fold   *fold
	report Report
}

// reader reads one feed.
type reader struct {
	source, feed string
	client       feedv1.FeedServiceClient
	// until is the moment up to which the feed has to be complete.
	until    time.Time
	position int64
	parked   int32
}

// Recount reads the raw events of every source to their end, waits until the hub has
// counted as far, and compares every fact at that common position. The contexts of its
// calls must carry the token of a service. All sources of the hub must be given, since
// its facts do not tell whose they are. It ends with an error when the two could not be
// compared, not when they differ.
func Recount(ctx context.Context, sources []Source, hub hubv1.HubServiceClient) (Report, error) {
	began := time.Now()
	r := &recount{hub: hub, fold: newFold()}
	for _, s := range sources {
		now := time.Now
		if s.Now != nil {
			now = s.Now
		}
		// A feed never vouches for the present moment itself.
		until := now().Add(-time.Millisecond)
		r.feeds = append(r.feeds, &reader{source: s.Name, feed: "casework", client: s.Casework, until: until},
			&reader{source: s.Name, feed: "review", client: s.Review, until: until},
			&reader{source: s.Name, feed: "supervision", client: s.Supervision, until: until})
	}
	for _, f := range r.feeds {
		if err := r.read(ctx, f, -1); err != nil {
			return r.report, err
		}
	}
	for r.report.Attempts < maxAttempts {
		if err := r.meet(ctx); err != nil {
			return r.report, err
		}
		r.report.Attempts++
		err := r.compare(ctx)
		if errors.Is(err, errMoved) {
			continue
		}
		r.report.sort()
		r.report.Took = time.Since(began)
		return r.report, err
	}
	return r.report, fmt.Errorf("verify: %w each of %d times it was read", errMoved, maxAttempts)
}

// read reads a feed up to a position, or to its end for -1.
func (r *recount) read(ctx context.Context, f *reader, to int64) error {
	began := time.Now()
	for to < 0 || f.position < to {
		size := int64(pageSize)
		if to >= 0 {
			size = min(size, to-f.position)
		}
		res, err := f.client.ReadEvents(ctx, &feedv1.ReadEventsRequest{After: f.position, PageSize: int32(size)})
		if err != nil {
			return fmt.Errorf("verify: %s/%s after %d: %w", f.source, f.feed, f.position, err)
		}
		for _, e := range res.GetEvents() {
			r.take(f, e)
		}
		if len(res.GetEvents()) > 0 {
			continue
		}
		// What was written a moment ago may wait for its number: the end of the feed is
		// the end only when it vouches for all until then.
		if to >= 0 || res.GetCompleteUntil() == nil || res.GetCompleteUntil().AsTime().Before(f.until) {
			if time.Since(began) > patience {
				return fmt.Errorf("verify: %s/%s does not come to position %d or vouch for all until %v: is it running, are the clocks right?", f.source, f.feed, to, f.until)
			}
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		return nil
	}
	return nil
}

// take checks an event and counts it.
func (r *recount) take(f *reader, e *feedv1.Event) {
	r.report.Events++
	if e.GetPosition() != f.position+1 {
		r.find("%s/%s: position %d is followed by %d", f.source, f.feed, f.position, e.GetPosition())
	}
	f.position = e.GetPosition()
	key := f.source + "/" + f.feed
	if r.fold.last[key] == nil {
		r.fold.last[key] = map[id]int64{}
	}
	subject := idOf(e.GetSubject())
	if last := r.fold.last[key][subject]; e.GetSequence() != last+1 {
		r.find("%s/%s: %s: sequence %d is followed by %d", f.source, f.feed, e.GetSubject(), last, e.GetSequence())
	}
	r.fold.last[key][subject] = e.GetSequence()
	if sum := sha256.Sum256(e.GetResource()); !bytes.Equal(sum[:], e.GetResourceSha256()) {
		r.find("%s/%s: %s: sequence %d does not have its hash", f.source, f.feed, e.GetSubject(), e.GetSequence())
	}
	if err := r.fold.take(e); err != nil {
		r.find("%s/%s: %s: sequence %d cannot be read: %v", f.source, f.feed, e.GetSubject(), e.GetSequence(), err)
	}
}

func (r *recount) find(format string, args ...any) {
	if len(r.report.Findings) < maxFindings {
		r.report.Findings = append(r.report.Findings, fmt.Sprintf(format, args...))
	}
}

// meet brings both to one position: it waits for a hub that is behind, and reads on
// after one that is ahead.
func (r *recount) meet(ctx context.Context) error {
	for {
		at, err := r.positions(ctx)
		if err != nil {
			return err
		}
		behind := false
		for _, f := range r.feeds {
			s := at[f.source+"/"+f.feed]
			behind = behind || s.GetPosition() < f.position
			if err := r.read(ctx, f, max(s.GetPosition(), f.position)); err != nil {
				return err
			}
			f.parked = s.GetParked()
		}
		if !behind {
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// positions are how far the hub has counted each feed that is recounted.
func (r *recount) positions(ctx context.Context) (map[string]*hubv1.Source, error) {
	res, err := r.hub.ListSources(ctx, &hubv1.ListSourcesRequest{})
	if err != nil {
		return nil, fmt.Errorf("verify: sources of the hub: %w", err)
	}
	at := map[string]*hubv1.Source{}
	for _, s := range res.GetSources() {
		if s.GetFeed() != "catalogue" { // no fact rests on it
			at[s.GetSource()+"/"+s.GetFeed()] = s
		}
	}
	for _, f := range r.feeds {
		if at[f.source+"/"+f.feed] == nil {
			return nil, fmt.Errorf("verify: the hub does not follow %s/%s", f.source, f.feed)
		}
	}
	if len(at) != len(r.feeds) {
		return nil, fmt.Errorf("verify: the hub follows %d feeds, %d were given", len(at), len(r.feeds))
	}
	return at, nil
}

// compare compares all facts, or gives errMoved when the hub counted on meanwhile.
func (r *recount) compare(ctx context.Context) error {
	own := r.fold.count()
	r.report.Cases, r.report.Facts = int64(len(r.fold.cases)), int64(len(own))
	r.report.Reviews, r.report.Cards = r.fold.tally()
	r.report.Differences, r.report.Feeds = nil, nil
	for token := ""; ; {
		res, err := r.hub.ListFacts(ctx, &hubv1.ListFactsRequest{PageSize: pageSize, PageToken: token})
		if err != nil {
			return fmt.Errorf("verify: facts of the hub: %w", err)
		}
		for _, f := range res.GetFacts() {
			k := Key{f.GetDate(), f.GetHall(), f.GetDepartment(), f.GetItem(), f.GetChannel()}
			at := r.rowOf(k)
			mine := own[at]
			if mine == nil {
				mine = &figures{}
			}
			r.differ(k, figuresOf(f), *mine)
			delete(own, at)
		}
		if token = res.GetNextPageToken(); token == "" {
			break
		}
	}
	for at, mine := range own {
		w := r.fold.words.list
		r.differ(Key{at.on.String(), w[at.hall], w[at.department], w[at.item], at.channel}, figures{}, *mine)
	}
	at, err := r.positions(ctx)
	if err != nil {
		return err
	}
	for _, f := range r.feeds {
		if at[f.source+"/"+f.feed].GetPosition() != f.position {
			return errMoved
		}
		r.report.Feeds = append(r.report.Feeds, FeedPosition{f.source, f.feed, f.position, f.parked})
	}
	return nil
}

// rowOf finds the row of a hub's fact. A date that is none matches nothing of ours.
func (r *recount) rowOf(k Key) row {
	on := noDay
	if t, err := time.Parse(time.DateOnly, k.Date); err == nil {
		on = day(t.Unix() / 86400)
	}
	w := &r.fold.words
	return row{on, place{w.of(k.Hall), w.of(k.Department), w.of(k.Item)}, k.Channel}
}

func (r *recount) differ(k Key, hub, mine figures) {
	for i, name := range names {
		if hub[i] != mine[i] {
			r.report.Differences = append(r.report.Differences, Difference{k, name, hub[i], mine[i]})
		}
	}
}

func pause(ctx context.Context) error {
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("verify: %w", ctx.Err())
	case <-t.C:
		return nil
	}
}
