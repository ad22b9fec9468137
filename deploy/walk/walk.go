// Package walk lives through two cases of a hall as people do, over REST alone, and
// tells step by step what happens: one that goes well, and one that runs late.
package walk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/form"
	"github.com/onehall/onehall/services/platform/workday"
)

// span is how long the walk takes in the hall's time, holidays of the year included.
const span = 60 * 24 * time.Hour

// Start is when a walk that ends about now begins: a working day at half past nine.
func Start(now time.Time) time.Time {
	d := workday.DateOf(now.Add(-span))
	for !workday.China().IsWorkday("440000", d) {
		d++
	}
	return workday.StartOfDay(d).Add(9*time.Hour + 30*time.Minute)
}

// Applicant is who applies.
type Applicant struct {
	authn.User
	Phone, Address string
}

// Options is what a walk needs.
type Options struct {
	Gateway string
	// Token signs a person in.
	Token            func(login string) (string, error)
	Clock            *clock.Virtual
	Out              io.Writer
	City             string
	Citizen, Company Applicant
}

// Walk is one walk.
type Walk struct {
	opt     Options
	clients map[string]*restclient.Client
	step    int
}

// New prepares a walk.
func New(o Options) *Walk { return &Walk{opt: o, clients: map[string]*restclient.Client{}} }

// as is the client of a user; "" is nobody.
func (w *Walk) as(login string) *restclient.Client {
	c, ok := w.clients[login]
	if !ok {
		c = &restclient.Client{Base: w.opt.Gateway}
		if login != "" {
			c.Token = func(context.Context) (string, error) { return w.opt.Token(login) }
		}
		w.clients[login] = c
	}
	return c
}

// Run walks.
func (w *Walk) Run(ctx context.Context) error {
	for _, part := range []func(context.Context) error{w.smooth, w.late, w.province} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// title begins a part of the walk.
func (w *Walk) title(format string, a ...any) {
	fmt.Fprintf(w.opt.Out, "── %s ──\n", fmt.Sprintf(format, a...))
}

// say tells one step: when, by which call, and what came of it.
func (w *Walk) say(call, format string, a ...any) {
	w.step++
	now := w.opt.Clock.Now().In(workday.Zone).Format("01-02 15:04")
	fmt.Fprintf(w.opt.Out, "%2d. [%s] %s\n      %s\n", w.step, now, call, strings.ReplaceAll(fmt.Sprintf(format, a...), "\n", "\n      "))
}

// later moves the hall's time to an hour of a working day, n working days on.
func (w *Walk) later(workdays int, hour, minute int) {
	day := workday.DateOf(w.opt.Clock.Now())
	if workdays > 0 {
		day, _ = workday.China().Add(w.opt.City, day, workdays)
	}
	w.opt.Clock.Set(workday.StartOfDay(day).Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute))
}

// eventually calls f until it says done and gives its error then: followers are a
// moment behind.
func eventually(ctx context.Context, what string, f func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		done, err := f()
		if done {
			return err
		}
		last = err
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: did not come about: %w", what, errors.Join(ctx.Err(), last))
		}
	}
}

// find searches and opens the guide of the first hit in the city's own hall.
func (w *Walk) find(ctx context.Context, query, title string) (*cataloguev1.Item, error) {
	found := &cataloguev1.SearchItemsResponse{}
	path := "/v1/items:search?query=" + escape(query) + "&hall=halls/" + w.opt.City + "&pageSize=20"
	item := ""
	// What was published a moment ago may still be on its way into the index.
	if err := eventually(ctx, "search for "+query, func() (bool, error) {
		if err := w.as("").Get(ctx, path, found); err != nil {
			return false, err
		}
		for _, h := range found.GetHits() {
			if strings.HasPrefix(h.GetItem(), "halls/"+w.opt.City+"/") && strings.HasPrefix(h.GetTitle(), title) {
				item = h.GetItem()
				return true, nil
			}
		}
		return false, fmt.Errorf("%d hits without %s", len(found.GetHits()), title)
	}); err != nil {
		return nil, err
	}
	var lines []string
	for _, h := range found.GetHits()[:min(3, len(found.GetHits()))] {
		lines = append(lines, fmt.Sprintf("· %s（%s，%s）", h.GetTitle(), h.GetDepartmentTitle(), promise(h.GetPromisedLimit())))
	}
	w.say("GET /v1/items:search?query="+query, "找到 %d 项：\n%s", found.GetTotalSize(), strings.Join(lines, "\n"))
	guide := &cataloguev1.Item{}
	return guide, w.as("").Get(ctx, "/v1/"+item, guide)
}

