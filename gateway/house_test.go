package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/onehall/onehall/gateway"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/boot/boottest"
	"github.com/onehall/onehall/services/platform/clock"
	"github.com/onehall/onehall/services/platform/fault"
)

// The services here answer from their arguments, so that the tests see exactly what came
// through. Everything between is real: etcd, issuer, tokens, interceptors, channels.

const itemName = "halls/441300/items/1144130000720000X74400165001000"

// call is what a service saw of one call.
type call struct {
	method string
	md     metadata.MD
	caller *authn.Principal
	left   time.Duration
}

// calls collects them.
type calls struct {
	mu  sync.Mutex
	all []call
}

func (c *calls) note(ctx context.Context, method string) {
	md, _ := metadata.FromIncomingContext(ctx)
	p, _ := authn.From(ctx)
	end, _ := ctx.Deadline()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call{method, md, p, time.Until(end)})
}

func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all)
}

func (c *calls) last(t *testing.T) call {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == 0 {
		t.Fatal("no call came through")
	}
	return c.all[len(c.all)-1]
}

type component struct{ register func(grpc.ServiceRegistrar) }

func (c component) Register(r grpc.ServiceRegistrar) { c.register(r) }
func (c component) Run(ctx context.Context) error    { <-ctx.Done(); return ctx.Err() }
func (c component) Close() error                     { return nil }

type catalogue struct {
	cataloguev1.UnimplementedCatalogueServiceServer
	*calls
	// GetHall of halls/999999 tells arrived and waits for hold.
	arrived, hold chan struct{}
}

