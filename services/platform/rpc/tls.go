package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// TLSConfig names the files of mutual TLS. Without files, traffic is plain and
// allowed on loopback only, unless Insecure says that the network between the
// processes is protected by other means.
type TLSConfig struct {
	// Cert and Key are this process's certificate chain and key, PEM. The
	// certificate must name the role as a DNS name.
	Cert string `koanf:"cert"`
	Key  string `koanf:"key"`
	// CA is the authority that signs all processes of the deployment, PEM.
	CA string `koanf:"ca"`
	// Insecure allows plain traffic beyond loopback.
	Insecure bool `koanf:"insecure"`
}

// Enabled reports whether files are configured.
func (c TLSConfig) Enabled() bool { return c.Cert != "" || c.Key != "" || c.CA != "" }

func (c TLSConfig) load() (*x509.CertPool, func() (*tls.Certificate, error), error) {
	if c.Cert == "" || c.Key == "" || c.CA == "" {
		return nil, nil, errors.New("rpc: TLS needs cert, key and ca together")
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, nil, fmt.Errorf("rpc: TLS authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("rpc: TLS authority %s holds no certificate", c.CA)
	}
	// Read at every handshake: certificates are renewed under a running
	// process, and handshakes are rare.
	pair := func() (*tls.Certificate, error) {
		cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("rpc: TLS certificate: %w", err)
		}
		return &cert, nil
	}
	if _, err := pair(); err != nil {
		return nil, nil, err
	}
	return pool, pair, nil
}

// ServerCredentials are the credentials of a listener: mutual TLS, or plain.
func (c TLSConfig) ServerCredentials() (credentials.TransportCredentials, error) {
	if !c.Enabled() {
		return insecure.NewCredentials(), nil
	}
	cfg, err := c.server()
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(cfg), nil
}

func (c TLSConfig) server() (*tls.Config, error) {
	pool, pair, err := c.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair() },
	}, nil
}

// Listen opens a listener between processes for something else than gRPC, by the same
// rules: mutual TLS, or plain on loopback.
func (c TLSConfig) Listen(addr string) (net.Listener, error) {
	lis, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := c.checkListener(lis.Addr()); err != nil {
		return nil, errors.Join(err, lis.Close())
	}
	if !c.Enabled() {
		return lis, nil
	}
	cfg, err := c.server()
	if err != nil {
		return nil, errors.Join(err, lis.Close())
	}
	cfg.NextProtos = []string{"http/1.1"}
	return tls.NewListener(lis, cfg), nil
}

// DialContext is for a client of such a listener: it refuses to connect plainly beyond
// loopback.
func (c TLSConfig) DialContext(ctx context.Context, _, addr string) (net.Conn, error) {
	return c.dialContext(ctx, addr)
}

// Client is the client side of mutual TLS; nil when no files are configured.
func (c TLSConfig) Client() (*tls.Config, error) {
	if !c.Enabled() {
		return nil, nil
	}
	pool, pair, err := c.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair() },
	}, nil
}

var errPlain = errors.New("plain traffic is allowed on loopback only; configure TLS or set insecure")

// checkListener refuses to serve plainly beyond loopback.
func (c TLSConfig) checkListener(addr net.Addr) error {
	tcp, ok := addr.(*net.TCPAddr)
	if c.Enabled() || c.Insecure || !ok || tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("rpc: listen on %s: %w", addr, errPlain)
}

// dialContext refuses to connect plainly beyond loopback. It looks at the
// address reached, not at the name asked for.
func (c TLSConfig) dialContext(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil || c.Enabled() || c.Insecure {
		return conn, err
	}
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return conn, nil
	}
	return nil, errors.Join(fmt.Errorf("rpc: dial %s: %w", addr, errPlain), conn.Close())
}