func promise(days int32) string {
	if days == 0 {
		return "即办"
	}
	return fmt.Sprintf("承诺 %d 个工作日", days)
}

// file files an application for an item with all its necessary materials.
func (w *Walk) file(ctx context.Context, a Applicant, it *cataloguev1.Item, subject string) (*caseworkv1.Case, error) {
	kind, id := caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, caseworkv1.IdType_ID_TYPE_RESIDENT_ID
	if a.IDType == authn.IDTypeUSCC {
		kind, id = caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, caseworkv1.IdType_ID_TYPE_USCC
	}
	c := &caseworkv1.Case{
		Item: it.GetName(), Channel: caseworkv1.Channel_CHANNEL_WEB, Subject: subject,
		Applicant: &caseworkv1.Applicant{Type: kind, DisplayName: a.Name, IdType: id, IdNumber: a.IDNumber, Phone: a.Phone, Address: a.Address},
	}
	if it.GetFormSchema() != "" {
		schema, problems := form.Compile(it.GetFormSchema())
		if schema == nil {
			return nil, fmt.Errorf("form of %s: %+v", it.GetName(), problems)
		}
		var err error
		if c.Form, err = structpb.NewStruct(schema.Example()); err != nil {
			return nil, fmt.Errorf("form of %s: %w", it.GetName(), err)
		}
	}
	for _, m := range it.GetMaterials() {
		if m.GetNecessary() {
			c.Materials = append(c.Materials, &caseworkv1.CaseMaterial{MaterialId: m.GetId(), DisplayName: m.GetDisplayName(), FileName: m.GetDisplayName() + ".pdf", Sha256: hashOf(m.GetId() + subject)})
		}
	}
	filed := &caseworkv1.Case{}
	req := &caseworkv1.FileCaseRequest{Case: c, ItemRevision: it.GetRevision(), RequestId: uuid.NewString(), AllowDuplicate: true} // two walks may follow each other
	return filed, eventually(ctx, "filing", func() (bool, error) {
		err := w.as(a.Login).Post(ctx, "/v1/halls/"+w.opt.City+"/cases:file", req, filed)
		var refused *restclient.Error
		if errors.As(err, &refused) && refused.Reason == "ITEM_NOT_FOUND" {
			return false, err // casework has not read so far in the catalogue yet
		}
		return true, err
	})
}

// act takes one step of a case: it sends the step's request with the case's name and
// etag, and c becomes the case after it.
func (w *Walk) act(ctx context.Context, login, verb string, c *caseworkv1.Case, req proto.Message) error {
	m := req.ProtoReflect()
	fields := m.Descriptor().Fields()
	for name, value := range map[string]string{"request_id": uuid.NewString(), "etag": c.GetEtag()} {
		if f := fields.ByName(protoName(name)); f != nil {
			m.Set(f, stringValue(value))
		}
	}
	after := &caseworkv1.Case{}
	if err := w.as(login).Post(ctx, "/v1/"+c.GetName()+":"+verb, req, after); err != nil {
		return fmt.Errorf("%s %s: %w", verb, c.GetName(), err)
	}
	proto.Reset(c)
	proto.Merge(c, after)
	return nil
}
