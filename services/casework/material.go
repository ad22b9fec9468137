package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	optionsv1 "github.com/onehall/onehall/proto/gen/onehall/options/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/platform/workday"
)

// usable reports whether a new application may rely on a material today.
func (s *Service) usable(m *caseworkv1.Material) bool {
	return m.GetDeleteTime() == nil && rules.Trust(m.GetTrustLevel()).Usable() && !over(m.GetValidUntil(), s.clock.Now())
}

// loadMaterial reads a material that the caller may see: its own, or one that a case
// within its reach uses. No other exists to it.
func (s *Service) loadMaterial(ctx context.Context, a authn.Access, name string) (store.Material, *caseworkv1.Material, error) {
	row, found, err := store.GetMaterial(ctx, s.db.Read(), name)
	if err != nil {
		return row, nil, err
	}
	if !found {
		return row, nil, fault.NotFound.New()
	}
	own := mayOwn(a) && a.IdentityKey == row.Owner
	if !own {
		if own, err = s.usedWithin(ctx, a, name); err != nil {
			return row, nil, err
		}
	}
	if !own {
		return row, nil, fault.NotFound.New()
	}
	m, err := materialOf(row)
	return row, m, err
}

// usedWithin reports whether a case that the caller reaches by its office uses a material.
func (s *Service) usedWithin(ctx context.Context, a authn.Access, material string) (bool, error) {
	if a.Scope == optionsv1.Scope_SCOPE_OWN {
		return false, nil
	}
	names, err := store.Uses(ctx, s.db.Read(), material)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		_, c, err := s.stored(ctx, lastPart(name))
		if err != nil {
			return false, err
		}
		if c == nil || !holds(c, material) {
			continue // it was in the draft once
		}
		if asApplicant, ok := reach(a, c); ok && !asApplicant {
			return true, nil
		}
	}
	return false, nil
}

// holds reports whether a case has a material now.
func holds(c *caseworkv1.Case, material string) bool {
	return slices.ContainsFunc(c.GetMaterials(), func(m *caseworkv1.CaseMaterial) bool { return m.GetMaterial() == material })
}

// GetMaterial reads a material.
func (s *Service) GetMaterial(ctx context.Context, req *caseworkv1.GetMaterialRequest) (*caseworkv1.Material, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	_, m, err := s.loadMaterial(ctx, a, req.GetName())
	if err != nil {
		return nil, err
	}
	m.Usable = s.usable(m)
	return m, nil
}

// ListMaterials lists the caller's own materials, newest first.
func (s *Service) ListMaterials(ctx context.Context, req *caseworkv1.ListMaterialsRequest) (*caseworkv1.ListMaterialsResponse, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	size, err := page.Size(req.GetPageSize(), 50, 200)
	if err != nil {
		return nil, err
	}
	hash := page.FilterHash("ListMaterials")
	key, err := s.pages.Decode(req.GetPageToken(), a.Subject, hash)
	if err != nil {
		return nil, err
	}
	res := &caseworkv1.ListMaterialsResponse{}
	if a.IdentityKey == "" {
		return res, nil
	}
	before := ""
	if len(key) == 1 {
		before = key[0]
	}
	rows, err := store.Materials(ctx, s.db.Read(), a.IdentityKey, before, size+1)
	if err != nil {
		return nil, err
	}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(a.Subject, hash, rows[size-1].Name)
	}
	for _, row := range rows {
		m, err := materialOf(row)
		if err != nil {
			return nil, err
		}
		m.Usable = s.usable(m)
		res.Materials = append(res.Materials, m)
	}
	return res, nil
}

// change is one change of one material.
type change struct {
	// rpc is the method's name, event the type of what happened.
	rpc, event string
	request    message
	// etag is that of the request; looks without one leave noEtag set.
	etag   string
	noEtag bool
	// effect checks the change and writes it into the material.
	effect func(a authn.Access, row *store.Material, m *caseworkv1.Material) error
	// write writes the row; nil saves it.
	write func(context.Context, *db.Tx, store.Material) error
}

// changeMaterial carries out a change: the row and the event in one transaction.
func (s *Service) changeMaterial(ctx context.Context, ch change) (*caseworkv1.Material, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	r := newRequest(a, "", ch.rpc, ch.request)
	for try := 1; ; try++ {
		m, err := s.tryChange(ctx, a, r, ch)
		if !errors.Is(err, fault.Conflict) || try == conflictTries {
			return s.materialAnswer(ctx, m, err)
		}
	}
}

