package casework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/filetype"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

// CreateUpload begins an upload.
func (s *Service) CreateUpload(ctx context.Context, req *caseworkv1.CreateUploadRequest) (*caseworkv1.Upload, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	sent := req.GetUpload()
	u := &caseworkv1.Upload{
		Name: "uploads/" + blob.NewKey(now), Case: sent.GetCase(), MaterialId: sent.GetMaterialId(), FileName: filetype.CleanName(sent.GetFileName()),
		Size: sent.GetSize(), MediaType: sent.GetMediaType(), Sha256: sent.GetSha256(), Issued: sent.GetIssued(), ValidUntil: sent.GetValidUntil(),
		State: caseworkv1.UploadState_UPLOAD_STATE_OPEN, CreateTime: stamp(now), ExpireTime: stamp(now.Add(s.files.cfg.UploadLife)),
	}
	r := newRequest(a, hallOf(sent.GetCase()), "CreateUpload", req)
	owner, err := s.admitUpload(ctx, a, u)
	if err != nil {
		// A repeated call gets its answer even when the case has gone on since.
		again, lookErr := s.begun(ctx, r, a.Subject)
		if again == nil {
			return nil, errors.Join(err, lookErr)
		}
		return again, nil
	}
	data, err := proto.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("casework: upload: %w", err)
	}
	row := store.Upload{
		Name: u.GetName(), Owner: owner, Creator: a.Subject, RequestHash: r.hash, Size: u.GetSize(), Expires: now.Add(s.files.cfg.UploadLife), Data: data,
	}
	err = s.db.Write(ctx, owner, func(ctx context.Context, tx *db.Tx) error {
		if _, found, err := store.UploadOf(ctx, tx, r.key); err != nil || found {
			return errors.Join(err, errBegun)
		}
		if err := s.withinQuota(ctx, tx, owner, u.GetSize()); err != nil {
			return err
		}
		fresh, err := store.InsertUpload(ctx, tx, row, r.key)
		if err == nil && !fresh {
			err = errBegun
		}
		return err
	})
	if errors.Is(err, errBegun) {
		return s.begun(ctx, r, a.Subject)
	}
	if err != nil {
		return nil, err
	}
	return s.linked(u, a.Subject, now), nil
}

// errBegun tells that the request began an upload before.
var errBegun = errors.New("casework: upload was begun before")

// begun is the answer to a request that began an upload before; nil when it did not.
func (s *Service) begun(ctx context.Context, r request, subject string) (*caseworkv1.Upload, error) {
	row, found, err := store.UploadOf(ctx, s.db.Read(), r.key)
	if err != nil || !found {
		return nil, err
	}
	if !bytes.Equal(row.RequestHash, r.hash) {
		return nil, fault.RequestIDReused.New(fault.Field("request_id"))
	}
	u, err := uploadOf(row)
	if err != nil {
		return nil, err
	}
	// As it was answered then: GetUpload tells what has become of it.
	u.State, u.Material = caseworkv1.UploadState_UPLOAD_STATE_OPEN, ""
	return s.linked(u, subject, timeOf(u.GetCreateTime())), nil
}

// uploadOf reads a stored upload, without how far it has come.
func uploadOf(row store.Upload) (*caseworkv1.Upload, error) {
	u := &caseworkv1.Upload{}
	if err := proto.Unmarshal(row.Data, u); err != nil {
		return nil, fmt.Errorf("casework: stored %s: %w", row.Name, err)
	}
	return u, nil
}

// withinQuota refuses what would make somebody keep too much.
func (s *Service) withinQuota(ctx context.Context, q db.Querier, owner string, size int64) error {
	has, err := store.OwnedBy(ctx, q, owner)
	if err != nil {
		return err
	}
	if has.Uploads >= int64(s.files.cfg.OwnerUploads) || has.Announced+has.Kept+size > s.files.cfg.OwnerBytes {
		return fault.UploadQuota.New()
	}
	return nil
}

// admitUpload decides whether the caller may send this file, and whose it becomes.
func (s *Service) admitUpload(ctx context.Context, a authn.Access, u *caseworkv1.Upload) (owner string, err error) {
	max := s.files.cfg.MaxBytes
	if u.GetCase() == "" {
		// The caller's own page: staff have none.
		if !mayOwn(a) || u.GetIssued() || u.GetMaterialId() != "" {
			return "", fault.FieldRequired.New(fault.Field("upload.case"))
		}
		return a.IdentityKey, sized(u, max)
	}
	_, c, v, err := s.load(ctx, a, u.GetCase())
	if err != nil {
		return "", err
	}
	if u.GetIssued() {
		return c.GetApplicantKey(), errors.Join(s.mayIssue(a, v.asApplicant, c, u), sized(u, max))
	}
	if !v.asApplicant && !atWindow(a) {
		return "", fault.InvalidArgument.New(fault.Field("upload.issued"))
	}
	if u.GetValidUntil() != "" {
		return "", fault.InvalidArgument.New(fault.Field("upload.valid_until"))
	}
	if !takesFiles(c, u.GetMaterialId()) {
		return "", wrongState(c)
	}
	asked, err := s.askedFor(c, u.GetMaterialId())
	if err != nil {
		return "", err
	}
	if asked.MaxBytes > 0 {
		max = asked.MaxBytes
	}
	return c.GetApplicantKey(), sized(u, max)
}

