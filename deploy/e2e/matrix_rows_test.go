package e2e

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/deploy/e2e/house"
	"github.com/onehall/onehall/deploy/load"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// things are what the matrix asks for: all of the city's police and of person 1.
type things struct{ kase, item, department, card, review string }

// things makes a late case of person 1 with its cards and a review of it.
func (s *scene) things() things {
	s.t.Helper()
	who, client := s.person(1)
	req := s.filing(who, house.Residence)
	req.Parent, req.Consent, req.HappenedAt = "", true, timestamppb.New(time.Now().AddDate(0, -3, 0))
	c := &caseworkv1.Case{}
	s.must("file", s.window.Post(s.t.Context(), "/v1/"+s.hall+"/cases:file", req, c))
	c = s.act(s.window, c, "accept", &caseworkv1.AcceptCaseRequest{})
	all := things{kase: c.GetName(), item: c.GetItem(), department: c.GetDepartment()}
	cards := &supervisionv1.ListCardsResponse{}
	house.Eventually(s.t, "a card", func(ctx context.Context) (bool, string) {
		err := s.supervisor.Get(ctx, "/v1/"+s.hall+"/cards", cards)
		return err == nil && len(cards.GetCards()) > 0, cards.String()
	})
	all.card = cards.GetCards()[0].GetName()
	made := &reviewv1.Review{}
	house.Eventually(s.t, "a review", func(ctx context.Context) (bool, string) {
		err := client.Post(ctx, "/v1/"+s.hall+"/reviews"+house.Query("requestId", newID()), &reviewv1.Review{
			Case: all.kase, Moment: reviewv1.ReviewMoment_REVIEW_MOMENT_ACCEPTED, Stars: 5,
		}, made)
		return err == nil, jsonOf(err)
	})
	all.review = made.GetName()
	return all
}

// matrixRows has a row for every method of the contract.
func (s *scene) matrixRows() map[string]row {
	s.t.Helper()
	x := s.things()
	rows := map[string]row{
		"ReadEvents":   {request: func() proto.Message { return &feedv1.ReadEventsRequest{} }},
		"FollowEvents": {request: func() proto.Message { return &feedv1.FollowEventsRequest{} }},
		// Of a subject of which nothing waits.
		"ListParkedEvents": list(func() proto.Message { return &feedv1.ListParkedEventsRequest{} }),
		"ReleaseParkedEvents": list(func() proto.Message {
			return &feedv1.ReleaseParkedEventsRequest{Source: "catalogue", Subject: x.item, RequestId: newID()}
		}),
		"SkipParkedEvents": list(func() proto.Message {
			return &feedv1.SkipParkedEventsRequest{Source: "catalogue", Subject: x.item, Position: 1, Reason: "原件遗失", RequestId: newID()}
		}),
	}
	for _, more := range []map[string]row{s.catalogueRows(x), s.caseRows(x), s.stepRows(x), s.otherRows(x), s.supervisionRows(x), s.applicantRows(x), s.counterRows(x), s.scoreRows(x), s.exchangeRows(x), s.materialRows(x), s.calendarRows()} {
		for name, r := range more {
			rows[name] = r
		}
	}
	return rows
}

// the is a row for one thing, list one for a listing.
func the(request func() proto.Message) row  { return row{request: request, object: true} }
func list(request func() proto.Message) row { return row{request: request} }

