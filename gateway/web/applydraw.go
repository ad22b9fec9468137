package web

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/form"
)

// drawApply shows the page with what is wrong beside each field and all of it at the top.
func (s *Site) drawApply(w http.ResponseWriter, r *http.Request, a *application, code int, found ...error) {
	v := &a.view
	v.Errors = map[string]string{}
	if v.Draft != "" {
		// The draft may have been saved though it could not be submitted: what is sent next
		// is another request.
		v.RequestID = uuid.NewString()
	}
	for _, err := range found {
		if err != nil {
			s.report(r.Context(), err)
			v.note(fault.Of(err))
		}
	}
	v.Wrong = v.wrongOutside()
	if a.schema != nil {
		p := &paper{errors: v.Errors, known: a.known, blanks: a.blanks}
		v.Fields = p.draw(a.schema.Fields, a.filled, formPrefix)
		v.Wrong = append(v.Wrong, wrongFields(v.Fields, "")...)
		for _, key := range []string{"form", "form.*"} {
			if v.Errors[key] != "" {
				v.Top = append(v.Top, v.Errors[key])
			}
		}
	}
	title := "网上申办：" + a.item.GetTitle()
	if v.Case != nil {
		title = "补正：" + a.item.GetTitle()
	}
	s.show(w, r, "apply", code, page{Title: title, Data: *v})
}

// note keeps what an error says of each field; what it says of none is told at the top.
func (v *applyView) note(f *fault.Fault) {
	for _, one := range f.Violations() {
		v.Errors[strings.TrimPrefix(one.Field, "case.")] = one.ZH // a supplement's fields have no such beginning
	}
	fields := f.Reason().Name == fault.FormInvalid.Name || f.Reason().Name == fault.InvalidArgument.Name
	if !fields || len(f.Violations()) == 0 {
		v.Top = append(v.Top, f.Message(fault.Chinese))
	}
}

// wrongOutside are the errors of what is on the page beside the form itself.
func (v *applyView) wrongOutside() []wrong {
	var out []wrong
	for _, f := range []struct{ key, id, title, value string }{
		{"mandate", "mandate", "为谁办理", v.Mandate}, {"applicant.display_name", "a-name", "姓名或单位名称", v.Applicant.GetDisplayName()},
		{"applicant.id_number", "a-id", "证件号码", v.Applicant.GetIdNumber()}, {"applicant.contact_name", "a-contact", "联系人", "-"},
		{"applicant.phone", "a-phone", "联系电话", v.Applicant.GetPhone()}, {"applicant.address", "a-address", "收件地址", "-"},
		{"subject", "a-subject", "申请内容", "-"}, {"materials", "materials", "申请材料", "-"},
	} {
		if v.Errors[f.key] == "" {
			continue
		}
		if f.value == "" {
			v.Errors[f.key] = "必须填写"
		}
		out = append(out, wrong{f.id, f.title, v.Errors[f.key]})
	}
	return out
}

// wrongFields are the fields with errors in the order of the page.
func wrongFields(fields []*field, before string) []wrong {
	var out []wrong
	for _, f := range fields {
		title := f.Title
		if before != "" {
			title = before + "，" + title
		}
		if f.Error != "" {
			out = append(out, wrong{f.ID, title, f.Error})
		}
		inner := title
		if f.Kind == form.List {
			inner = ""
		}
		out = append(out, wrongFields(f.Inner, inner)...)
		for i, row := range f.Rows {
			out = append(out, wrongFields(row, title+"第 "+itoa(i+1)+" 项")...)
		}
	}
	return out
}
