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

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/restclient"
)

// remote are the flags of a command that calls a running hall over REST.
type remote struct {
	gateway, issuer, user, password *string
}

func remoteFlags(s *settings) remote {
	return remote{
		gateway:  s.flags.String("gateway", "http://127.0.0.1:8080", "address of the hall"),
		issuer:   s.flags.String("issuer", "http://127.0.0.1:8081", "address of the issuer"),
		user:     s.flags.String("user", "hall-admin-1", "who calls"),
		password: s.flags.String("password", demoPassword, "the password, or @file to read it from a file"),
	}
}

func (r remote) client() (*restclient.Client, error) {
	password := *r.password
	if path, ok := strings.CutPrefix(password, "@"); ok {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		password = strings.TrimSpace(string(raw))
	}
	return &restclient.Client{
		Base: strings.TrimSuffix(*r.gateway, "/"), HTTP: restclient.Pool(8),
		Token: restclient.Login(strings.TrimSuffix(*r.issuer, "/"), *r.user, password, time.Now),
	}, nil
}

// importItems checks a list and, unless only asked to check, imports it.
func importItems(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("import", out)
	r := remoteFlags(s)
	department := s.flags.String("department", "", "halls/{division}/departments/{department}")
	dry := s.flags.Bool("dry-run", false, "only check")
	if err := s.flags.Parse(args); err != nil {
		return err
	}
	path, err := oneArgument(s.flags, "file")
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	req := &cataloguev1.ImportItemsRequest{Content: content, DryRun: *dry, RequestId: uuid.NewString()}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		req.Format = cataloguev1.ImportFormat_IMPORT_FORMAT_CSV
	case ".xlsx":
		req.Format = cataloguev1.ImportFormat_IMPORT_FORMAT_XLSX
	default:
		return fmt.Errorf("%s is neither .csv nor .xlsx", path)
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	resp := &cataloguev1.ImportItemsResponse{}
	if err := client.Post(ctx, "/v1/"+*department+"/items:import", req, resp); err != nil {
		return err
	}
	return tellImport(out, resp)
}

func tellImport(out io.Writer, resp *cataloguev1.ImportItemsResponse) error {
	failed := false
	for _, e := range resp.GetErrors() {
		mark := "warning"
		if e.GetSeverity() == cataloguev1.Severity_SEVERITY_ERROR {
			mark, failed = "error", true
		}
		fmt.Fprintf(out, "row %d, column %s: %s %s %s\n", e.GetRow(), e.GetColumn(), mark, e.GetReason(), e.GetMessage())
	}
	fmt.Fprintf(out, "%d rows: %d new, %d changed, %d the same\n", resp.GetRows(), resp.GetCreated(), resp.GetUpdated(), resp.GetUnchanged())
	switch {
	case failed:
		return errors.New("nothing was imported")
	case resp.GetApplied():
		fmt.Fprintln(out, "imported as drafts")
	default:
		fmt.Fprintln(out, "checked only")
	}
	return nil
}

// loadSample brings the sample province into a running hall over REST.
func loadSample(ctx context.Context, out io.Writer, args []string) error {
	s := newFlags("load", out)
	r := remoteFlags(s)
	if err := s.flags.Parse(args); err != nil {
		return err
	}
	client, err := r.client()
	if err != nil {
		return err
	}
	return loadProvince(ctx, out, restCatalogue{client: client})
}

// print writes a message as JSON for people.
func printJSON(out io.Writer, m proto.Message) error {
	b, err := protojson.MarshalOptions{Multiline: true}.Marshal(m)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(b))
	return err
}