func (s *scene) catalogueRows(x things) map[string]row {
	item := func() *cataloguev1.Item { return house.Clone(s.data.Items[house.Residence]) }
	dep := func() *cataloguev1.Department {
		return &cataloguev1.Department{Name: x.department, DisplayName: "另一名称", Level: cataloguev1.Level_LEVEL_CITY}
	}
	entry := func() *cataloguev1.DirectoryEntry {
		return &cataloguev1.DirectoryEntry{Name: item().GetDirectoryEntry(), DisplayName: "另一名称", ItemType: "07"}
	}
	return map[string]row{
		"CreateHall": list(func() proto.Message {
			return &cataloguev1.CreateHallRequest{RequestId: newID(), Hall: &cataloguev1.Hall{Name: s.hall, DisplayName: "另一名称", Level: cataloguev1.Level_LEVEL_CITY}}
		}),
		"GetHall":    the(func() proto.Message { return &cataloguev1.GetHallRequest{Name: s.hall} }),
		"ListHalls":  list(func() proto.Message { return &cataloguev1.ListHallsRequest{} }),
		"LaunchHall": the(func() proto.Message { return &cataloguev1.LaunchHallRequest{Name: s.hall, RequestId: newID()} }),
		"CreateDepartment": list(func() proto.Message {
			return &cataloguev1.CreateDepartmentRequest{Parent: s.hall, Department: dep(), RequestId: newID()}
		}),
		"BatchCreateDepartments": list(func() proto.Message {
			return &cataloguev1.BatchCreateDepartmentsRequest{Parent: s.hall, Departments: []*cataloguev1.Department{dep()}, RequestId: newID()}
		}),
		"GetDepartment":   the(func() proto.Message { return &cataloguev1.GetDepartmentRequest{Name: x.department} }),
		"ListDepartments": list(func() proto.Message { return &cataloguev1.ListDepartmentsRequest{Parent: s.hall} }),
		"CreateDirectoryEntry": list(func() proto.Message {
			return &cataloguev1.CreateDirectoryEntryRequest{DirectoryEntry: entry(), RequestId: newID()}
		}),
		"BatchCreateDirectoryEntries": list(func() proto.Message {
			return &cataloguev1.BatchCreateDirectoryEntriesRequest{DirectoryEntries: []*cataloguev1.DirectoryEntry{entry()}, RequestId: newID()}
		}),
		"GetDirectoryEntry":    the(func() proto.Message { return &cataloguev1.GetDirectoryEntryRequest{Name: item().GetDirectoryEntry()} }),
		"ListDirectoryEntries": list(func() proto.Message { return &cataloguev1.ListDirectoryEntriesRequest{} }),
		"CreateItem": the(func() proto.Message {
			return &cataloguev1.CreateItemRequest{Parent: s.hall, Item: item(), RequestId: newID()}
		}),
		"UpdateItem":  the(func() proto.Message { return &cataloguev1.UpdateItemRequest{Item: item(), RequestId: newID()} }),
		"CheckItem":   the(func() proto.Message { return &cataloguev1.CheckItemRequest{Name: x.item} }),
		"PublishItem": the(func() proto.Message { return &cataloguev1.PublishItemRequest{Name: x.item, RequestId: newID()} }),
		"PauseItem": the(func() proto.Message {
			return &cataloguev1.PauseItemRequest{Name: x.item, RequestId: newID(), Reason: "系统维护期间"}
		}),
		"ResumeItem": the(func() proto.Message { return &cataloguev1.ResumeItemRequest{Name: x.item, RequestId: newID()} }),
		"CancelItem": the(func() proto.Message {
			return &cataloguev1.CancelItemRequest{Name: x.item, RequestId: newID(), Reason: "依据已经废止"}
		}),
		"GetItem":           the(func() proto.Message { return &cataloguev1.GetItemRequest{Name: x.item} }),
		"GetItemDraft":      the(func() proto.Message { return &cataloguev1.GetItemDraftRequest{Name: x.item} }),
		"ListItems":         list(func() proto.Message { return &cataloguev1.ListItemsRequest{Parent: s.hall} }),
		"GetItemRevision":   the(func() proto.Message { return &cataloguev1.GetItemRevisionRequest{Name: x.item + "/revisions/1"} }),
		"ListItemRevisions": the(func() proto.Message { return &cataloguev1.ListItemRevisionsRequest{Parent: x.item} }),
		"SearchItems":       list(func() proto.Message { return &cataloguev1.SearchItemsRequest{Query: "居住证"} }),
		"ImportItems": the(func() proto.Message {
			return &cataloguev1.ImportItemsRequest{Parent: x.department, Format: cataloguev1.ImportFormat_IMPORT_FORMAT_CSV, Content: []byte("a,b\n1,2\n"), DryRun: true, RequestId: newID()}
		}),
		"LoadItems": list(func() proto.Message {
			return &cataloguev1.LoadItemsRequest{Parent: s.hall, Items: []*cataloguev1.Item{item()}, RequestId: newID()}
		}),
	}
}

