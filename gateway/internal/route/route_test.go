package route_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/gateway/internal/route"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/fault"
)

func table(t *testing.T) *route.Table {
	t.Helper()
	tb, err := route.New(
		cataloguev1.File_onehall_catalogue_v1_catalogue_proto.Services().Get(0),
		caseworkv1.File_onehall_casework_v1_casework_proto.Services().Get(0),
		supervisionv1.File_onehall_supervision_v1_supervision_proto.Services().Get(0),
	)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func TestMatch(t *testing.T) {
	tb := table(t)
	for _, tc := range []struct {
		method, path string
		rpc          string
		vars         map[string]string
		offered      []string
	}{
		{"GET", "/v1/halls/441300", "GetHall", map[string]string{"name": "halls/441300"}, []string{"GET"}},
		{"PATCH", "/v1/halls/441300/items/x", "UpdateItem", map[string]string{"item.name": "halls/441300/items/x"}, []string{"GET", "PATCH"}},
		{"GET", "/v1/halls/441300/items/x:check", "CheckItem", map[string]string{"name": "halls/441300/items/x"}, []string{"GET"}},
		{"POST", "/v1/halls/441300/cases:file", "FileCase", map[string]string{"parent": "halls/441300"}, []string{"POST"}},
		{"GET", "/v1/halls/441300/cases/1/clock:explain", "ExplainDue", map[string]string{"name": "halls/441300/cases/1/clock"}, []string{"GET"}},
		{"GET", "/v1/items:search", "SearchItems", map[string]string{}, []string{"GET"}},
		{"DELETE", "/v1/halls/441300", "", nil, []string{"GET"}},
		{"GET", "/v1/halls/441300:launch", "", nil, []string{"POST"}},
		{"GET", "/v1/halls/441300:nothing", "", nil, nil},
		{"GET", "/v1/halls/441300:", "", nil, nil},
		{"GET", "/v1/halls/", "", nil, nil},
		{"GET", "/v1/halls//items", "", nil, nil},
		{"GET", "/v1", "", nil, nil},
		{"GET", "/", "", nil, nil},
		{"GET", "", "", nil, nil},
	} {
		r, vars, offered := tb.Match(tc.method, tc.path)
		rpc := ""
		if r != nil {
			rpc = string(r.RPC.Name())
		}
		if rpc != tc.rpc || !cmp.Equal(vars, tc.vars) || !cmp.Equal(offered, tc.offered) {
			t.Errorf("%s %s: %s %v %v", tc.method, tc.path, rpc, vars, offered)
		}
	}
}

func TestQuery(t *testing.T) {
	tb := table(t)
	for _, tc := range []struct {
		method, path, query string
		want                *fault.Reason
	}{
		{"GET", "/v1/halls", "", nil},
		{"GET", "/v1/halls", "pageSize=5&page_token=x&level=LEVEL_CITY&parentHall=halls/440000", nil},
		{"GET", "/v1/halls", "level=3", nil},
		{"GET", "/v1/halls", "nope=1", fault.UnknownParameter},
		{"GET", "/v1/halls", "pageSize=1&pageSize=2", fault.DuplicateKey},
		{"GET", "/v1/halls", "a=1;b=2", fault.BadPath},
		{"GET", "/v1/halls", "pageSize=%zz", fault.BadPath},
		{"GET", "/v1/halls", "pageSize=1.5", fault.InvalidArgument},
		{"GET", "/v1/items:search", "fullOnline=true", nil},
		{"GET", "/v1/items:search", "fullOnline=maybe", fault.InvalidArgument},
		{"POST", "/v1/halls/441300/cases", "requestId=x", nil},
		{"POST", "/v1/halls/441300/cases", "case.subject=x", fault.UnknownParameter},
		{"PATCH", "/v1/halls/441300/items/x", "updateMask=title,summary&requestId=x", nil},
		{"PATCH", "/v1/halls/441300/items/x", "item.name=y", fault.UnknownParameter},
		{"POST", "/v1/halls/441300/cases:file", "requestId=x", fault.UnknownParameter},
	} {
		r, _, _ := tb.Match(tc.method, tc.path)
		if r == nil {
			t.Fatalf("no route %s %s", tc.method, tc.path)
		}
		err := r.CheckQuery(tc.query)
		if tc.want == nil && err != nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s %s?%s: %v", tc.method, tc.path, tc.query, err)
		}
	}
}

func TestRequest(t *testing.T) {
	r, vars, _ := table(t).Match("GET", "/v1/halls/441300/cards:watch")
	req, err := r.Request(vars, "after=7")
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(req, &supervisionv1.WatchCardsRequest{Parent: "halls/441300", After: 7}) {
		t.Errorf("%v", req)
	}
}

// A service that no path leads to is not opened by mistake.
func TestServiceWithoutRules(t *testing.T) {
	if _, err := route.New(feedv1.File_onehall_feed_v1_feed_proto.Services().Get(0)); err == nil {
		t.Error("the feed was opened")
	}
	sd := cataloguev1.File_onehall_catalogue_v1_catalogue_proto.Services().Get(0)
	if _, err := route.New(sd, sd); err == nil {
		t.Error("two methods share a path")
	}
}
