package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/load"
	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/deploy/walk"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/rpc"
)

// demo starts a hall on a temporary directory, loads the sample province, walks two
// cases through it over REST and stays up.
func demo(ctx context.Context, out io.Writer, args []string) (err error) {
	started := time.Now()
	s := newFlags("demo", out)
	s.flags.String("issuer.listen", "", "address of the built-in issuer")
	leave := s.flags.Bool("exit", false, "stop after the walk")
	plain := s.flags.Bool("any-port", false, "use free ports instead of 8080 and 8081")
	c := stand.DefaultConfig()
	c.Log.Level = "error"
	if err := s.load(args, &c); err != nil {
		return err
	}
	if *plain {
		c.Gateway.Listen, c.Issuer.Listen = "127.0.0.1:0", "127.0.0.1:0"
	}
	dir, err := os.MkdirTemp("", "onehall-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c.DataDir = filepath.Join(dir, "data")
	// The walk lives through some weeks that end now.
	clk := clock.NewVirtual(walk.Start(time.Now()))
	p, err := params(c, clk)
	if err != nil {
		return err
	}
	users := demoUsers()
	fmt.Fprintln(out, "OneHall 网上办事大厅：启动全部服务（目录、办件、监察、评价、省主厅、网关）并装入样例省份……")
	h, err := stand.Up(ctx, c, p, users)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Stop()) }()
	l, done, err := loaderOf(h, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	admin := rpc.WithToken(ctx, adminOf(h.Issuer))
	if err := loadCity(admin, l); err != nil {
		return err
	}
	fmt.Fprintf(out, "就绪 ready：%.1f 秒（其余地市在后台装入）\n\n", time.Since(started).Seconds())
	l.Progress = nil // the walk speaks now
	g := errgroup.Group{}
	g.Go(func() error { return loadOthers(admin, l) })
	if err := walkDemo(ctx, out, h, clk); err != nil {
		return err
	}
	if err := g.Wait(); err != nil {
		return err
	}
	// The walk is over, and those who wait in the centre came today.
	clk.Set(time.Now())
	if err := openCentre(ctx, h, users); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n政务服务中心开门，%d 人等候 a centre with a queue：%s/counter/%s/main（police-window-1）\n", demoWaiting, strings.TrimSuffix(h.Gateway, "/"), demoCity)
	fmt.Fprintln(out, "\n大厅保持运行 the hall stays up；Ctrl-C 结束 to stop")
	printAddresses(out, h)
	printLogins(out, users)
	if *leave {
		return nil
	}
	// From here on the clock goes with the real one.
	go flow(ctx, clk)
	return h.Wait(ctx)
}

// flow lets a virtual clock follow the real one, from wherever it stands to now.
func flow(ctx context.Context, clk *clock.Virtual) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			clk.Set(now)
		case <-ctx.Done():
			return
		}
	}
}

// adminOf speaks as an administrator without a sign-in.
func adminOf(i *authn.Issuer) authn.TokenSource {
	return minted{i, authn.User{Login: "loader", Name: "样例装载", Roles: []string{"admin", "publisher"}}}
}

// minted is a token source for somebody made up.
type minted struct {
	issuer *authn.Issuer
	user   authn.User
}

// Token implements authn.TokenSource.
func (m minted) Token(context.Context) (string, error) { return m.issuer.Mint(m.user) }

// loaderOf is a loader into a hall of this process.
func loaderOf(h *stand.Hall, out io.Writer) (l *load.Loader, done func() error, err error) {
	conn, err := h.Runtime.Dialer.Dial("catalogue")
	if err != nil {
		return nil, nil, err
	}
	return &load.Loader{
		Catalogue: cataloguev1.NewCatalogueServiceClient(conn),
		Progress:  func(what string) { fmt.Fprintln(out, "  已装入", what) },
	}, conn.Close, nil
}

// loadProvince loads the halls, the directory, Huizhou in full and the services most
// asked for in the other cities.
func loadProvince(ctx context.Context, out io.Writer, client cataloguev1.CatalogueServiceClient) error {
	l := &load.Loader{Catalogue: client, Progress: func(what string) { fmt.Fprintln(out, "  已装入", what) }}
	if err := loadCity(ctx, l); err != nil {
		return err
	}
	return loadOthers(ctx, l)
}

// loadCity loads the halls, the directory and the demonstration's city in full.
func loadCity(ctx context.Context, l *load.Loader) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { _, err := l.Province(gctx); return err })
	g.Go(func() error { _, err := l.Directory(gctx); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	_, err := l.Huizhou(ctx)
	return err
}

// loadOthers loads the services most asked for in the other cities.
func loadOthers(ctx context.Context, l *load.Loader) error {
	var cities []sample.Division
	for _, d := range sample.Province() {
		if d.Level == sample.LevelCity && d.Code != demoCity {
			cities = append(cities, d)
		}
	}
	_, err := l.Core(ctx, cities...)
	return err
}

// walkDemo walks through the two cases over REST.
func walkDemo(ctx context.Context, out io.Writer, h *stand.Hall, clk *clock.Virtual) error {
	citizen, company := demoApplicants()
	w := walk.New(walk.Options{
		Gateway: h.Gateway, Token: h.Issuer.MintFor, Clock: clk, Out: out, City: demoCity,
		Citizen: walk.Applicant{User: citizen.User, Phone: citizen.Phone, Address: citizen.Address},
		Company: walk.Applicant{User: company.User, Phone: company.Phone, Address: company.Address},
	})
	return w.Run(ctx)
}
