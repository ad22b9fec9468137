package casework

import (
	"context"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
)

// licenses serves the electronic licenses of granted cases.
type licenses struct {
	caseworkv1.UnimplementedLicenseServiceServer
	s *Service
}

// IssueLicense tells that the electronic license of a finished case was issued.
func (x licenses) IssueLicense(ctx context.Context, req *caseworkv1.IssueLicenseRequest) (*caseworkv1.Case, error) {
	l := &caseworkv1.License{}
	return x.s.perform(ctx, step{
		rpc: "IssueLicense", event: "case.licensed", command: rules.IssueLicense,
		request: req, etag: req.GetEtag(), happened: req.GetHappenedAt(),
		input: func(*turn) (in rules.Input, err error) {
			if l.LicenseNo, err = line("license_no", req.GetLicenseNo(), 100); err != nil {
				return in, err
			}
			l.LicenseName, err = line("license_name", req.GetLicenseName(), 200)
			return in, err
		},
		effect: func(t *turn) {
			l.Officer, l.IssueTime = t.access.Subject, stamp(t.at())
			t.c.License = l
		},
	})
}