func (s catalogue) GetHall(ctx context.Context, req *cataloguev1.GetHallRequest) (*cataloguev1.Hall, error) {
	s.note(ctx, "GetHall")
	switch req.GetName() {
	case "halls/000000":
		return nil, fault.NotFound.New()
	case "halls/000001":
		panic("select * from secrets at /var/lib/onehall")
	case "halls/000002":
		return nil, fault.TooManyRequests.New(fault.RetryAfter(1500 * time.Millisecond))
	case "halls/999999":
		s.arrived <- struct{}{}
		<-s.hold
	case "halls/999998":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &cataloguev1.Hall{Name: req.GetName(), DisplayName: "惠州市"}, nil
}

func (s catalogue) CreateHall(ctx context.Context, req *cataloguev1.CreateHallRequest) (*cataloguev1.Hall, error) {
	s.note(ctx, "CreateHall")
	return req.GetHall(), nil
}

func (s catalogue) UpdateItem(ctx context.Context, req *cataloguev1.UpdateItemRequest) (*cataloguev1.Item, error) {
	s.note(ctx, "UpdateItem")
	return &cataloguev1.Item{Name: req.GetItem().GetName(), Summary: strings.Join(req.GetUpdateMask().GetPaths(), ",")}, nil
}

func (s catalogue) ListHalls(ctx context.Context, req *cataloguev1.ListHallsRequest) (*cataloguev1.ListHallsResponse, error) {
	s.note(ctx, "ListHalls")
	if req.GetPageSize() < 0 {
		return nil, fault.BadPageSize.New(fault.Field("page_size"))
	}
	return &cataloguev1.ListHallsResponse{Halls: []*cataloguev1.Hall{{Name: "halls/441300", DisplayName: "惠州市<i>"}}}, nil
}

func (s catalogue) SearchItems(ctx context.Context, req *cataloguev1.SearchItemsRequest) (*cataloguev1.SearchItemsResponse, error) {
	s.note(ctx, "SearchItems")
	return &cataloguev1.SearchItemsResponse{TotalSize: 1, NextPageToken: "next", Hits: []*cataloguev1.ItemHit{{Item: itemName, Title: "居住证办理", Summary: req.GetQuery()}}}, nil
}

func (s catalogue) GetItem(ctx context.Context, req *cataloguev1.GetItemRequest) (*cataloguev1.Item, error) {
	s.note(ctx, "GetItem")
	return &cataloguev1.Item{
		Name: req.GetName(), Title: "居住证办理", PromisedLimit: 5, StatutoryLimit: 15, LimitUnit: cataloguev1.TimeUnit_TIME_UNIT_WORKING_DAY,
		Conditions: "在本市居住半年以上<script>", ServiceObjects: []int32{1}, ConsultPhone: "0752-12345",
		Materials: []*cataloguev1.Material{{DisplayName: "身份证", Necessary: true, Copies: 1}},
		Steps:     []*cataloguev1.ProcessStep{{DisplayName: "受理", Limit: 1}},
		Faqs:      []*cataloguev1.Faq{{Question: "多久能拿到？", Answer: "五个工作日。"}},
	}, nil
}

type casework struct {
	caseworkv1.UnimplementedCaseworkServiceServer
	*calls
}

func (s casework) FileCase(ctx context.Context, req *caseworkv1.FileCaseRequest) (*caseworkv1.Case, error) {
	s.note(ctx, "FileCase")
	c := req.GetCase()
	c.Name, c.ItemRevision = req.GetParent()+"/cases/441300260105000000018", req.GetItemRevision()
	return c, nil
}

func (s casework) GetCase(ctx context.Context, req *caseworkv1.GetCaseRequest) (*caseworkv1.Case, error) {
	s.note(ctx, "GetCase")
	return nil, fault.CaseWrongState.New(fault.Meta("state", "draft"), fault.Cause(io.ErrUnexpectedEOF))
}

func (s casework) QueryProgress(ctx context.Context, req *caseworkv1.QueryProgressRequest) (*caseworkv1.Progress, error) {
	s.note(ctx, "QueryProgress")
	if req.GetQueryCode() != "good" {
		return nil, fault.NotFound.New()
	}
	return &caseworkv1.Progress{CaseNo: req.GetCaseNo(), ItemTitle: `<img src=x onerror=alert(1)>{{.}}`, StateTitle: "已受理"}, nil
}

type supervision struct {
	supervisionv1.UnimplementedSupervisionServiceServer
	*calls
	// more is given message by message to whoever watches halls/441301.
	more chan *supervisionv1.WatchCardsResponse
}

func (s supervision) WatchCards(req *supervisionv1.WatchCardsRequest, stream grpc.ServerStreamingServer[supervisionv1.WatchCardsResponse]) error {
	s.note(stream.Context(), "WatchCards")
	send := func(from, to int64) error {
		for p := from; p <= to; p++ {
			if err := stream.Send(&supervisionv1.WatchCardsResponse{Position: p, Card: &supervisionv1.Card{Name: "halls/441300/cards/c"}}); err != nil {
				return err
			}
		}
		return nil
	}
	switch req.GetParent() {
	case "halls/000000":
		return fault.NotFound.New()
	case "halls/441300":
		return send(req.GetAfter()+1, req.GetAfter()+3)
	case "halls/441302": // breaks in the middle
		if err := send(1, 2); err != nil {
			return err
		}
		return fault.Unavailable.New(fault.RetryAfter(time.Second))
	case "halls/441303": // never stops
		for p := int64(1); ; p += 100 {
			if err := send(p, p+99); err != nil {
				return err
			}
		}
	}
	for {
		select {
		case m := <-s.more:
			if err := stream.Send(m); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

type review struct {
	reviewv1.UnimplementedReviewServiceServer
	*calls
}

func (s review) GetReviewSummary(ctx context.Context, _ *reviewv1.GetReviewSummaryRequest) (*reviewv1.ReviewSummary, error) {
	s.note(ctx, "GetReviewSummary")
	mean := 4.5
	return &reviewv1.ReviewSummary{SampleSize: 2, AverageStars: &mean, Satisfaction: &mean}, nil
}

func (s review) ListReviews(ctx context.Context, _ *reviewv1.ListReviewsRequest) (*reviewv1.ListReviewsResponse, error) {
	s.note(ctx, "ListReviews")
	return &reviewv1.ListReviewsResponse{Reviews: []*reviewv1.Review{{Stars: 5, Text: "很快", Reply: "谢谢"}}}, nil
}

type hub struct {
	hubv1.UnimplementedHubServiceServer
	*calls
}

func (s hub) ListMetrics(context.Context, *hubv1.ListMetricsRequest) (*hubv1.ListMetricsResponse, error) {
	return &hubv1.ListMetricsResponse{Metrics: []*hubv1.Metric{{Id: "finish_rate", DisplayName: "办结率", Formula: "办结数÷受理数"}}}, nil
}

func (s hub) GetRates(context.Context, *hubv1.GetRatesRequest) (*hubv1.GetRatesResponse, error) {
	value := 66.67
	return &hubv1.GetRatesResponse{
		Rates:         []*hubv1.Rate{{Metric: "finish_rate", DisplayName: "办结率", Numerator: 2, Denominator: 3, Value: &value}, {Metric: "x", DisplayName: "空"}},
		CompleteUntil: timestamppb.New(time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC)),
	}, nil
}

func (s hub) RankHalls(context.Context, *hubv1.RankHallsRequest) (*hubv1.RankHallsResponse, error) {
	return &hubv1.RankHallsResponse{RankedHalls: []*hubv1.RankedHall{{Hall: "halls/441300", DisplayName: "惠州市"}}}, nil
}

// town is a deployment with a gateway.
type town struct {
	*calls
	house *boottest.House
	addr  string
	gw    *gateway.Gateway
	stop  func() error
	// arrived and hold belong to a call that waits.
	arrived, hold chan struct{}
	more          chan *supervisionv1.WatchCardsResponse
}

// start makes a deployment; change may alter the gateway's configuration.
func start(t *testing.T, change func(*gateway.Config)) *town {
	t.Helper()
	tw := &town{calls: &calls{}, arrived: make(chan struct{}, 1), hold: make(chan struct{}), more: make(chan *supervisionv1.WatchCardsResponse)}
	tw.house = boottest.New(t, clock.NewVirtual(time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC)),
		authn.User{Login: "zhang", Roles: []string{"applicant"}, IDType: "resident_id", IDNumber: "441302199001011237"},
		authn.User{Login: "admin", Roles: []string{"admin"}},
		authn.User{Login: "watch", Roles: []string{"supervisor"}},
	)
	tw.house.Serve("catalogue", component{func(r grpc.ServiceRegistrar) {
		cataloguev1.RegisterCatalogueServiceServer(r, catalogue{calls: tw.calls, arrived: tw.arrived, hold: tw.hold})
	}})
	tw.house.Serve("casework", component{func(r grpc.ServiceRegistrar) { caseworkv1.RegisterCaseworkServiceServer(r, casework{calls: tw.calls}) }})
	tw.house.Serve("supervision", component{func(r grpc.ServiceRegistrar) {
		supervisionv1.RegisterSupervisionServiceServer(r, supervision{calls: tw.calls, more: tw.more})
	}})
	tw.house.Serve("review", component{func(r grpc.ServiceRegistrar) { reviewv1.RegisterReviewServiceServer(r, review{calls: tw.calls}) }})
	tw.house.Serve("hub", component{func(r grpc.ServiceRegistrar) { hubv1.RegisterHubServiceServer(r, hub{calls: tw.calls}) }})
	cfg := gateway.DefaultConfig()
	cfg.RatePerSecond = -1
	if change != nil {
		change(&cfg)
	}
	var err error
	if tw.gw, err = gateway.New(t.Context(), cfg, tw.house.Runtime); err != nil {
		t.Fatal(err)
	}
	tw.serve(t)
	tw.warm(t)
	return tw
}

// serve listens until the test ends or stop is called.
func (tw *town) serve(t *testing.T) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tw.addr = lis.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tw.gw.Serve(ctx, lis) }()
	tw.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := tw.stop(); err != nil {
			t.Errorf("gateway: %v", err)
		}
		if err := tw.gw.Close(); err != nil {
			t.Errorf("close gateway: %v", err)
		}
	})
}

