package rpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/fault"
)

type tokenKey struct{}

// WithToken makes the calls of ctx carry a token of ts instead of the token of
// whoever is being served: a follower has no caller, it speaks for itself.
func WithToken(ctx context.Context, ts authn.TokenSource) context.Context {
	return context.WithValue(ctx, tokenKey{}, ts)
}

func (d *Dialer) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel, err := budget(ctx, d.opt.Timeout)
	defer cancel()
	if err != nil {
		return err
	}
	if ctx, err = carry(ctx); err != nil {
		return err
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

func (d *Dialer) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := carry(ctx)
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, cc, method, opts...)
}

// budget gives every unary call a deadline. Within a served call it ends a
// little before the caller's own, so that there is time left to answer.
func budget(ctx context.Context, def time.Duration) (context.Context, context.CancelFunc, error) {
	end, ok := ctx.Deadline()
	if !ok {
		ctx, cancel := context.WithTimeout(ctx, def)
		return ctx, cancel, nil
	}
	if _, serving := ctx.Value(callKey{}).(*call); !serving {
		return ctx, func() {}, nil
	}
	left := time.Until(end) - hopCost
	if left < minRemaining {
		return ctx, func() {}, fault.DeadlineExceeded.New(fault.Cause(errors.New("too little time left to call on")))
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	return ctx, cancel, nil
}

// carry puts the token, the language and the request id on an outgoing call.
// What the caller's code set by itself stays.
func carry(ctx context.Context) (context.Context, error) {
	out, _ := metadata.FromOutgoingContext(ctx)
	out = out.Copy()
	if out == nil {
		out = metadata.MD{}
	}
	in, _ := metadata.FromIncomingContext(ctx)
	if ts, ok := ctx.Value(tokenKey{}).(authn.TokenSource); ok && ts != nil {
		tok, err := ts.Token(ctx)
		if err != nil {
			return ctx, fault.Unavailable.New(fault.Cause(err))
		}
		out.Set(headerAuthorization, "Bearer "+tok)
	} else if v := in.Get(headerAuthorization); len(v) == 1 && len(out.Get(headerAuthorization)) == 0 {
		out.Set(headerAuthorization, v[0])
	}
	if v := in.Get(headerLanguage); len(v) > 0 && len(out.Get(headerLanguage)) == 0 {
		out.Set(headerLanguage, v[0])
	}
	if id := RequestID(ctx); id != "" && len(out.Get(headerRequestID)) == 0 {
		out.Set(headerRequestID, id)
	}
	return metadata.NewOutgoingContext(ctx, out), nil
}
