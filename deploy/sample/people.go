package sample

import (
	"fmt"
	"time"
)

// Applicant is an invented person or company.
type Applicant struct {
	// Subject is the name to sign in with, unique within a seed.
	Subject string
	Name    string
	// Company says that it is a company; then IDType is uscc.
	Company  bool
	IDType   string // resident_id or uscc
	IDNumber string
	// Contact is the person to ask for; for persons it is the applicant.
	Contact string
	Phone   string
	Address string
}

var (
	surnames = []rune("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹喻潘葛范彭郎鲁韦马苗方俞任袁柳唐罗薛梁黄林邓叶钟")
	givens   = []rune("安柏晨川丹恩帆谷海嘉君凯岚铭宁沛奇然书桐文希雅泽芷辰晓宇若佳怡欣诗涵子轩梓浩博明志国建华丽秀英芳玲婷慧敏静")
	trades   = []string{"商贸", "科技", "餐饮管理", "建筑工程", "物流", "农业发展", "文化传播", "医疗器械", "电子", "塑胶制品"}
	brands   = []rune("恒鑫瑞泰德信隆昌嘉远盛达宏润丰和兴源")
)

func personName(r *rng) string {
	name := string(pick(r, surnames)) + string(pick(r, givens))
	if r.chance(70) {
		name += string(pick(r, givens))
	}
	return name
}

// mobilePhone uses the range 154, which no operator has been given.
func mobilePhone(r *rng) string { return fmt.Sprintf("154%08d", r.intn(100_000_000)) }

// residentID uses the code of the whole city of Huizhou, which is given to
// nobody: everybody belongs to a county.
func residentID(r *rng) string {
	days := r.intn(48 * 365) // born 1955 to 2002, so of age in 2024
	born := time.Date(1955, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days)
	return makeResidentID(huizhouCode, born.Format("20060102"), 1+r.intn(999))
}

// Applicants returns n invented persons and companies, about one company in
// four, all with different identity numbers.
func Applicants(seed uint64, n int) []Applicant {
	r := newRNG(seed)
	seen := make(map[string]bool, n)
	out := make([]Applicant, 0, n)
	for len(out) < n {
		a := person(r)
		if r.chance(25) {
			a = company(r)
		}
		if seen[a.IDNumber] {
			continue
		}
		seen[a.IDNumber] = true
		a.Subject = fmt.Sprintf("applicant-%06d", len(out)+1)
		out = append(out, a)
	}
	return out
}

func address(r *rng) string {
	d := pick(r, Children(huizhouCode))
	town := pick(r, Towns(d.Code))
	return fmt.Sprintf("广东省惠州市%s%s样本路%d号", d.Name, town.Name, 1+r.intn(300))
}

func person(r *rng) Applicant {
	name := personName(r)
	return Applicant{
		Name: name, IDType: "resident_id", IDNumber: residentID(r),
		Contact: name, Phone: mobilePhone(r), Address: address(r),
	}
}

func company(r *rng) Applicant {
	// 91: registered by market supervision, an enterprise.
	org := makeOrgCode(fmt.Sprintf("YL%06d", r.intn(1_000_000)))
	name := fmt.Sprintf("惠州市样本%s%s%s有限公司", string(pick(r, brands)), string(pick(r, brands)), pick(r, trades))
	return Applicant{
		Name: name, Company: true, IDType: "uscc", IDNumber: makeUSCC("91", huizhouCode, org),
		Contact: personName(r), Phone: mobilePhone(r), Address: address(r),
	}
}

// Roles an official can have, as tokens name them.
const (
	RoleWindow     = "window"
	RoleOfficer    = "officer"
	RoleHead       = "head"
	RoleEditor     = "editor"
	RolePublisher  = "publisher"
	RoleSupervisor = "supervisor"
	RoleAnalyst    = "analyst"
	RoleAdmin      = "admin"
)

// Official is an invented member of staff.
type Official struct {
	// Subject is the name to sign in with, as 441300-civil-affairs-window-1.
	Subject string
	Name    string
	StaffNo string
	Role    string
	Post    string
	Hall    string
	// Department is empty for those who work for the hall as a whole.
	Department     string
	DepartmentName string
}

// Officials returns the staff of a department: two at the window, two officers,
// one head and one editor.
func Officials(dep Department) []Official {
	return staff(dep, dep.USCC[14:16], []post{
		{RoleWindow, "窗口工作人员"}, {RoleWindow, "窗口工作人员"},
		{RoleOfficer, "经办人"}, {RoleOfficer, "审核人"},
		{RoleHead, "分管负责人"}, {RoleEditor, "事项管理员"},
	})
}

// HallOfficials returns those who work for a hall as a whole: publisher,
// supervisor, analyst and administrator.
func HallOfficials(d Division) []Official {
	return staff(Department{Division: d.Code}, "99", []post{
		{RolePublisher, "编办审核员"}, {RoleSupervisor, "电子监察员"},
		{RoleAnalyst, "统计分析员"}, {RoleAdmin, "系统管理员"},
	})
}

type post struct{ role, name string }

// staff numbers are hall, two digits of the body (its kind in the USCC, 99 for
// the hall as a whole) and two of the person.
func staff(dep Department, body string, posts []post) []Official {
	hall := dep.Division
	r := newRNG(seedOf("staff", hall, dep.ID))
	count := make(map[string]int)
	out := make([]Official, 0, len(posts))
	for i, p := range posts {
		count[p.role]++
		subject := fmt.Sprintf("%s-%s-%d", hall, p.role, count[p.role])
		if dep.ID != "" {
			subject = fmt.Sprintf("%s-%s-%s-%d", hall, dep.ID, p.role, count[p.role])
		}
		out = append(out, Official{
			Subject: subject, Name: personName(r), StaffNo: fmt.Sprintf("%s%s%02d", hall, body, i+1),
			Role: p.role, Post: p.name, Hall: hall, Department: dep.ID, DepartmentName: dep.Name,
		})
	}
	return out
}
