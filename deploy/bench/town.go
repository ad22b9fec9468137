package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/load"
	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/deploy/stand"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/rpc"
)

// city is where the load happens, seed makes the same invented people every time.
const (
	city = "441300"
	seed = 20140101
)

// service is what is applied for: a permit that takes all steps and two pairs of eyes.
const service = "hotel-special-permit"

// minted is a token source for somebody made up.
type minted struct {
	issuer *authn.Issuer
	user   authn.User
}

// Token implements authn.TokenSource.
func (m minted) Token(context.Context) (string, error) { return m.issuer.Mint(m.user) }

// openTown opens the halls and gives the city the services people ask for most.
func openTown(ctx context.Context, h *stand.Hall) error {
	conn, err := h.Runtime.Dialer.Dial("catalogue")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	admin := minted{h.Issuer, authn.User{Login: "loader", Name: "装载", Roles: []string{"admin", "publisher"}}}
	l := &load.Loader{Catalogue: cataloguev1.NewCatalogueServiceClient(conn)}
	d, ok := sample.FindDivision(city)
	if !ok {
		return fmt.Errorf("the sample has no division %s", city)
	}
	ctx = rpc.WithToken(ctx, admin)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { _, err := l.Province(gctx); return err })
	g.Go(func() error { _, err := l.Directory(gctx); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = l.Core(ctx, d)
	return err
}

// cast is everybody who acts, with tokens and what they send. A load process reads it
// from a file, so that making it is no part of what is measured.
type cast struct {
	// Parent is the path of the hall, as /v1/halls/441300.
	Parent string
	// Applicants each have a token and an application; its request id is a placeholder.
	Applicants []actor
	// Window, Officer, Examiner, Head and Supervisor are staff tokens.
	Window, Officer, Examiner, Head, Supervisor string
}

// actor is one applicant.
type actor struct {
	Token string
	Body  json.RawMessage
}

// placeholder stands for a request id in a prepared body.
const placeholder = "00000000-0000-4000-8000-000000000000"

// writeCast mints tokens for n applicants and the staff into a file.
func writeCast(path string, issuer *authn.Issuer, n int) error {
	item, err := permit()
	if err != nil {
		return err
	}
	all := &cast{Parent: "/v1/" + load.HallName(city)}
	for _, a := range sample.Applicants(seed, 2*n) {
		if a.Company || len(all.Applicants) == n {
			continue
		}
		token, err := issuer.Mint(authn.User{Login: a.Subject, Name: a.Name, Roles: []string{"applicant"}, IDType: a.IDType, IDNumber: a.IDNumber})
		if err != nil {
			return err
		}
		// The same applicants file the same again and again, and mean it.
		body, err := protojson.Marshal(&caseworkv1.FileCaseRequest{Case: application(item, a), RequestId: placeholder, AllowDuplicate: true})
		if err != nil {
			return err
		}
		all.Applicants = append(all.Applicants, actor{token, body})
	}
	if err := mintStaff(issuer, item, all); err != nil {
		return err
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

// permit is the item applied for.
func permit() (sample.Item, error) {
	d, _ := sample.FindDivision(city)
	for _, it := range sample.CoreItems(d) {
		if it.ServiceID == service {
			return it, nil
		}
	}
	return sample.Item{}, fmt.Errorf("the sample has no service %s", service)
}

func mintStaff(issuer *authn.Issuer, item sample.Item, all *cast) error {
	for _, s := range []struct {
		to          *string
		role, login string
		department  string
	}{
		{&all.Window, "window", "window-1", item.Department}, {&all.Officer, "officer", "officer-1", item.Department},
		{&all.Examiner, "officer", "officer-2", item.Department}, {&all.Head, "head", "head-1", item.Department},
		{&all.Supervisor, "supervisor", "supervisor-1", ""},
	} {
		token, err := issuer.Mint(authn.User{Login: s.login, Name: "工作人员", Roles: []string{s.role}, Hall: city, Department: s.department})
		if err != nil {
			return err
		}
		*s.to = token
	}
	return nil
}

// application is a complete application of ordinary size: a filled-in form, and every
// material that the guide asks for.
func application(item sample.Item, a sample.Applicant) *caseworkv1.Case {
	c := &caseworkv1.Case{
		Item: load.ItemName(item), Channel: caseworkv1.Channel_CHANNEL_WEB, Subject: "关于" + item.Name + "的申请",
		Applicant: &caseworkv1.Applicant{
			Type: caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID,
			DisplayName: a.Name, IdNumber: a.IDNumber, ContactName: a.Contact, Phone: a.Phone, Address: a.Address,
		},
		Form: &structpb.Struct{Fields: map[string]*structpb.Value{
			"经营场所地址": structpb.NewStringValue(a.Address), "场所面积": structpb.NewNumberValue(860), "客房数": structpb.NewNumberValue(42),
			"联系邮箱": structpb.NewStringValue(a.Subject + "@example.cn"), "消防验收": structpb.NewBoolValue(true),
			"备注": structpb.NewStringValue("营业时间为全天，设有停车场，已完成特种行业治安信息系统安装。"),
		}},
	}
	for i, m := range item.Materials {
		if m.Required {
			sum := sha256.Sum256([]byte(a.IDNumber + m.Name))
			c.Materials = append(c.Materials, &caseworkv1.CaseMaterial{
				MaterialId: fmt.Sprintf("m%d", i+1), FileName: m.Name + ".pdf", Sha256: hex.EncodeToString(sum[:]), Copies: 1,
			})
		}
	}
	return c
}

func readCast(path string) (*cast, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := &cast{}
	return all, json.Unmarshal(raw, all)
}

// until asks again and again until done, for what comes about by itself.
func until(ctx context.Context, what string, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		ok, err := done()
		if ok {
			return nil
		}
		last = err
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %v: %w", what, limit, errors.Join(ctx.Err(), last))
		}
	}
}

// oneApplicant is the first person of the cast.
func oneApplicant() sample.Applicant {
	for _, a := range sample.Applicants(seed, 8) {
		if !a.Company {
			return a
		}
	}
	return sample.Applicant{}
}
