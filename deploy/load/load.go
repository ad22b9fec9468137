package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/services/platform/fault"
)

// Loader speaks to the catalogue as an administrator: the calls' context must carry
// the administrator's token.
type Loader struct {
	Catalogue cataloguev1.CatalogueServiceClient
	// Progress, if given, is told what has been loaded.
	Progress func(what string)
}

// Counts is what was loaded.
type Counts struct{ Halls, Departments, Directory, Items int }

// at most this many calls at once: the catalogue commits them together.
const parallel = 8

// Province opens the halls of Guangdong, its cities and counties and launches them.
func (l *Loader) Province(ctx context.Context) (int, error) {
	all := sample.Province()
	byLevel := map[string][]sample.Division{}
	for _, d := range all {
		byLevel[d.Level] = append(byLevel[d.Level], d)
	}
	for _, level := range []string{sample.LevelProvince, sample.LevelCity, sample.LevelCounty} {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(parallel)
		for _, d := range byLevel[level] {
			g.Go(func() error { return l.hall(ctx, d) })
		}
		if err := g.Wait(); err != nil {
			return 0, err
		}
	}
	l.say(fmt.Sprintf("%d 个厅", len(all)))
	return len(all), nil
}

func (l *Loader) hall(ctx context.Context, d sample.Division) error {
	h := &cataloguev1.Hall{Name: HallName(d.Code), DisplayName: d.Name, Level: levelOf(d.ExerciseLevel())}
	if d.Parent != "" {
		h.ParentHall = HallName(d.Parent)
	}
	made, err := l.Catalogue.CreateHall(ctx, &cataloguev1.CreateHallRequest{Hall: h, RequestId: uuid.NewString()})
	if err != nil {
		return fmt.Errorf("hall %s: %w", d.Name, err)
	}
	_, err = l.Catalogue.LaunchHall(ctx, &cataloguev1.LaunchHallRequest{Name: made.GetName(), Etag: made.GetEtag(), RequestId: uuid.NewString()})
	if err != nil {
		return fmt.Errorf("launch hall %s: %w", d.Name, err)
	}
	return nil
}

// Directory loads the basic directory.
func (l *Loader) Directory(ctx context.Context) (int, error) {
	var entries []*cataloguev1.DirectoryEntry
	for _, b := range sample.Directory() {
		entries = append(entries, directoryEntry(b))
	}
	err := chunks(ctx, entries, 500, func(ctx context.Context, part []*cataloguev1.DirectoryEntry) error {
		_, err := l.Catalogue.BatchCreateDirectoryEntries(ctx, &cataloguev1.BatchCreateDirectoryEntriesRequest{DirectoryEntries: part, RequestId: uuid.NewString()})
		return err
	})
	l.say(fmt.Sprintf("基本目录 %d 项", len(entries)))
	return len(entries), err
}

// Departments registers departments, grouped by hall.
func (l *Loader) Departments(ctx context.Context, deps []sample.Department) error {
	byHall := map[string][]*cataloguev1.Department{}
	for _, d := range deps {
		byHall[d.Division] = append(byHall[d.Division], department(d))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for division, part := range byHall {
		g.Go(func() error {
			req := &cataloguev1.BatchCreateDepartmentsRequest{Parent: HallName(division), Departments: part, RequestId: uuid.NewString()}
			if err := again(func() error { _, err := l.Catalogue.BatchCreateDepartments(ctx, req); return err }); err != nil {
				return fmt.Errorf("departments of %s: %w", division, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// Items publishes items, grouped by hall.
func (l *Loader) Items(ctx context.Context, items []sample.Item) error {
	byHall := map[string][]*cataloguev1.Item{}
	for _, it := range items {
		byHall[it.Division] = append(byHall[it.Division], Item(it))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for division, part := range byHall {
		g.Go(func() error {
			return chunks(ctx, part, 200, func(ctx context.Context, some []*cataloguev1.Item) error {
				req := &cataloguev1.LoadItemsRequest{Parent: HallName(division), Items: some, RequestId: uuid.NewString()}
				if err := again(func() error { _, err := l.Catalogue.LoadItems(ctx, req); return err }); err != nil {
					return fmt.Errorf("items of %s: %w", division, err)
				}
				return nil
			})
		})
	}
	return g.Wait()
}

// Huizhou fills Huizhou's hall and its counties' to the size of early 2014.
func (l *Loader) Huizhou(ctx context.Context) (Counts, error) {
	h := sample.Huizhou()
	if err := l.Departments(ctx, h.Departments); err != nil {
		return Counts{}, err
	}
	items := append(append(append([]sample.Item{}, h.Items...), h.TownItems...), h.VillageItems...)
	if err := l.Items(ctx, items); err != nil {
		return Counts{}, err
	}
	l.say(fmt.Sprintf("惠州 %d 个部门、%d 个事项（另有镇 %d、村 %d）", len(h.Departments), len(h.Items), len(h.TownItems), len(h.VillageItems)))
	return Counts{Departments: len(h.Departments), Items: len(items)}, nil
}

// Core gives halls the services people ask for most.
func (l *Loader) Core(ctx context.Context, divisions ...sample.Division) (Counts, error) {
	var deps []sample.Department
	var items []sample.Item
	for _, d := range divisions {
		deps = append(deps, sample.Departments(d)...)
		items = append(items, sample.CoreItems(d)...)
	}
	if err := l.Departments(ctx, deps); err != nil {
		return Counts{}, err
	}
	if err := l.Items(ctx, items); err != nil {
		return Counts{}, err
	}
	l.say(fmt.Sprintf("其他 %d 个市厅各 %d 个常办事项", len(divisions), len(sample.Core())))
	return Counts{Departments: len(deps), Items: len(items)}, nil
}

// tries is how often a call is made whose token ended on its way.
const tries = 5

// again makes a call, and makes it again when its token ended between here and there: the
// demonstration loads beside a walk that puts the clock weeks forward. The refused call did
// nothing, and the request's id makes the next one harmless in any case.
func again(call func() error) error {
	for try := 1; ; try++ {
		err := call()
		if err == nil || try == tries || !errors.Is(fault.Of(err), fault.TokenExpired) {
			return err
		}
	}
}

func (l *Loader) say(what string) {
	if l.Progress != nil {
		l.Progress(what)
	}
}

// chunks calls f with parts of all, several at once.
func chunks[T any](ctx context.Context, all []T, size int, f func(context.Context, []T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for start := 0; start < len(all); start += size {
		part := all[start:min(start+size, len(all))]
		g.Go(func() error { return f(ctx, part) })
	}
	return g.Wait()
}
