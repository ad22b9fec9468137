package supervision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/page"
	"github.com/onehall/onehall/services/supervision/internal/rules"
	"github.com/onehall/onehall/services/supervision/internal/store"
)

func findingOf(data []byte) (*supervisionv1.Finding, error) {
	f := &supervisionv1.Finding{}
	if err := proto.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("stored finding: %w", err)
	}
	return f, nil
}

// ListFindings lists what the discretion check of a month found.
func (s *Service) ListFindings(ctx context.Context, req *supervisionv1.ListFindingsRequest) (*supervisionv1.ListFindingsResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	filter := store.Finding{Hall: req.GetParent(), Kind: int64(req.GetBy()), Measure: int64(req.GetMeasure())}
	if filter.Department, err = ownDepartment(access, req.GetParent(), ""); err != nil {
		return nil, err
	}
	question := page.FilterHash("findings", req.GetParent(), req.GetMonth(), req.GetBy().String(), req.GetMeasure().String(), filter.Department)
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	if req.GetMonth() != "" {
		months, err := monthsOf(req.GetMonth())
		if err != nil {
			return nil, err
		}
		filter.Month = months[0]
	} else if filter.Month, err = store.LastFindings(ctx, s.db.Read(), req.GetParent()); err != nil {
		return nil, err
	}
	if len(key) == 2 {
		month, err1 := strconv.ParseInt(key[0], 10, 64)
		place, err2 := strconv.ParseInt(key[1], 10, 64)
		if err1 != nil || err2 != nil {
			return nil, fault.BadPageToken.New(fault.Field("page_token"))
		}
		filter.Month, filter.Place = month, place // the month of the first page, should a new one be judged meanwhile
	}
	rows, err := store.ListFindings(ctx, s.db.Read(), filter, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListFindingsResponse{}
	if len(rows) > size {
		rows = rows[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(filter.Month, 10), strconv.FormatInt(rows[size-1].Place, 10))
	}
	for _, row := range rows {
		f, err := findingOf(row.Data)
		if err != nil {
			return nil, err
		}
		if !seesOfficers(access) {
			f.Officer = ""
		}
		res.Findings = append(res.Findings, f)
	}
	return res, nil
}

// ListFindingCases lists the cases that a finding rests on.
func (s *Service) ListFindingCases(ctx context.Context, req *supervisionv1.ListFindingCasesRequest) (*supervisionv1.ListFindingCasesResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	if _, err := ownDepartment(access, hallOf(req.GetParent()), ""); err != nil {
		return nil, err
	}
	row, err := store.GetFinding(ctx, s.db.Read(), req.GetParent())
	if errors.Is(err, fault.NotFound) {
		return &supervisionv1.ListFindingCasesResponse{}, nil // no finding, no cases behind it
	}
	if err != nil {
		return nil, err
	}
	if !covers(access, hallOf(req.GetParent()), row.Department, "") {
		return nil, fault.NotFound.New()
	}
	f, err := findingOf(row.Data)
	if err != nil {
		return nil, err
	}
	question := page.FilterHash("finding cases", req.GetParent())
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	afterMonth, after := int64(0), ""
	if len(key) == 2 {
		if afterMonth, err = strconv.ParseInt(key[0], 10, 64); err != nil {
			return nil, fault.BadPageToken.New(fault.Cause(err))
		}
		after = key[1]
	}
	months, err := monthsOf(f.GetMonth())
	if err != nil {
		return nil, err
	}
	cases, err := store.LikeCases(ctx, s.db.Read(), store.LikeFilter{Entry: f.GetEntry(), From: addMonths(months[0], 1-likeMonths), To: months[0],
		Applicant: int64(f.GetApplicantType()), Department: f.GetDepartment(), Officer: f.GetOfficer(), Item: f.GetItem()}, afterMonth, after, size+1)
	if err != nil {
		return nil, err
	}
	res := &supervisionv1.ListFindingCasesResponse{}
	if len(cases) > size {
		cases = cases[:size]
		last := cases[size-1]
		res.NextPageToken = s.pages.Encode(access.Subject, question, strconv.FormatInt(last.Cell.Month, 10), last.Case)
	}
	for _, c := range cases {
		res.Cases = append(res.Cases, countedMessage(c, seesOfficers(access)))
	}
	return res, nil
}

// ListComparisons compares the like cases of an item, flagged or not.
func (s *Service) ListComparisons(ctx context.Context, req *supervisionv1.ListComparisonsRequest) (*supervisionv1.ListComparisonsResponse, error) {
	access, ok := authn.AccessFrom(ctx)
	if !ok {
		return nil, fault.Unauthenticated.New()
	}
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, err
	}
	own, err := ownDepartment(access, req.GetParent(), "")
	if err != nil {
		return nil, err
	}
	months, err := monthsOf(req.GetMonth())
	if err != nil {
		return nil, err
	}
	span := int64(req.GetMonths())
	if span == 0 {
		span = likeMonths
	}
	kind := req.GetBy()
	if kind == supervisionv1.ScoreKind_SCORE_KIND_UNSPECIFIED {
		kind = supervisionv1.ScoreKind_SCORE_KIND_OFFICER
	}
	question := page.FilterHash("comparisons", req.GetParent(), req.GetItem(), req.GetMonth(), strconv.FormatInt(span, 10), kind.String())
	key, err := s.pages.Decode(req.GetPageToken(), access.Subject, question)
	if err != nil {
		return nil, err
	}
	cases := newAlike(entryOf(req.GetItem()))
	filter := store.CellFilter{Entry: cases.entry, From: addMonths(months[0], 1-span), To: months[0]}
	if err := store.Cells(ctx, s.db.Read(), filter, func(c store.Cell, t rules.Tallied) error {
		cases.add(c, t)
		return nil
	}); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(cases.keys(), func(k like) bool {
		return k.kind != kind || hallOf(k.department) != req.GetParent() || own != "" && k.department != own || cases.by[k].N == 0 ||
			len(key) == 3 && slices.Compare(k.place(), key) <= 0
	})
	res := &supervisionv1.ListComparisonsResponse{}
	if len(all) > size {
		all = all[:size]
		res.NextPageToken = s.pages.Encode(access.Subject, question, all[size-1].place()...)
	}
	for _, k := range all {
		res.Comparisons = append(res.Comparisons, comparison(k, *cases.by[k], cases.others(k), seesOfficers(access)))
	}
	return res, nil
}

// place is where it stands among those of its kind.
func (k like) place() []string {
	return []string{k.department, k.object, strconv.FormatInt(k.applicant, 10)}
}

func comparison(k like, own, others rules.Tallied, officers bool) *supervisionv1.Comparison {
	c := &supervisionv1.Comparison{Item: k.item, Department: k.department, ApplicantType: int32(k.applicant), N: own.N, Others: others.N,
		Small: len(rules.Differences(own, others)) == 0, Refusal: shareOf(own.Refused, own.N), OthersRefusal: shareOf(others.Refused, others.N),
		Pause: shareOf(own.Paused, own.N), OthersPause: shareOf(others.Paused, others.N),
		Supplement: shareOf(own.Supplemented, own.N), OthersSupplement: shareOf(others.Supplemented, others.N),
		Speed: speedOf(own), OthersSpeed: speedOf(others)}
	if officers && k.kind == supervisionv1.ScoreKind_SCORE_KIND_OFFICER {
		c.Officer = k.object
	}
	return c
}