func (s *scene) caseRows(x things) map[string]row {
	application := func() *caseworkv1.Case { return house.Application(s.data.Items[house.Residence], s.data.People[1]) }
	return map[string]row{
		// A number that belongs to nobody, so that nothing is saved.
		"CreateCase": list(func() proto.Message {
			c := application()
			c.Applicant.IdNumber = "440000000000000000"
			return &caseworkv1.CreateCaseRequest{Parent: s.hall, Case: c, RequestId: newID()}
		}),
		// A revision that nobody can have read.
		"FileCase": list(func() proto.Message {
			return &caseworkv1.FileCaseRequest{Parent: s.hall, Case: application(), RequestId: newID(), ItemRevision: 99}
		}),
		"UpdateCase": the(func() proto.Message {
			c := application()
			c.Name = x.kase
			return &caseworkv1.UpdateCaseRequest{Case: c, RequestId: newID()}
		}),
		"GetCase":        the(func() proto.Message { return &caseworkv1.GetCaseRequest{Name: x.kase} }),
		"ListCases":      list(func() proto.Message { return &caseworkv1.ListCasesRequest{Parent: s.hall} }),
		"ListInbox":      list(func() proto.Message { return &caseworkv1.ListInboxRequest{Parent: s.hall} }),
		"ListCaseEvents": the(func() proto.Message { return &caseworkv1.ListCaseEventsRequest{Parent: x.kase} }),
		"GetCaseDocument": the(func() proto.Message {
			return &caseworkv1.GetCaseDocumentRequest{Name: x.kase, Kind: caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT}
		}),
		"PrintCaseDocument": the(func() proto.Message {
			return &caseworkv1.PrintCaseDocumentRequest{Name: x.kase, Kind: caseworkv1.DocumentKind_DOCUMENT_KIND_RECEIPT}
		}),
		"ListRefusedAttempts": the(func() proto.Message { return &caseworkv1.ListRefusedAttemptsRequest{Parent: x.kase} }),
		// The same item twice, so that nothing is saved.
		"FileJointCase": list(func() proto.Message {
			part := &caseworkv1.JointPart{Item: x.item, Materials: application().GetMaterials()}
			return &caseworkv1.FileJointCaseRequest{Parent: s.hall, RequestId: newID(), Applicant: application().GetApplicant(), Parts: []*caseworkv1.JointPart{part, part}}
		}),
		// Of a case that was not forwarded, so that nothing is opened.
		"OpenForwardedCase": list(func() proto.Message {
			return &caseworkv1.OpenForwardedCaseRequest{Parent: s.hall, OriginCase: x.kase, Item: x.item, RequestId: newID()}
		}),
		"QueryProgress": list(func() proto.Message { return &caseworkv1.QueryProgressRequest{CaseNo: "1", QueryCode: "1"} }),
		"RevealApplicant": the(func() proto.Message {
			return &caseworkv1.RevealApplicantRequest{Name: x.kase, Purpose: "核对申请人身份", RequestId: newID()}
		}),
	}
}

// stepRows are the steps of a case. They carry no etag and so change nothing.
func (s *scene) stepRows(x things) map[string]row {
	rows := map[string]row{}
	for name, m := range map[string]proto.Message{
		"SubmitCase": &caseworkv1.SubmitCaseRequest{}, "PreAcceptCase": &caseworkv1.PreAcceptCaseRequest{},
		"RequestSupplement": &caseworkv1.RequestSupplementRequest{Reason: "材料不清晰"}, "ReceiveSupplement": &caseworkv1.ReceiveSupplementRequest{},
		"AcceptCase": &caseworkv1.AcceptCaseRequest{}, "NotAcceptCase": &caseworkv1.NotAcceptCaseRequest{}, "RefuseCase": &caseworkv1.RefuseCaseRequest{},
		"UndertakeCase": &caseworkv1.UndertakeCaseRequest{}, "ExamineCase": &caseworkv1.ExamineCaseRequest{}, "ApproveCase": &caseworkv1.ApproveCaseRequest{},
		"DecideCase":   &caseworkv1.DecideCaseRequest{Result: caseworkv1.DecisionResult_DECISION_RESULT_GRANTED},
		"FinishCase":   &caseworkv1.FinishCaseRequest{Result: caseworkv1.FinishResult_FINISH_RESULT_ISSUED},
		"CollectCase":  &caseworkv1.CollectCaseRequest{Collector: "张三", Way: caseworkv1.Channel_CHANNEL_WINDOW},
		"WithdrawCase": &caseworkv1.WithdrawCaseRequest{}, "LapseCase": &caseworkv1.LapseCaseRequest{}, "VoidCase": &caseworkv1.VoidCaseRequest{},
		"StartSpecialProcedure": &caseworkv1.StartSpecialProcedureRequest{Kind: caseworkv1.SpecialProcedureKind_SPECIAL_PROCEDURE_KIND_EXCLUDED, DisplayName: "听证"},
		"EndSpecialProcedure":   &caseworkv1.EndSpecialProcedureRequest{},
		"ClaimCase":             &caseworkv1.ClaimCaseRequest{}, "AssignCase": &caseworkv1.AssignCaseRequest{Assignee: "user/x"}, "ReleaseCase": &caseworkv1.ReleaseCaseRequest{},
		"HandOverCase": &caseworkv1.HandOverCaseRequest{Department: x.department, Reason: "该事项由其他部门办理更为合适"},
		"IssueLicense": &caseworkv1.IssueLicenseRequest{LicenseNo: "证字1号", LicenseName: "居住证"},
		"RevokeCase":   &caseworkv1.RevokeCaseRequest{Reason: "以欺骗手段取得许可，事实清楚", Remedies: "可申请行政复议"}, "ChangeRevision": &caseworkv1.ChangeRevisionRequest{ItemRevision: 1},
		"PerformStep": &caseworkv1.PerformStepRequest{StepId: "survey"}, "SendBackStep": &caseworkv1.SendBackStepRequest{Reason: "勘验记录缺少照片，请补充"},
		"FillGap":   &caseworkv1.FillGapRequest{Materials: []*caseworkv1.CaseMaterial{{MaterialId: "m1", Paper: true}}},
		"ChargeFee": &caseworkv1.ChargeFeeRequest{DisplayName: "工本费", AmountFen: 1000}, "RecordPayment": &caseworkv1.RecordPaymentRequest{Serial: 1, Way: caseworkv1.PaymentWay_PAYMENT_WAY_CASH, ReceiptNo: "1"},
		"WaiveFee": &caseworkv1.WaiveFeeRequest{Serial: 1, Reason: "低保家庭，依规定免收"}, "RefundFee": &caseworkv1.RefundFeeRequest{Serial: 1, AmountFen: 1, Reason: "多收的费用，退还申请人"},
	} {
		rows[name] = the(func() proto.Message { return named(m, x.kase) })
	}
	return rows
}

