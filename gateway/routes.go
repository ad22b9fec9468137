package gateway

import (
	"context"
	"fmt"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

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
		{"casework", serviceOf(caseworkv1.File_onehall_casework_v1_casework_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return caseworkv1.RegisterCaseworkServiceHandlerClient(ctx, mux, caseworkv1.NewCaseworkServiceClient(cc))
		}},
		{"supervision", serviceOf(supervisionv1.File_onehall_supervision_v1_supervision_proto), func(ctx context.Context, mux *runtime.ServeMux, cc grpc.ClientConnInterface) error {
			return supervisionv1.RegisterSupervisionServiceHandlerClient(ctx, mux, supervisionv1.NewSupervisionServiceClient(cc))
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
		if err := s.register(ctx, g.mux, cc); err != nil {
			return fmt.Errorf("gateway: %s: %w", s.role, err)
		}
		for i := range s.desc.Methods().Len() {
			if !s.desc.Methods().Get(i).IsStreamingServer() || g.streamConns[s.desc.FullName()] != nil {
				continue
			}
			long, err := dial(s.role)
			if err != nil {
				return fmt.Errorf("gateway: %s: %w", s.role, err)
			}
			g.closers = append(g.closers, long.Close)
			g.streamConns[s.desc.FullName()] = long
		}
	}
	return nil
}
