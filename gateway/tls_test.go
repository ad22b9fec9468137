package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onehall/onehall/gateway"
)

// certificate writes a key pair for 127.0.0.1 and returns who trusts it.
func certificate(t *testing.T) (cert, key string, trust *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust = x509.NewCertPool()
	trust.AddCert(parsed)
	return cert, key, trust
}

// Over TLS the same holds, by HTTP/2: answers, streams, deadlines of their own.
func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, trust := certificate(t)
	tw := start(t, nil)
	cfg := gateway.DefaultConfig()
	cfg.Cert, cfg.Key = cert, key
	gw, err := gateway.New(t.Context(), cfg, tw.house.Runtime)
	if err != nil {
		t.Fatal(err)
	}
	tw.stop() // the plain one
	secure := &town{calls: tw.calls, house: tw.house, gw: gw}
	secure.serve(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]string{
		"/v1/halls/441300":             "惠州市",
		"/v1/halls/441300/cards:watch": `{"end":{"position":"3"}}`,
		"/":                            "个人办事",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+secure.addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(path, "/v1/") {
			req.Header.Set("Authorization", "Bearer "+tw.token(t, "watch"))
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.ProtoMajor != 2 || !strings.Contains(string(body), want) {
			t.Errorf("%s: HTTP/%d %d %v %s", path, res.ProtoMajor, res.StatusCode, err, body)
		}
		if res.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: no HSTS", path)
		}
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, MaxVersion: tls.VersionTLS11}}}
	if res, err := old.Get("https://" + secure.addr + "/"); err == nil {
		res.Body.Close()
		t.Error("TLS 1.1 was accepted")
	}
}
