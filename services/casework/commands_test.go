package casework

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

const (
	longReason = "材料内容与登记信息不一致，需要核实"
	remedies   = "可在六十日内申请行政复议"
)

// command is one step of a case by its method.
type command func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error)

// commands are all steps, each with everything it asks for.
var commands = map[string]command{
	"pre_accept": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.PreAcceptCase(ctx, &caseworkv1.PreAcceptCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Opinion: "材料齐全"})
	},
	"request_supplement": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.RequestSupplement(ctx, &caseworkv1.RequestSupplementRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: "缺少申请表签名", MaterialIds: []string{"m2"}, FormFields: []string{"phone"}, LimitDays: 5,
		})
	},
	"receive_supplement": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.ReceiveSupplement(ctx, &caseworkv1.ReceiveSupplementRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at,
			Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m2", Sha256: sha('c')}, {MaterialId: "m3", Paper: true}},
		})
	},
	"accept": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.AcceptCase(ctx, &caseworkv1.AcceptCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at})
	},
	"not_accept": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.NotAcceptCase(ctx, &caseworkv1.NotAcceptCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: longReason})
	},
	"refuse": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.RefuseCase(ctx, &caseworkv1.RefuseCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: longReason, RightBody: "惠州市公安局"})
	},
	"undertake": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.UndertakeCase(ctx, &caseworkv1.UndertakeCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Opinion: "拟同意"})
	},
	"examine": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.ExamineCase(ctx, &caseworkv1.ExamineCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at})
	},
	"approve": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.ApproveCase(ctx, &caseworkv1.ApproveCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at})
	},
	"decide": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.DecideCase(ctx, &caseworkv1.DecideCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED})
	},
	"deny": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.DecideCase(ctx, &caseworkv1.DecideCaseRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at, Result: caseworkv1.DecisionResult_DECISION_RESULT_DENIED, Reason: longReason, Remedies: remedies,
		})
	},
	"finish": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.FinishCase(ctx, &caseworkv1.FinishCaseRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at, Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED, CertificateName: "许可证", CertificateNo: "2026-1",
		})
	},
	"collect": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.CollectCase(ctx, &caseworkv1.CollectCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Collector: "艾达", Way: caseworkv1.Channel_CHANNEL_WINDOW})
	},
	"withdraw": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.WithdrawCase(ctx, &caseworkv1.WithdrawCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: "不办了"})
	},
	"lapse": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.LapseCase(ctx, &caseworkv1.LapseCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at})
	},
	"void": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.VoidCase(ctx, &caseworkv1.VoidCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: longReason})
	},
	"start_special": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.StartSpecialProcedure(ctx, &caseworkv1.StartSpecialProcedureRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at, Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED,
			DisplayName: "专家评审", Ground: "依据规定须经专家评审方可决定", Requester: "user/officer", Limit: 5,
		})
	},
	"extend": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.StartSpecialProcedure(ctx, &caseworkv1.StartSpecialProcedureRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at, Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXTENSION,
			DisplayName: "延长审批", Ground: "案情复杂，二十日内不能作出决定", Requester: "user/officer", Limit: 10,
		})
	},
	"claim": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.ClaimCase(ctx, &caseworkv1.ClaimCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at})
	},
	"assign": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.AssignCase(ctx, &caseworkv1.AssignCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Assignee: "user/officer2"})
	},
	"release": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.ReleaseCase(ctx, &caseworkv1.ReleaseCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: "转由他人办理"})
	},
	"return": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.FinishCase(ctx, &caseworkv1.FinishCaseRequest{
			Name: name, RequestId: id, Etag: etag, HappenedAt: at, Result: caseworkv1.FinishResult_FINISH_RESULT_RETURNED, Description: longReason,
		})
	},
	"revoke": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.RevokeCase(ctx, &caseworkv1.RevokeCaseRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Reason: longReason, Remedies: remedies})
	},
	"end_special": func(ctx context.Context, c caseworkv1.CaseworkServiceClient, name, id, etag string, at *timestamppb.Timestamp) (*caseworkv1.Case, error) {
		return c.EndSpecialProcedure(ctx, &caseworkv1.EndSpecialProcedureRequest{Name: name, RequestId: id, Etag: etag, HappenedAt: at, Result: "评审通过"})
	},
}

// by says who usually does what.
var by = map[string]string{
	"pre_accept": "window", "request_supplement": "window", "receive_supplement": "window", "accept": "window", "not_accept": "window",
	"refuse": "window", "undertake": "officer", "examine": "officer2", "approve": "head", "decide": "head", "deny": "head", "finish": "window",
	"collect": "window", "withdraw": "ada", "lapse": "window", "void": "head", "start_special": "head", "extend": "head", "end_special": "head",
	"claim": "officer", "assign": "head", "release": "head", "return": "officer", "revoke": "head",
}

// do carries out steps on a case, each by its usual person, and fails on a refusal.
func (h *hall) do(c *caseworkv1.Case, steps ...string) *caseworkv1.Case {
	h.t.Helper()
	for _, step := range steps {
		next, err := commands[step](as(h.t.Context(), by[step]), h.client, c.GetName(), newID(), c.GetEtag(), nil)
		if err != nil {
			h.t.Fatalf("%s in %s: %v", step, c.GetState(), explain(err))
		}
		c = next
	}
	return c
}

// try is one step by somebody on the case as last read.
func (h *hall) try(c *caseworkv1.Case, step, login string) error {
	h.t.Helper()
	_, err := commands[step](as(h.t.Context(), login), h.client, c.GetName(), newID(), c.GetEtag(), nil)
	return err
}

// explain shows what a status carries.
func explain(err error) string { return fault.Of(err).Error() }

// refusedWith fails unless the error is of the reason, sent as its code.
func (h *hall) refusedWith(err error, want *fault.Reason) *fault.Fault {
	h.t.Helper()
	f := fault.Of(err)
	if err == nil || f.Reason().Name != want.Name || status.Code(err) != want.Code {
		h.t.Errorf("err = %v (code %s), want %s", err, status.Code(err), want.Name)
		return fault.Internal.New()
	}
	if want.Code == codes.Internal {
		h.t.Errorf("an internal error is no refusal")
	}
	return f
}
