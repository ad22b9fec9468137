package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/rpc"
)

// authority signs certificates for the tests.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{dir: t.TempDir(), key: key}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(t, "ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// files issues a certificate for a role and returns the configuration for it.
func (a *authority) files(t *testing.T, role string) rpc.TLSConfig {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: role}, DNSNames: []string{role},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return rpc.TLSConfig{
		Cert: a.write(t, role+".pem", "CERTIFICATE", cert), Key: a.write(t, role+".key", "PRIVATE KEY", der),
		CA: filepath.Join(a.dir, "ca.pem"),
	}
}

func TestMutualTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	srv := newServer(t, rpc.ServerOptions{Role: "casework", Verifier: everybody, Clock: clock.System(), TLS: ours.files(t, "casework")})
	srv.RegisterService(serviceDesc(testService), &testServer{func(context.Context, string, *dynamicpb.Message) error { return nil }})
	addr := listen(t, srv)
	srv.SetServing(true)

	for _, tc := range []struct {
		name, role string
		client     rpc.TLSConfig
		ok         bool
	}{
		{"a peer of the deployment", "casework", ours.files(t, "gateway"), true},
		{"a peer of another deployment", "casework", theirs.files(t, "gateway"), false},
		{"no certificate", "casework", rpc.TLSConfig{}, false},
		{"the port belongs to another role", "catalogue", ours.files(t, "gateway"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := manual.NewBuilderWithScheme("onehall")
			r.InitialState(resolver.State{Endpoints: []resolver.Endpoint{{Addresses: []resolver.Address{{Addr: addr}}}}})
			d, err := rpc.NewDialer(rpc.DialerOptions{Resolver: r, TLS: tc.client})
			if err != nil {
				t.Fatal(err)
			}
			conn, err := d.Dial(tc.role)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(as(t.Context(), "officer"), 2*time.Second)
			defer cancel()
			err = conn.Invoke(ctx, "/"+testService+"/Change", dynamicpb.NewMessage(thing), dynamicpb.NewMessage(thing))
			if (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTLSConfigRefused(t *testing.T) {
	good := newAuthority(t).files(t, "x")
	for name, cfg := range map[string]rpc.TLSConfig{
		"only a certificate": {Cert: good.Cert},
		"no such file":       {Cert: good.Cert, Key: good.Key, CA: good.CA + ".none"},
		"authority is a key": {Cert: good.Cert, Key: good.Key, CA: good.Key},
		"key of another":     {Cert: good.Cert, Key: newAuthority(t).files(t, "x").Key, CA: good.CA},
	} {
		if _, err := cfg.ServerCredentials(); err == nil {
			t.Errorf("server: %s", name)
		}
		if _, err := cfg.Client(); err == nil {
			t.Errorf("client: %s", name)
		}
	}
}
