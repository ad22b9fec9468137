package casework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	"github.com/onehall/onehall/services/casework/internal/filetype"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// CompleteUpload checks what has arrived and makes a material of it.
func (s *Service) CompleteUpload(ctx context.Context, req *caseworkv1.CompleteUploadRequest) (*caseworkv1.Material, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	row, u, err := s.ownUpload(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	r := newRequest(a, hallOf(u.GetCase()), "CompleteUpload", req)
	switch now := s.clock.Now(); {
	case !stillOpen(row, now):
		return s.materialAnswer(ctx, nil, s.refused(ctx, r, fault.UploadEnded.New()))
	case row.Received != row.Size:
		return nil, fault.UploadIncomplete.New(fault.Meta("offset", strconv.FormatInt(row.Received, 10)))
	}
	free, err := s.files.move(ctx)
	if err != nil {
		return nil, err
	}
	defer free()
	m, key, err := s.takeIn(ctx, u, row, req.GetSha256())
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		err = s.keep(ctx, a, r, u, row.Owner, m, key)
		if !errors.Is(err, fault.Conflict) || try == conflictTries {
			break
		}
	}
	if errors.Is(err, fault.UploadEnded) {
		err = s.refused(ctx, r, err) // this call's first try ended it, perhaps
	}
	s.emptyTrashSoon()
	return s.materialAnswer(ctx, m, err)
}

// move takes a place among the files on the move, or refuses at once.
func (f *files) move(ctx context.Context) (free func(), err error) {
	select {
	case f.moving <- struct{}{}:
		return func() { <-f.moving }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	default:
		return nil, fault.TooManyRequests.New(fault.RetryAfter(2 * time.Second))
	}
}

// takeIn puts the pieces together, looks at what they make, and stores it under a key of
// its own. When it returns, the bytes survive whatever happens to this process.
func (s *Service) takeIn(ctx context.Context, u *caseworkv1.Upload, row store.Upload, sum string) (m *caseworkv1.Material, key string, err error) {
	t, err := s.files.temp()
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	got, err := s.assemble(ctx, row, t)
	if err != nil {
		return nil, "", err
	}
	for _, claimed := range []string{u.GetSha256(), sum} {
		if claimed != "" && claimed != got {
			return nil, "", fault.FileHashMismatch.New(fault.Field("sha256"))
		}
	}
	m = &caseworkv1.Material{
		FileName: u.GetFileName(), Size: row.Size, Sha256: got, Case: u.GetCase(), MaterialId: u.GetMaterialId(), ValidUntil: u.GetValidUntil(),
		TrustLevel: caseworkv1.TrustLevel_TRUST_LEVEL_UPLOADED,
	}
	kind, err := s.classify(ctx, u, m, t)
	if err != nil {
		return nil, "", err
	}
	m.MediaType = kind.MediaType
	if _, err := t.Seek(0, io.SeekStart); err != nil {
		return nil, "", fmt.Errorf("casework: %w", err)
	}
	now := s.clock.Now()
	key = blob.NewKey(now)
	m.Name, m.CreateTime = "materials/"+key, stamp(now)
	return m, key, s.files.store.Put(ctx, key, t, row.Size)
}

