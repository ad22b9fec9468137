package house

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/onehall/onehall/deploy/load"
	"github.com/onehall/onehall/deploy/restclient"
	"github.com/onehall/onehall/deploy/sample"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/platform/authn"
)

// The divisions of the tests: the province, a city whose staff acts, and another whose
// staff must see nothing of it.
const (
	Province = "440000"
	City     = "441300"
	Foreign  = "440300"
)

// Police is the department that most items belong to.
const Police = "public-security"

// City's items, by the sample's service ids.
const (
	// Residence is for persons, ten working days promised, no approval steps demanded.
	Residence = "residence-permit"
	// Hotel is a licence with all approval steps and two pairs of eyes.
	Hotel = "hotel-licence"
	// Record is promised within one working day.
	Record = "no-criminal-record"
	// Birth has a form to fill in.
	Birth = "birth"
	// TempID is done at once, at the counter.
	TempID = "temporary-id"
)

// titles find the items in the sample.
var titles = map[string]string{
	Birth: "出生登记（新生儿报户口）", Residence: "居住证申领", Hotel: "旅馆业特种行业许可证核发", Record: "无犯罪记录证明开具", TempID: "临时居民身份证办理",
}

// Data is what was loaded into a hall.
type Data struct {
	// Items are City's, by the words above; Abroad is Foreign's residence permit.
	Items  map[string]*cataloguev1.Item
	Abroad *cataloguev1.Item
	// People are invented applicants, all natural persons; Companies are companies.
	People, Companies []sample.Applicant
}

// Admin administers everything.
func Admin() authn.User { return Post(City, "", "admin", 1) }

// Applicant is a person's account.
func Applicant(a sample.Applicant) authn.User {
	return authn.User{Login: a.Subject, Name: a.Name, Roles: []string{"applicant"}, IDType: a.IDType, IDNumber: a.IDNumber}
}

// Seed loads halls, departments and items through the API, as an administrator would,
// and returns when casework knows them.
func (h *House) Seed() *Data {
	h.t.Helper()
	ctx := h.t.Context()
	admin := h.As(Admin())
	d := &Data{Items: map[string]*cataloguev1.Item{}}
	for _, code := range []string{Province, City, Foreign} {
		h.openHall(ctx, admin, code)
	}
	for _, code := range []string{City, Foreign} {
		h.loadItems(ctx, admin, code, d)
	}
	for _, a := range sample.Applicants(20260101, 200) {
		if a.Company {
			d.Companies = append(d.Companies, a)
		} else {
			d.People = append(d.People, a)
		}
	}
	for _, it := range append(slices.Collect(maps.Values(d.Items)), d.Abroad) {
		h.awaitItem(it, d)
	}
	return d
}

func (h *House) openHall(ctx context.Context, admin *restclient.Client, code string) {
	h.t.Helper()
	d, ok := sample.FindDivision(code)
	if !ok {
		h.t.Fatalf("house: no division %s", code)
	}
	hall := &cataloguev1.Hall{Name: load.HallName(code), DisplayName: d.Name, Level: level(d)}
	if code != Province {
		hall.ParentHall = load.HallName(Province)
	}
	made := &cataloguev1.Hall{}
	must(h.t, "open hall "+code, admin.Post(ctx, "/v1/halls?requestId="+uuid.NewString(), hall, made))
	must(h.t, "launch hall "+code, admin.Post(ctx, "/v1/"+made.GetName()+":launch",
		&cataloguev1.LaunchHallRequest{Etag: made.GetEtag(), RequestId: uuid.NewString()}, made))
}

func level(d sample.Division) cataloguev1.Level {
	if d.Level == sample.LevelProvince {
		return cataloguev1.Level_LEVEL_PROVINCE
	}
	return cataloguev1.Level_LEVEL_CITY
}