// warm waits until every service is found; calls before are rightly answered with
// UNAVAILABLE.
func (tw *town) warm(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/v1/halls", "/v1/metrics", "/v1/halls/441300/reviews", "/v1/rules", "/v1/halls/441300/cases"} {
		for deadline := time.Now().Add(15 * time.Second); ; {
			res, _ := tw.get(t, path)
			if res.StatusCode != http.StatusServiceUnavailable {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is not up", path)
			}
		}
	}
}

// token signs a user in by password.
func (tw *town) token(t *testing.T, user string) string {
	t.Helper()
	res, err := http.PostForm(tw.house.Issuer+"/token", url.Values{
		"grant_type": {"password"}, "client_id": {"test"}, "username": {user}, "password": {boottest.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("token: %d %v", res.StatusCode, err)
	}
	return answer.AccessToken
}

// raw sends bytes as they are: a client library would tidy up what must stay dirty.
func (tw *town) raw(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	res, body, err := tw.exchange(request)
	if err != nil {
		t.Fatalf("%.80q: %v", request, err)
	}
	return res, body
}

// exchange is one request on one connection. An error can mean that the server closed
// it before all was read, which resets the connection.
func (tw *town) exchange(request string) (*http.Response, string, error) {
	conn, err := net.Dial("tcp", tw.addr)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return nil, "", err
	}
	// The server may rightly answer and close before all is sent.
	go func() { _, _ = io.WriteString(conn, request) }()
	method, _, _ := strings.Cut(request, " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// send builds a request of a line, headers and a body.
func (tw *town) send(t *testing.T, line string, headers []string, body string) (*http.Response, string) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(line + " HTTP/1.1\r\nHost: " + tw.addr + "\r\nConnection: close\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Length: ")
		b.WriteString(strconv.Itoa(len(body)))
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n" + body)
	return tw.raw(t, b.String())
}

func (tw *town) get(t *testing.T, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return tw.send(t, "GET "+path, headers, "")
}

// errorOf reads a refusal's body.
func errorOf(t *testing.T, body string) gateway.ErrorInfo {
	t.Helper()
	var e gateway.ErrorBody
	dec := json.NewDecoder(strings.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		t.Fatalf("no refusal: %v: %.200s", err, body)
	}
	return e.Error
}