// assemble writes the pieces of an upload to t, and says what they hash to.
func (s *Service) assemble(ctx context.Context, row store.Upload, t *os.File) (string, error) {
	parts, err := store.Parts(ctx, s.db.Read(), row.Name)
	if err != nil {
		return "", err
	}
	h, at := sha256.New(), int64(0)
	for _, p := range parts {
		if p.Start != at {
			return "", fmt.Errorf("casework: %s has a gap at %d", row.Name, at)
		}
		n, err := s.copyBlob(ctx, p.Blob, io.MultiWriter(t, h))
		if err != nil {
			return "", err
		}
		if at += n; n != p.Size {
			return "", fault.FileDamaged.New(fault.Cause(fmt.Errorf("%s: part at %d has %d bytes", row.Name, p.Start, n)))
		}
	}
	if at != row.Size {
		return "", fmt.Errorf("casework: %s has %d bytes of %d", row.Name, at, row.Size)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// copyBlob writes what is stored under a key.
func (s *Service) copyBlob(ctx context.Context, key string, w io.Writer) (n int64, err error) {
	r, err := s.files.store.Open(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("casework: %w", err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if n, err = io.Copy(w, r); err != nil {
		return n, fmt.Errorf("casework: %w", err)
	}
	return n, nil
}

// classify finds out what a file is, and how far it may be relied upon.
func (s *Service) classify(ctx context.Context, u *caseworkv1.Upload, m *caseworkv1.Material, t *os.File) (*filetype.Kind, error) {
	claim := filetype.Claim{Name: u.GetFileName(), MediaType: u.GetMediaType()}
	if u.GetCase() != "" {
		_, c, err := s.stored(ctx, lastPart(u.GetCase()))
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, fault.NotFound.New()
		}
		if u.GetIssued() {
			m.TrustLevel, m.Provider = caseworkv1.TrustLevel_TRUST_LEVEL_ISSUED, c.GetDepartment()
			m.DisplayName, m.Watermark = c.GetItemTitle(), watermark("签发", hallOf(c.GetName()), s.clock.Now(), m.GetValidUntil())
		} else {
			asked, err := s.askedFor(c, u.GetMaterialId())
			if err != nil {
				return nil, err
			}
			m.DisplayName, claim.Kinds = asked.Title, asked.Kinds
			m.TrustLevel = caseworkv1.TrustLevel(rules.TrustAt(rules.Uploaded, asked.Source))
		}
	}
	return filetype.Check(t, m.GetSize(), claim)
}

// keep writes the material, and the draft that it is for, in one transaction with the end
// of the upload. It is fault.Conflict when the draft was changed meanwhile.
func (s *Service) keep(ctx context.Context, a authn.Access, r request, u *caseworkv1.Upload, owner string, m *caseworkv1.Material, key string) error {
	now := s.clock.Now()
	m.Etag, m.Usable = feed.Etag(m.GetName(), 1), s.usable(m)
	event := "material.uploaded"
	if u.GetIssued() {
		event = "material.issued"
	}
	ended := proto.CloneOf(u)
	ended.State, ended.Material = caseworkv1.UploadState_UPLOAD_STATE_COMPLETED, m.GetName()
	endedData, err := proto.Marshal(ended)
	if err != nil {
		return fmt.Errorf("casework: upload: %w", err)
	}
	row, err := materialRow(m, owner, 1, now.AddDate(0, 0, s.files.cfg.UnusedDays))
	if err != nil {
		return err
	}
	into, err := s.attachment(ctx, a, u, m, now)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, owner, func(ctx context.Context, tx *db.Tx) error {
		ok, err := store.EndUpload(ctx, tx, u.GetName(), int64(ended.GetState()), endedData)
		if err != nil {
			return err
		}
		if !ok {
			return fault.UploadEnded.New()
		}
		if err := store.HoldBlob(ctx, tx, owner, m.GetSha256(), key, m.GetSize()); err != nil {
			return err
		}
		if err := store.InsertMaterial(ctx, tx, row); err != nil {
			return err
		}
		_, err = feed.Append(ctx, tx, feed.Draft{
			Subject: m.GetName(), Sequence: 1, Type: event, Resource: nameless(m), Actor: a.Subject, ActorDepartment: a.Department,
			RequestKey: r.key, RequestHash: r.hash,
		})
		if err != nil || into == nil {
			return err
		}
		return into(ctx, tx)
	})
}

// attachment puts a material into the draft that it is for; nil where there is none.
func (s *Service) attachment(ctx context.Context, a authn.Access, u *caseworkv1.Upload, m *caseworkv1.Material, now time.Time) (func(context.Context, *db.Tx) error, error) {
	if u.GetCase() == "" || u.GetIssued() {
		return nil, nil
	}
	old, c, err := s.stored(ctx, lastPart(u.GetCase()))
	if err != nil || c == nil || c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT {
		return nil, err // a supplement is handed in as a whole, by ReceiveSupplement
	}
	item, err := s.itemOfCase(c)
	if err != nil {
		return nil, err
	}
	x := &caseworkv1.CaseMaterial{MaterialId: u.GetMaterialId(), DisplayName: m.GetDisplayName(), Copies: 1}
	takeFile(x, m, item)
	place(c, x)
	if err := checkMaterials(item, c.GetMaterials(), false); err != nil {
		return nil, err
	}
	after, err := rules.Apply(factsOf(c, old.Happened), rules.Input{Command: rules.Update, Actor: a.Subject, Now: now})
	if err != nil {
		return nil, err
	}
	c.UpdateTime, c.Etag = stamp(now), feed.Etag(c.GetName(), old.Seq+1)
	next, err := s.row(c, after, old.Seq+1)
	if err != nil {
		return nil, err
	}
	shown := masked(c)
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{
			Subject: c.GetName(), Sequence: next.Seq, Type: "case.material_attached", Resource: shown, Actor: a.Subject, ActorDepartment: a.Department, HappenedAt: after.Last,
		})
		if err != nil {
			return err
		}
		if err := store.UseMaterial(ctx, tx, m.GetName(), c.GetName()); err != nil {
			return err
		}
		return store.Save(ctx, tx, old, next)
	}, nil
}

// place puts a material in the stead of the one of the same id, or at the end.
func place(c *caseworkv1.Case, x *caseworkv1.CaseMaterial) {
	for i, m := range c.GetMaterials() {
		if m.GetMaterialId() == x.GetMaterialId() {
			c.Materials[i] = x
			return
		}
	}
	c.Materials = append(c.Materials, x)
}

// nameless is a material as events carry it: a file's name may name a person.
func nameless(m *caseworkv1.Material) *caseworkv1.Material {
	out := proto.CloneOf(m)
	out.FileName = ""
	return out
}

func materialRow(m *caseworkv1.Material, owner string, seq int64, keep time.Time) (store.Material, error) {
	data, err := proto.Marshal(m)
	if err != nil {
		return store.Material{}, fmt.Errorf("casework: material: %w", err)
	}
	return store.Material{Name: m.GetName(), Owner: owner, SHA256: m.GetSha256(), Live: true, KeepUntil: keep, Seq: seq, Data: data}, nil
}

// materialAnswer is the material that a request led to: m, or when it was carried out
// before the one of its event, with the file's name that no event has.
func (s *Service) materialAnswer(ctx context.Context, m *caseworkv1.Material, err error) (*caseworkv1.Material, error) {
	if err == nil {
		return m, nil
	}
	e, ok := feed.Replayed(err)
	if !ok {
		return nil, err
	}
	then, err := ofEvent(e)
	if err != nil {
		return nil, err
	}
	row, _, err := store.GetMaterial(ctx, s.db.Read(), e.GetSubject())
	if err != nil {
		return nil, err
	}
	kept, err := materialOf(row)
	if err != nil {
		return nil, err
	}
	then.FileName = kept.GetFileName()
	return then, nil
}

// ofEvent is the material that an event left behind.
func ofEvent(e *feedv1.Event) (*caseworkv1.Material, error) {
	m := &caseworkv1.Material{}
	if err := proto.Unmarshal(e.GetResource(), m); err != nil {
		return nil, fmt.Errorf("casework: material of event %d of %s: %w", e.GetSequence(), e.GetSubject(), err)
	}
	return m, nil
}