// takesFiles reports a case for which this material may still be handed in: a draft, one
// that waits for a supplement, or one that was accepted without it.
func takesFiles(c *caseworkv1.Case, material string) bool {
	if st := c.GetState(); st == caseworkv1.CaseState_CASE_STATE_DRAFT || st == caseworkv1.CaseState_CASE_STATE_SUPPLEMENTING {
		return true
	}
	return slices.ContainsFunc(c.GetGaps(), func(g *caseworkv1.MaterialGap) bool {
		return g.GetMaterialId() == material && g.GetFillTime() == nil
	})
}

func wrongState(c *caseworkv1.Case) error {
	return fault.CaseWrongState.New(fault.Meta("state", rules.State(c.GetState()).String()))
}

// mayIssue is for officers who hand the applicant what the agency issued.
func (s *Service) mayIssue(a authn.Access, asApplicant bool, c *caseworkv1.Case, u *caseworkv1.Upload) error {
	if asApplicant || !a.Has(optionsv1.Role_ROLE_OFFICER) {
		return fault.InvalidArgument.New(fault.Field("upload.issued"))
	}
	if day := u.GetValidUntil(); day != "" {
		if _, err := workday.ParseDate(day); err != nil || over(day, s.clock.Now()) {
			return fault.InvalidArgument.New(fault.Field("upload.valid_until"))
		}
	}
	issuing := []caseworkv1.CaseState{caseworkv1.CaseState_CASE_STATE_DECIDED, caseworkv1.CaseState_CASE_STATE_FINISHED, caseworkv1.CaseState_CASE_STATE_COLLECTED}
	if !slices.Contains(issuing, c.GetState()) {
		return wrongState(c)
	}
	return nil
}

// askedFor is the material of the case's guide.
func (s *Service) askedFor(c *caseworkv1.Case, id string) (rules.ItemMaterial, error) {
	item, err := s.itemOfCase(c)
	if err != nil {
		return rules.ItemMaterial{}, err
	}
	for _, m := range item.Materials {
		if m.ID == id {
			return m, nil
		}
	}
	return rules.ItemMaterial{}, fault.MaterialUnknown.New(fault.Field("upload.material_id"))
}

func sized(u *caseworkv1.Upload, max int64) error {
	if u.GetSize() == 0 {
		return fault.FileEmpty.New(fault.Field("upload.size"))
	}
	if u.GetSize() > max {
		return fault.FileTooLarge.New(fault.Field("upload.size"), fault.Meta("max", strconv.FormatInt(max, 10)))
	}
	return nil
}

// GetUpload tells how far an upload is and gives a fresh link.
func (s *Service) GetUpload(ctx context.Context, req *caseworkv1.GetUploadRequest) (*caseworkv1.Upload, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	row, u, err := s.ownUpload(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	u.Offset, u.ExpireTime = row.Received, stamp(row.Expires)
	now := s.clock.Now()
	if !stillOpen(row, now) {
		if u.GetState() == caseworkv1.UploadState_UPLOAD_STATE_OPEN {
			u.State = caseworkv1.UploadState_UPLOAD_STATE_EXPIRED
		}
		return u, nil
	}
	return s.linked(u, a.Subject, now), nil
}

// ownUpload is an upload that the caller began, or that is for a case within its reach;
// no other exists to it.
func (s *Service) ownUpload(ctx context.Context, a authn.Access, name string) (store.Upload, *caseworkv1.Upload, error) {
	row, found, err := store.GetUpload(ctx, s.db.Read(), name)
	if err != nil {
		return row, nil, err
	}
	if !found {
		return row, nil, fault.NotFound.New()
	}
	u, err := uploadOf(row)
	if err != nil || row.Creator == a.Subject {
		return row, u, err
	}
	if u.GetCase() == "" {
		return row, nil, fault.NotFound.New()
	}
	_, _, _, err = s.load(ctx, a, u.GetCase())
	return row, u, err
}

// linked is the upload with a link that works from then on for a while.
func (s *Service) linked(u *caseworkv1.Upload, subject string, from time.Time) *caseworkv1.Upload {
	until := from.Add(s.files.cfg.UploadLink)
	u.Link, u.LinkExpireTime = s.files.links.make(u.GetName(), subject, until), stamp(until)
	return u
}

// CancelUpload gives an upload up.
func (s *Service) CancelUpload(ctx context.Context, req *caseworkv1.CancelUploadRequest) (*caseworkv1.Upload, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	row, u, err := s.ownUpload(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	u.Offset = row.Received
	if u.GetState() == caseworkv1.UploadState_UPLOAD_STATE_CANCELLED {
		return u, nil // once is as good as twice
	}
	u.State = caseworkv1.UploadState_UPLOAD_STATE_CANCELLED
	if err := s.endUpload(ctx, u); err != nil {
		return nil, err
	}
	s.emptyTrashSoon()
	return u, nil
}

// endUpload ends an open upload in the state it is given in.
func (s *Service) endUpload(ctx context.Context, u *caseworkv1.Upload) error {
	data, err := proto.Marshal(u)
	if err != nil {
		return fmt.Errorf("casework: upload: %w", err)
	}
	return s.db.Write(ctx, u.GetName(), func(ctx context.Context, tx *db.Tx) error {
		ended, err := store.EndUpload(ctx, tx, u.GetName(), int64(u.GetState()), data)
		if err == nil && !ended {
			err = fault.UploadEnded.New()
		}
		return err
	})
}

// stillOpen reports an upload that may still be gone on with.
func stillOpen(row store.Upload, now time.Time) bool {
	return row.State == int64(caseworkv1.UploadState_UPLOAD_STATE_OPEN) && now.Before(row.Expires)
}