func (h *House) loadItems(ctx context.Context, admin *restclient.Client, code string, d *Data) {
	h.t.Helper()
	div, _ := sample.FindDivision(code)
	for _, dep := range sample.Departments(div) {
		if dep.ID == Police {
			must(h.t, "department", admin.Post(ctx, "/v1/"+load.HallName(code)+"/departments?requestId="+uuid.NewString(), &cataloguev1.Department{
				Name: load.DepartmentName(code, dep.ID), DisplayName: dep.Name, Uscc: dep.USCC, Level: level(div),
				Nature: int32(dep.Nature), Address: dep.Address, Phone: dep.Phone,
			}, nil))
		}
	}
	req := &cataloguev1.LoadItemsRequest{RequestId: uuid.NewString()}
	dir := &cataloguev1.BatchCreateDirectoryEntriesRequest{RequestId: uuid.NewString()}
	for _, it := range sample.CoreItems(div) {
		for word, title := range titles {
			if it.Name != title || code == Foreign && word != Residence {
				continue
			}
			item := load.Item(it)
			if word != Birth {
				item.FormSchema = "" // most tests are of other things than of what is filled in
			}
			req.Items = append(req.Items, item)
			dir.DirectoryEntries = append(dir.DirectoryEntries, entry(item))
			if code == City {
				d.Items[word] = item
			} else {
				d.Abroad = item
			}
		}
	}
	must(h.t, "directory", admin.Post(ctx, "/v1/directory:batchCreate", dir, nil))
	must(h.t, "items", admin.Post(ctx, "/v1/"+load.HallName(code)+"/items:load", req, nil))
}

// entry is the directory entry that an item implements.
func entry(it *cataloguev1.Item) *cataloguev1.DirectoryEntry {
	return &cataloguev1.DirectoryEntry{
		Name: it.GetDirectoryEntry(), DisplayName: it.GetTitle(), ItemType: it.GetItemType(), LegalBasis: it.GetLegalBasis(),
		Levels: []cataloguev1.Level{cataloguev1.Level_LEVEL_CITY, cataloguev1.Level_LEVEL_COUNTY},
	}
}

// awaitItem waits until casework has the item: then an application without materials
// fails for the lack of them, and before for the item.
func (h *House) awaitItem(it *cataloguev1.Item, d *Data) {
	h.t.Helper()
	who := d.People[0]
	body := &caseworkv1.FileCaseRequest{RequestId: uuid.NewString(), Case: Application(it, who)}
	body.Case.Materials = nil
	hall, _, _ := cutItem(it.GetName())
	Eventually(h.t, "casework knows "+it.GetTitle(), func(ctx context.Context) (bool, string) {
		err := h.As(Applicant(who)).Post(ctx, "/v1/"+hall+"/cases:file", body, nil)
		var refusal *restclient.Error
		if !errors.As(err, &refusal) {
			return false, "filed or failed: " + text(err)
		}
		return refusal.Reason == "MATERIAL_MISSING", refusal.Error()
	})
}

func text(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// cutItem splits halls/{division}/items/{code}.
func cutItem(name string) (hall, code string, ok bool) {
	const at = len("halls/000000")
	if len(name) <= at+len("/items/") {
		return "", "", false
	}
	return name[:at], name[at+len("/items/"):], true
}

// Application is a complete application for an item.
func Application(it *cataloguev1.Item, a sample.Applicant) *caseworkv1.Case {
	c := &caseworkv1.Case{
		Item: it.GetName(), Subject: "关于" + it.GetTitle(),
		Applicant: &caseworkv1.Applicant{
			Type: caseworkv1.ApplicantType_APPLICANT_TYPE_PERSON, IdType: caseworkv1.IdType_ID_TYPE_RESIDENT_ID,
			DisplayName: a.Name, IdNumber: a.IDNumber, ContactName: a.Contact, Phone: a.Phone, Address: a.Address,
		},
	}
	if a.Company {
		c.Applicant.Type, c.Applicant.IdType = caseworkv1.ApplicantType_APPLICANT_TYPE_ENTERPRISE, caseworkv1.IdType_ID_TYPE_USCC
	}
	if filled := sample.FilledForm(it.GetFormSchema(), a); filled != nil {
		form, err := structpb.NewStruct(filled)
		if err != nil {
			panic(fmt.Sprintf("house: form of %s: %v", it.GetName(), err)) // the sample's tests fill in every form
		}
		c.Form = form
	}
	for _, m := range it.GetMaterials() {
		if m.GetNecessary() {
			c.Materials = append(c.Materials, &caseworkv1.CaseMaterial{MaterialId: m.GetId(), FileName: m.GetDisplayName() + ".pdf", Sha256: hash(m.GetId() + a.IDNumber)})
		}
	}
	return c
}

// hash stands for a file's SHA-256.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// must ends the test on an error.
func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Query makes a query string.
func Query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return "?" + v.Encode()
}

// Clone copies a message.
func Clone[M proto.Message](m M) M { return proto.CloneOf(m) }

// StatusOf is the HTTP status of a refusal, 200 of none, 0 of a transport fault.
func StatusOf(err error) int {
	var refusal *restclient.Error
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &refusal):
		return refusal.Status
	}
	return 0
}
