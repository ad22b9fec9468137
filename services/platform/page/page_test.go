package page

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/onehall/onehall/services/platform/fault"
)

var codec = Codec{Secret: []byte("a secret of the listing service")}

func TestSize(t *testing.T) {
	for _, tc := range []struct {
		req  int32
		want int
		err  error
	}{
		{-1, 0, fault.BadPageSize}, {-1 << 31, 0, fault.BadPageSize},
		{0, 20, nil}, {1, 1, nil}, {100, 100, nil}, {101, 100, nil}, {1_000_000_000, 100, nil},
	} {
		got, err := Size(tc.req, 20, 100)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("Size(%d) = %d, %v; want %d, %v", tc.req, got, err, tc.want, tc.err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		who, filter := rapid.String().Draw(t, "who"), rapid.String().Draw(t, "filter")
		key := rapid.SliceOfN(rapid.StringN(0, 40, 80), 0, 5).Draw(t, "key")
		got, err := codec.Decode(codec.Encode(who, filter, key...), who, filter)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]string{}, key...), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFirstPage(t *testing.T) {
	got, err := codec.Decode("", "zhang", "f")
	if got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	filter := FilterHash("halls/440100", "state=accepted")
	token := codec.Encode("zhang", filter, "2026-02-14", "440100260214000000017")
	other := FilterHash("halls/440100", "state=draft")
	sealed := func(body ...byte) string {
		return base64.RawURLEncoding.EncodeToString(append(codec.seal("zhang", filter, body), body...))
	}
	for _, tc := range []struct{ name, token, who, filter string }{
		{"another person", token, "li", filter},
		{"another filter", token, "zhang", other},
		{"parts shifted", codec.Encode("zhan", "g"+filter, "k"), "zhang", filter},
		{"another secret", Codec{Secret: []byte("other")}.Encode("zhang", filter, "k"), "zhang", filter},
		{"another release", sealed(version+1, 1, 'k'), "zhang", filter},
		{"key longer than the token", sealed(version, 200, 1, 'k'), "zhang", filter},
		{"key of overflowing length", sealed(version, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1), "zhang", filter},
		{"not base64", "%%%", "zhang", filter},
		{"padded", token + "=", "zhang", filter},
		{"with a line break", token + "\n", "zhang", filter},
		{"cut", token[:len(token)-3], "zhang", filter},
		{"only a seal", token[:43], "zhang", filter},
		{"too short", "AAAA", "zhang", filter},
		{"huge", strings.Repeat("A", 1<<20), "zhang", filter},
	} {
		if got, err := codec.Decode(tc.token, tc.who, tc.filter); !errors.Is(err, fault.BadPageToken) {
			t.Errorf("%s: %v, %v", tc.name, got, err)
		}
	}
}

func TestEveryEditIsRefused(t *testing.T) {
	token := codec.Encode("zhang", "f", "440100260214000000017")
	for i := range token {
		for _, c := range "Az0_" {
			edited := token[:i] + string(c) + token[i+1:]
			if edited == token {
				continue
			}
			if _, err := codec.Decode(edited, "zhang", "f"); !errors.Is(err, fault.BadPageToken) {
				t.Fatalf("position %d set to %c: %v", i, c, err)
			}
		}
	}
}

func TestTokenHidesPrincipalAndFilter(t *testing.T) {
	raw, err := base64.RawURLEncoding.DecodeString(codec.Encode("zhang", "state=draft", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "zhang") || strings.Contains(string(raw), "draft") {
		t.Error("the token tells whose it is")
	}
}

func TestFilterHash(t *testing.T) {
	if FilterHash("a", "bc") == FilterHash("ab", "c") || FilterHash() == FilterHash("") {
		t.Error("different questions have one hash")
	}
	if FilterHash("a", "b") != FilterHash("a", "b") {
		t.Error("one question has two hashes")
	}
}