func (s *Service) tryChange(ctx context.Context, a authn.Access, r request, ch change) (*caseworkv1.Material, error) {
	row, m, err := s.loadMaterial(ctx, a, ch.request.GetName())
	if err != nil {
		return nil, err
	}
	if !row.Live {
		return nil, s.refused(ctx, r, fault.NotFound.New())
	}
	if !ch.noEtag {
		err = feed.CheckEtag(ch.etag, m.GetName(), row.Seq)
	}
	if err == nil {
		err = ch.effect(a, &row, m)
	}
	if err != nil {
		return nil, s.refused(ctx, r, err)
	}
	row.Seq++
	m.Etag, m.Usable = feed.Etag(m.GetName(), row.Seq), s.usable(m)
	if row.Data, err = proto.Marshal(m); err != nil {
		return nil, err
	}
	write := ch.write
	if write == nil {
		write = store.SaveMaterial
	}
	return m, s.db.Write(ctx, row.Owner, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{
			Subject: m.GetName(), Sequence: row.Seq, Type: ch.event, Resource: nameless(m), Actor: a.Subject, ActorDepartment: a.Department,
			RequestKey: r.key, RequestHash: r.hash, Detail: requestDetail(ch.request),
		})
		if err != nil {
			return err
		}
		return write(ctx, tx, row)
	})
}

// VerifyMaterial notes that a window has seen the original.
func (s *Service) VerifyMaterial(ctx context.Context, req *caseworkv1.VerifyMaterialRequest) (*caseworkv1.Material, error) {
	return s.changeMaterial(ctx, change{
		rpc: "VerifyMaterial", event: "material.checked", request: req, etag: req.GetEtag(),
		effect: func(a authn.Access, row *store.Material, m *caseworkv1.Material) error {
			if a.IdentityKey != "" && a.IdentityKey == row.Owner {
				return fault.SamePersonForbidden.New() // nobody checks his own papers
			}
			if l := rules.Trust(m.GetTrustLevel()); l == rules.Issued || l == rules.Checked {
				return fault.MaterialTrusted.New()
			}
			now := s.clock.Now()
			if day := req.GetValidUntil(); day != "" {
				if _, err := workday.ParseDate(day); err != nil || over(day, now) {
					return fault.InvalidArgument.New(fault.Field("valid_until"))
				}
			}
			note, err := optional("note", req.GetNote(), 500)
			if err != nil {
				return err
			}
			m.TrustLevel, m.VerifyTime, m.Verifier = caseworkv1.TrustLevel_TRUST_LEVEL_CHECKED, stamp(now), a.Subject
			m.VerifyNote, m.ValidUntil = note, req.GetValidUntil()
			m.Watermark = watermark("核验原件", a.Hall, now, req.GetValidUntil())
			return nil
		},
	})
}

// watermark is what a copy that is passed on must say: where it comes from, what for, and
// how long.
func watermark(what, hall string, at time.Time, until string) string {
	text := "仅限办理政务服务事项使用；" + hall + " 政务服务大厅 " + workday.DateOf(at).String() + " " + what
	if until != "" {
		text += "；有效期至 " + until
	}
	return text
}

// DeleteMaterial throws a material away that no case needs.
func (s *Service) DeleteMaterial(ctx context.Context, req *caseworkv1.DeleteMaterialRequest) (*caseworkv1.Material, error) {
	m, err := s.changeMaterial(ctx, change{
		rpc: "DeleteMaterial", event: "material.deleted", request: req, etag: req.GetEtag(),
		effect: func(_ authn.Access, row *store.Material, m *caseworkv1.Material) error {
			needed, _, err := s.needed(ctx, row.Name)
			if err != nil {
				return err
			}
			if needed {
				return fault.MaterialInUse.New()
			}
			m.DeleteTime = stamp(s.clock.Now())
			return nil
		},
		write: store.RemoveMaterial,
	})
	if err == nil {
		s.emptyTrashSoon()
	}
	return m, err
}

// CreateDownload gives a link to a material's file.
func (s *Service) CreateDownload(ctx context.Context, req *caseworkv1.CreateDownloadRequest) (*caseworkv1.Download, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.changeMaterial(ctx, change{
		rpc: "CreateDownload", event: "material.opened", request: req, noEtag: true,
		effect: func(_ authn.Access, _ *store.Material, m *caseworkv1.Material) error {
			m.OpenTime = stamp(s.clock.Now())
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	// The link of a repeated call is the first one's, and ends with it.
	until := timeOf(m.GetOpenTime()).Add(s.files.cfg.DownloadLink)
	return &caseworkv1.Download{
		Link: s.files.links.make(m.GetName(), a.Subject, until), ExpireTime: stamp(until), FileName: m.GetFileName(),
		MediaType: m.GetMediaType(), Size: m.GetSize(), Sha256: m.GetSha256(), Watermark: m.GetWatermark(), Etag: m.GetEtag(),
	}, nil
}
