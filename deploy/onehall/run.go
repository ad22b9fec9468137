package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
)

// up runs all roles in this process until it is told to stop.
func up(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("up", out)
	s.flags.String("issuer.listen", "", "address of the built-in issuer")
	c := stand.DefaultConfig()
	if err := s.load(args, &c); err != nil {
		return err
	}
	p, err := params(c, clock.System())
	if err != nil {
		return err
	}
	users := demoUsers()
	h, err := stand.Up(ctx, c, p, users)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "The hall is up.")
	printAddresses(out, h)
	printLogins(out, users)
	return errors.Join(h.Wait(ctx), h.Stop())
}

// serve runs one role.
func serve(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("serve", out)
	c := stand.DefaultConfig()
	if err := s.load(args, &c); err != nil {
		return err
	}
	role, err := oneArgument(s.flags, "role")
	if err != nil {
		return err
	}
	p, err := params(c, clock.System())
	if err != nil {
		return err
	}
	return stand.Serve(ctx, role, c, p)
}

// migrate applies the migrations of all services.
func migrate(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("migrate", out)
	c := stand.DefaultConfig()
	if err := s.load(args, &c); err != nil {
		return err
	}
	return stand.Migrate(ctx, c, func(role string) {
		fmt.Fprintln(out, role, "is up to date")
	})
}

// issuer runs the built-in issuer as a process of its own.
func issuer(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("issuer", out)
	c := stand.DefaultConfig()
	if err := s.load(args, &c); err != nil {
		return err
	}
	lis, err := net.Listen("tcp", c.Issuer.Listen)
	if err != nil {
		return err
	}
	url := "http://" + lis.Addr().String()
	i, err := authn.NewIssuer(stand.IssuerOf(c, url, demoUsers(), slog.Default()), clock.System())
	if err != nil {
		return errors.Join(err, lis.Close())
	}
	srv := &http.Server{Handler: i, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })() // Serve's return tells
	fmt.Fprintln(out, "issuer", url)
	if err := srv.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func printAddresses(out io.Writer, h *stand.Hall) {
	fmt.Fprintf(out, "  网页 pages      %s/\n", h.Gateway)
	fmt.Fprintf(out, "  接口 API        %s/docs\n", h.Gateway)
	fmt.Fprintf(out, "  登录 sign-in    %s\n", h.IssuerURL)
	if a := h.Runtime.AdminAddr; a != nil {
		fmt.Fprintf(out, "  运维 operations http://%s/metrics\n", a)
	}
}
