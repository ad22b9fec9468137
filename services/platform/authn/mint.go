package authn

import "fmt"

// Mint makes an access token for a person without a sign-in. It is for the program
// that holds the issuer itself, to speak as people it made up.
func (i *Issuer) Mint(u User) (string, error) {
	for _, r := range u.Roles {
		if _, ok := ParseRole(r); !ok {
			return "", fmt.Errorf("authn: user %q has the unknown role %q", u.Login, r)
		}
	}
	return i.sign(Audience, "user/"+u.Login, userTokenFor, userClaims(u))
}

// MintFor is Mint for a user the issuer knows.
func (i *Issuer) MintFor(login string) (string, error) {
	u, ok := i.users[login]
	if !ok {
		return "", fmt.Errorf("authn: there is no user %q", login)
	}
	return i.Mint(u)
}
