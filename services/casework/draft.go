package casework

import (
	"context"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/fault"
)

// updateRequest makes an UpdateCaseRequest look like the other requests about one case.
type updateRequest struct{ *caseworkv1.UpdateCaseRequest }

// GetName is the draft's name.
func (r updateRequest) GetName() string { return r.GetCase().GetName() }

// withoutEtag is the request by its content alone: a client may read the draft
// again before it repeats itself.
func (r updateRequest) withoutEtag() updateRequest {
	c := proto.CloneOf(r.UpdateCaseRequest)
	if c.Case != nil {
		c.Case.Etag = ""
	}
	return updateRequest{c}
}

// UpdateCase replaces the content of a draft. An applicant sent back as it was shown,
// masked, stays as it is.
func (s *Service) UpdateCase(ctx context.Context, req *caseworkv1.UpdateCaseRequest) (*caseworkv1.Case, error) {
	sent := req.GetCase()
	if sent.GetName() == "" {
		return nil, fault.FieldRequired.New(fault.Field("case.name"))
	}
	var fresh *caseworkv1.Case
	return s.perform(ctx, step{
		rpc: "UpdateCase", event: "case.updated", command: rules.Update, request: updateRequest{req}.withoutEtag(), etag: sent.GetEtag(),
		input: func(t *turn) (rules.Input, error) {
			var err error
			fresh, err = s.redrafted(ctx, t, sent, false, 0)
			return rules.Input{}, err
		},
		effect: func(t *turn) { redraft(t.c, fresh) }, files: true,
	})
}

// redrafted checks new content for a draft.
func (s *Service) redrafted(ctx context.Context, t *turn, sent *caseworkv1.Case, complete bool, wanted int32) (*caseworkv1.Case, error) {
	if t.before.State != rules.Draft {
		return nil, nil // the rules refuse it in a moment, with the right reason
	}
	if proto.Equal(sent.GetApplicant(), maskedApplicant(t.c.GetApplicant())) {
		sent = proto.CloneOf(sent)
		sent.Applicant = t.c.GetApplicant()
	}
	return s.application(ctx, intake{
		access: t.access, hall: hallOf(t.c.GetName()), asApplicant: t.asApplicant, complete: complete, wanted: wanted, now: t.now,
	}, sent)
}

// redraft puts checked content into the case, and leaves what the content has no say in.
func redraft(c, fresh *caseworkv1.Case) {
	fresh.Name, fresh.State, fresh.CreateTime = c.Name, c.State, c.CreateTime
	fresh.OnBehalf, fresh.Handlers, fresh.ActingMandate = c.OnBehalf, c.Handlers, c.ActingMandate
	fresh.CarriedFrom, fresh.LastChannel = c.CarriedFrom, c.LastChannel
	if fresh.Mandate == "" {
		// The applicant goes on with what its agent began; the agent may go on seeing it.
		fresh.Mandate, fresh.AgentKey, fresh.Agent = c.Mandate, c.AgentKey, c.Agent
	}
	proto.Reset(c)
	proto.Merge(c, fresh)
}

// SubmitCase submits a draft, by the revision of its item that is in force now.
func (s *Service) SubmitCase(ctx context.Context, req *caseworkv1.SubmitCaseRequest) (*caseworkv1.Case, error) {
	var fresh *caseworkv1.Case
	return s.perform(ctx, step{
		rpc: "SubmitCase", event: "case.submitted", command: rules.Submit, request: req, etag: req.GetEtag(), withCode: true,
		input: func(t *turn) (rules.Input, error) {
			if !t.asApplicant && !req.GetConsent() {
				return rules.Input{}, fault.ConsentRequired.New(fault.Field("consent"))
			}
			var err error
			fresh, err = s.redrafted(ctx, t, t.c, true, req.GetItemRevision())
			return rules.Input{}, err
		},
		effect: func(t *turn) {
			redraft(t.c, fresh)
			submitted(t.c, t.after)
		},
		filing: func(t *turn) (store.Filing, error) { return filingOf(t.c, t.now, req.GetAllowDuplicate()) },
		files:  true,
	})
}

// requestDetail is a request as the detail of its event, without what only made the
// call recognisable.
func requestDetail(m proto.Message) proto.Message {
	c := proto.Clone(m)
	fields := c.ProtoReflect().Descriptor().Fields()
	for _, name := range []string{"request_id", "etag"} {
		if f := fields.ByTextName(name); f != nil {
			c.ProtoReflect().Clear(f)
		}
	}
	return c
}