// named is a copy of a request for a thing, with a new request id.
func named(m proto.Message, name string) proto.Message {
	c := proto.Clone(m)
	set(c, "name", name)
	set(c, "request_id", newID())
	return c
}

func (s *scene) otherRows(x things) map[string]row {
	return map[string]row{
		"GetCaseClock":   the(func() proto.Message { return &supervisionv1.GetCaseClockRequest{Name: x.kase + "/clock"} }),
		"ExplainDue":     the(func() proto.Message { return &supervisionv1.ExplainDueRequest{Name: x.kase + "/clock"} }),
		"ListCaseClocks": list(func() proto.Message { return &supervisionv1.ListCaseClocksRequest{Parent: s.hall} }),
		"GetCard":        the(func() proto.Message { return &supervisionv1.GetCardRequest{Name: x.card} }),
		"ListCards":      list(func() proto.Message { return &supervisionv1.ListCardsRequest{Parent: s.hall} }),
		"WatchCards":     list(func() proto.Message { return &supervisionv1.WatchCardsRequest{Parent: s.hall} }),
		"RevokeCard": the(func() proto.Message {
			return &supervisionv1.RevokeCardRequest{Name: x.card, RequestId: newID(), Reason: "经核查属于系统录入错误"}
		}),
		"ReplyCard": the(func() proto.Message {
			return &supervisionv1.ReplyCardRequest{Name: x.card, RequestId: newID(), Reply: "已经整改"}
		}),
		"ListRules": list(func() proto.Message { return &supervisionv1.ListRulesRequest{} }),

		"CreateReview": the(func() proto.Message {
			return &reviewv1.CreateReviewRequest{Parent: s.hall, RequestId: newID(), Review: &reviewv1.Review{Case: x.kase, Moment: reviewv1.ReviewMoment_REVIEW_MOMENT_ACCEPTED, Stars: 5}}
		}),
		"GetReview":   the(func() proto.Message { return &reviewv1.GetReviewRequest{Name: x.review} }),
		"ListReviews": list(func() proto.Message { return &reviewv1.ListReviewsRequest{Parent: s.hall} }),
		"ReplyReview": the(func() proto.Message {
			return &reviewv1.ReplyReviewRequest{Name: x.review, RequestId: newID(), Reply: "感谢您的评价"}
		}),
		"GetReviewSummary": list(func() proto.Message { return &reviewv1.GetReviewSummaryRequest{Parent: s.hall} }),
		"ListReviewTags":   list(func() proto.Message { return &reviewv1.ListReviewTagsRequest{} }),
		"ListReviewables":  list(func() proto.Message { return &reviewv1.ListReviewablesRequest{} }),

		"ListSources": list(func() proto.Message { return &hubv1.ListSourcesRequest{} }),
		"GetRates": list(func() proto.Message {
			return &hubv1.GetRatesRequest{Hall: load.HallName(house.City), StartDate: "2026-01-01", EndDate: "2026-01-31"}
		}),
		"RankHalls": list(func() proto.Message {
			return &hubv1.RankHallsRequest{Metric: "finish_rate", Level: hubv1.RankLevel_RANK_LEVEL_CITY, StartDate: "2026-01-01", EndDate: "2026-01-31"}
		}),
		"ListFacts": list(func() proto.Message { return &hubv1.ListFactsRequest{} }),
		"ListFactCases": list(func() proto.Message {
			return &hubv1.ListFactCasesRequest{Hall: s.hall, Count: "submitted", Date: "2026-01-01"}
		}),
		"ListMetrics": list(func() proto.Message { return &hubv1.ListMetricsRequest{} }),
	}
}
