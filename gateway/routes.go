package gateway

import (
	"context"
	"fmt"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/onehall/onehall/gateway/internal/route"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	hubv1 "github.com/onehall/onehall/proto/gen/onehall/hub/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// service is one gRPC service that the gateway opens.
type service struct {
	// role is the process that serves it.
	role string
	desc protoreflect.ServiceDescriptor
	// register adds its generated handlers, as a client. The generated registration on
	// the service's own implementation would skip every interceptor, and with them
	// authentication, permission and validation.
	register func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error
}

// services is the list of what is opened: a new service is a line here.
func services() []service {
	return []service{
		{"catalogue", serviceOf(cataloguev1.File_onehall_catalogue_v1_catalogue_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return cataloguev1.RegisterCatalogueServiceHandlerClient(ctx, mux, cataloguev1.NewCatalogueServiceClient(cc))
		}},
		{"catalogue", serviceOf(cataloguev1.File_onehall_catalogue_v1_calendar_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return cataloguev1.RegisterCalendarServiceHandlerClient(ctx, mux, cataloguev1.NewCalendarServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_casework_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterCaseworkServiceHandlerClient(ctx, mux, caseworkv1.NewCaseworkServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_applicant_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterApplicantServiceHandlerClient(ctx, mux, caseworkv1.NewApplicantServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_license_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterLicenseServiceHandlerClient(ctx, mux, caseworkv1.NewLicenseServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_counter_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterCounterServiceHandlerClient(ctx, mux, caseworkv1.NewCounterServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_exchange_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterExchangeServiceHandlerClient(ctx, mux, caseworkv1.NewExchangeServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_flow_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterFlowServiceHandlerClient(ctx, mux, caseworkv1.NewFlowServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_fee_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterFeeServiceHandlerClient(ctx, mux, caseworkv1.NewFeeServiceClient(cc))
		}},
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_material_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterMaterialServiceHandlerClient(ctx, mux, caseworkv1.NewMaterialServiceClient(cc))
		}},
		{"supervision", serviceOf(supervisionv1.File_onehall_supervision_v1_supervision_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return supervisionv1.RegisterSupervisionServiceHandlerClient(ctx, mux, supervisionv1.NewSupervisionServiceClient(cc))
		}},
		{"supervision", serviceOf(supervisionv1.File_onehall_supervision_v1_confirmation_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return supervisionv1.RegisterConfirmationServiceHandlerClient(ctx, mux, supervisionv1.NewConfirmationServiceClient(cc))
		}},
		{"supervision", serviceOf(supervisionv1.File_onehall_supervision_v1_wall_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return supervisionv1.RegisterWallServiceHandlerClient(ctx, mux, supervisionv1.NewWallServiceClient(cc))
		}},
		{"supervision", serviceOf(supervisionv1.File_onehall_supervision_v1_score_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return supervisionv1.RegisterScoreServiceHandlerClient(ctx, mux, supervisionv1.NewScoreServiceClient(cc))
		}},
		{"supervision", serviceOf(supervisionv1.File_onehall_supervision_v1_insight_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return supervisionv1.RegisterInsightServiceHandlerClient(ctx, mux, supervisionv1.NewInsightServiceClient(cc))
		}},
		{"review", serviceOf(reviewv1.File_onehall_review_v1_review_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return reviewv1.RegisterReviewServiceHandlerClient(ctx, mux, reviewv1.NewReviewServiceClient(cc))
		}},
		{"hub", serviceOf(hubv1.File_onehall_hub_v1_hub_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return hubv1.RegisterHubServiceHandlerClient(ctx, mux, hubv1.NewHubServiceClient(cc))
		}},
	}
}

// serviceOf is the one service of a schema.
func serviceOf(fd protoreflect.FileDescriptor) protoreflect.ServiceDescriptor {
	return fd.Services().Get(0)
}

// handlers are the generated handlers by the route they serve.
//
// grpc-gateway would find them by itself, but it tries patterns in an order that comes
// from the order of the methods, and a pattern without a verb takes a path with one: a
// GET of …/items/x:check may become GetItem of "x:check". So there is one router, ours,
// and the generated handlers are taken as they register themselves.
type handlers struct {
	table  *route.Table
	mux    *runtime.ServeMux
	byPath map[*route.Route]runtime.HandlerFunc
	// fresh are those that registered since the last service was complete.
	fresh []runtime.HandlerFunc
}

func newHandlers(encode encoder) (*handlers, error) {
	var descs []protoreflect.ServiceDescriptor
	for _, s := range services() {
		descs = append(descs, s.desc)
	}
	table, err := route.New(descs...)
	if err != nil {
		return nil, err
	}
	h := &handlers{table: table, byPath: map[*route.Route]runtime.HandlerFunc{}}
	h.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler{encode: encode}),
		runtime.WithIncomingHeaderMatcher(incomingHeader),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithErrorHandler(handleError),
		runtime.WithRoutingErrorHandler(handleRoutingError),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptSlash),
		runtime.WithWriteContentLength(),
		runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			h.fresh = append(h.fresh, next)
			return next
		}),
	)
	return h, nil
}

// add registers a service. Its handlers come in the order of its methods and their
// HTTP rules, which is also the order of the table; a test calls each of them.
func (h *handlers) add(ctx context.Context, s service, cc grpc.ClientConnInterface) error {
	h.fresh = nil
	if err := s.register(ctx, h.mux, cc); err != nil {
		return fmt.Errorf("gateway: %s: %w", s.role, err)
	}
	var own []*route.Route
	for _, rt := range h.table.All() {
		if rt.RPC.Parent() == s.desc {
			own = append(own, rt)
		}
	}
	if len(own) != len(h.fresh) {
		return fmt.Errorf("gateway: %s has %d routes and %d handlers", s.role, len(own), len(h.fresh))
	}
	for i, rt := range own {
		h.byPath[rt] = h.fresh[i]
	}
	return nil
}

// connect opens the channels and registers the handlers. Streams have channels of their
// own: a server bounds the calls of one connection, and a watcher holds its place for
// hours.
func (g *Gateway) connect(ctx context.Context, dial func(role string) (*grpc.ClientConn, error)) error {
	for _, s := range services() {
		cc, err := dial(s.role)
		if err != nil {
			return fmt.Errorf("gateway: %s: %w", s.role, err)
		}
		g.closers = append(g.closers, cc.Close)
		g.conns[s.role] = cc
		if err := g.handlers.add(ctx, s, cc); err != nil {
			return err
		}
		if !streams(s.desc) {
			continue
		}
		long := &pool{dial: func() (*grpc.ClientConn, error) { return dial(s.role) }}
		g.closers = append(g.closers, long.Close)
		g.streamConns[s.desc.FullName()] = long
	}
	return nil
}

// streams says whether any method of the service answers with a stream.
func streams(sd protoreflect.ServiceDescriptor) bool {
	for i := range sd.Methods().Len() {
		if sd.Methods().Get(i).IsStreamingServer() {
			return true
		}
	}
	return false
}
