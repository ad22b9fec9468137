package catalogue

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/form"
	"github.com/onehall/onehall/services/platform/workday"
)

// bare clears what the service itself says of an item, so that what people wrote is left.
func bare(it *cataloguev1.Item) *cataloguev1.Item {
	it.State, it.Revision, it.ContentSha256, it.FullOnline, it.DepartmentTitle = 0, 0, "", false, ""
	it.Editor, it.CreateTime, it.UpdateTime, it.Etag = "", nil, nil, ""
	return it
}

// cleanItem is the content of an item that somebody sent for a hall, checked for what
// even a draft must keep.
func cleanItem(hall string, in *cataloguev1.Item) (*cataloguev1.Item, error) {
	it := bare(proto.CloneOf(in))
	if hallOf(it.GetName()) != hall {
		return nil, fault.InvalidArgument.New(fault.Field("name"))
	}
	if _, err := codes.ItemCode(lastPart(it.GetName())); err != nil {
		return nil, fault.At("name", err)
	}
	if err := cleanTexts(it); err != nil {
		return nil, err
	}
	if err := required(it); err != nil {
		return nil, err
	}
	title, err := codes.CleanName(it.GetTitle())
	if err != nil {
		return nil, fault.At("title", fault.BadText.New(fault.Cause(err)))
	}
	it.Title = title
	if hallOf(it.GetDepartment()) != hall {
		return nil, fault.InvalidArgument.New(fault.Field("department"))
	}
	if it.GetLimitUnit() == cataloguev1.TimeUnit_TIME_UNIT_UNSPECIFIED {
		it.LimitUnit = cataloguev1.TimeUnit_TIME_UNIT_WORKING_DAY
	}
	ids := map[string]bool{}
	for i, m := range it.GetMaterials() {
		if ids[m.GetId()] {
			return nil, fault.InvalidArgument.New(fault.FieldReason(fmt.Sprintf("materials[%d].id", i), fault.MaterialDuplicate))
		}
		ids[m.GetId()] = true
	}
	_, _, err = inForce(it, time.Time{})
	return it, err
}

// required are the fields without which there is no item.
func required(it *cataloguev1.Item) error {
	for _, f := range []struct {
		name  string
		empty bool
	}{
		{"title", it.GetTitle() == ""}, {"directory_entry", it.GetDirectoryEntry() == ""}, {"department", it.GetDepartment() == ""},
		{"item_type", it.GetItemType() == ""}, {"level", it.GetLevel() == 0}, {"case_type", it.GetCaseType() == 0},
	} {
		if f.empty {
			return fault.FieldRequired.New(fault.Field(f.name))
		}
	}
	return nil
}

// inForce is when an item published now is in force: from its effective date if that is
// still to come, to the end of its last day if it names one.
func inForce(it *cataloguev1.Item, now time.Time) (from, to time.Time, err error) {
	from = now
	if day := it.GetEffectiveDate(); day != "" {
		d, err := workday.ParseDate(day)
		if err != nil {
			return from, to, fault.InvalidArgument.New(fault.Field("effective_date"))
		}
		if start := workday.StartOfDay(d); start.After(now) {
			from = start
		}
	}
	if day := it.GetCancelDate(); day != "" {
		d, err := workday.ParseDate(day)
		if err != nil {
			return from, to, fault.InvalidArgument.New(fault.Field("cancel_date"))
		}
		if to = workday.StartOfDay(d + 1); !to.After(from) {
			return from, to, fault.InvalidArgument.New(fault.Field("cancel_date"))
		}
	}
	return from, to, nil
}

// sum is the SHA-256 of an item's deterministic bytes, hexadecimal.
func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// shown is an item as the desk sees it: the content being edited with the row's facts.
func shown(content *cataloguev1.Item, row store.Item, departmentTitle, revisionSHA256 string) *cataloguev1.Item {
	it := proto.CloneOf(content)
	it.State, it.Revision, it.ContentSha256 = cataloguev1.ItemState(row.State), row.Revision, revisionSHA256
	it.FullOnline = rules.FullOnline(it.GetOnlineDepth(), int(it.GetVisits()))
	it.DepartmentTitle, it.Editor = departmentTitle, row.Editor
	// As precise as it is stored, so that it reads the same ever after.
	it.CreateTime, it.UpdateTime = timestamppb.New(row.Created.Truncate(time.Microsecond)), timestamppb.New(row.Updated.Truncate(time.Microsecond))
	it.Etag = feed.Etag(row.Name, row.Sequence)
	return it
}

// ruleItem is what the publishing checks look at.
func ruleItem(it *cataloguev1.Item, effective time.Time) *rules.Item {
	r := &rules.Item{
		Code: lastPart(it.GetName()), BaseCode: lastPart(it.GetDirectoryEntry()), Title: it.GetTitle(), Type: it.GetItemType(),
		Level: rules.Level(it.GetLevel()), Instant: it.GetCaseType() == cataloguev1.CaseType_CASE_TYPE_INSTANT,
		Statutory: int(it.GetStatutoryLimit()), Promised: int(it.GetPromisedLimit()),
		StatutoryUnit: rules.Unit(it.GetLimitUnit()), PromisedUnit: rules.Unit(it.GetLimitUnit()),
		ServiceObjects: it.GetServiceObjects(), PersonThemes: it.GetPersonThemes(), LegalThemes: it.GetLegalThemes(),
		Charged: it.GetCharged(), OnlinePayment: it.GetOnlinePayment(), Visits: int(it.GetVisits()), VisitReason: it.GetVisitReason(),
		OnlineDepth: it.GetOnlineDepth(), HandlingForms: it.GetHandlingForms(), DepthLevel: int(it.GetDepthLevel()),
		ConsultPhone: it.GetConsultPhone(), ComplaintPhone: it.GetComplaintPhone(), Faqs: len(it.GetFaqs()), Effective: effective,
	}
	if text := it.GetFormSchema(); text != "" {
		_, problems := form.Compile(text)
		for _, p := range problems {
			r.FormProblems = append(r.FormProblems, rules.FormProblem(p))
		}
	}
	for _, m := range it.GetMaterials() {
		r.Materials = append(r.Materials, rules.Material{Name: m.GetDisplayName()})
	}
	for _, st := range it.GetSteps() {
		r.StepKinds = append(r.StepKinds, st.GetKind())
		if st.GetId() != "" {
			foreign := st.GetDepartment() != "" && !strings.HasPrefix(st.GetDepartment(), it.GetName()[:strings.Index(it.GetName(), "/items/")+1]+"departments/")
			r.Flow = append(r.Flow, rules.FlowStep{
				At: len(r.StepKinds) - 1, ID: st.GetId(), Kind: st.GetKind(), ForeignHall: foreign, FourEyes: st.GetFourEyes(),
				Optional: st.GetOptional(), Repeatable: st.GetRepeatable(),
			})
		}
	}
	r.FullFlow = it.GetFullFlow()
	for _, f := range it.GetFees() {
		r.Fees = append(r.Fees, rules.Fee{Name: f.GetDisplayName(), Standard: f.GetStandard(), Basis: f.GetBasis()})
	}
	for _, d := range it.GetResults() {
		r.Results = append(r.Results, rules.Result{Name: d.GetDisplayName(), Type: d.GetType(), Sample: d.GetSample()})
	}
	return r
}
