package main

import (
	"fmt"
	"io"

	"github.com/onehall/onehall/deploy/sample"
	"github.com/onehall/onehall/services/platform/authn"
)

// demoPassword is every demo user's.
const demoPassword = "demo"

// demoCity is where the demonstration plays.
const demoCity = "441300"

// demoSeed makes the same invented people every time.
const demoSeed = 2014

// person is a demo user with what the demonstration needs to know of it.
type person struct {
	authn.User
	Phone, Address string
}

// demoApplicants are an invented citizen and an invented company.
func demoApplicants() (citizen, company person) {
	for _, a := range sample.Applicants(demoSeed, 40) {
		switch {
		case a.Company && company.Login == "":
			company = applicant("company", a)
		case !a.Company && citizen.Login == "":
			citizen = applicant("citizen", a)
		}
	}
	return citizen, company
}

func applicant(login string, a sample.Applicant) person {
	return person{
		User: authn.User{
			Login: login, Password: demoPassword, Name: a.Name, Roles: []string{"applicant"}, IDType: a.IDType, IDNumber: a.IDNumber,
		},
		Phone: a.Phone, Address: a.Address,
	}
}

// demoBodies are the departments whose staff can sign in, with the word their
// logins begin with.
var demoBodies = []struct{ id, login string }{
	{"market-supervision", "market"},
	{"social-insurance", "social"},
	{"public-security", "police"},
}

// demoUsers are everybody who can sign in to a hall with the built-in issuer.
func demoUsers() []authn.User {
	citizen, company := demoApplicants()
	users := []authn.User{citizen.User, company.User}
	city, _ := sample.FindDivision(demoCity)
	for _, dep := range sample.Departments(city) {
		for _, b := range demoBodies {
			if dep.ID == b.id {
				users = append(users, staff(b.login, sample.Officials(dep))...)
				users = append(users, frontMachine(b.login, dep))
			}
		}
	}
	return append(users, staff("hall", sample.HallOfficials(city))...)
}

// frontMachine is the machine that sends and fetches rows of a department's own system.
func frontMachine(prefix string, dep sample.Department) authn.User {
	return authn.User{
		Login: prefix + "-exchange-1", Password: demoPassword, Name: "前置机", Roles: []string{"exchange"}, Hall: demoCity, Department: dep.ID, Posts: []string{"前置机"},
	}
}

// staff gives officials short logins: market-window-1, hall-admin-1 and so on.
func staff(prefix string, officials []sample.Official) []authn.User {
	count := map[string]int{}
	var users []authn.User
	for _, o := range officials {
		count[o.Role]++
		users = append(users, authn.User{
			Login: fmt.Sprintf("%s-%s-%d", prefix, o.Role, count[o.Role]), Password: demoPassword, Name: o.Name,
			Roles: []string{o.Role}, Hall: o.Hall, Department: o.Department, Posts: []string{o.Post},
		})
	}
	return users
}

func printLogins(out io.Writer, users []authn.User) {
	fmt.Fprintf(out, "  演示账号 logins（密码 password: %s）\n", demoPassword)
	for _, u := range users {
		post := "申请人"
		if len(u.Posts) > 0 {
			post = u.Posts[0]
		}
		fmt.Fprintf(out, "    %-20s %s（%s）\n", u.Login, u.Name, post)
	}
}
