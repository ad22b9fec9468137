package main

import (
	"context"

	"google.golang.org/grpc"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"

	"github.com/onehall/onehall/deploy/restclient"
)

// restCatalogue lets the loader speak REST: the five calls it makes, each at its
// path. The others are not there and would say so.
type restCatalogue struct {
	cataloguev1.CatalogueServiceClient
	client *restclient.Client
}

func (r restCatalogue) CreateHall(ctx context.Context, in *cataloguev1.CreateHallRequest, _ ...grpc.CallOption) (*cataloguev1.Hall, error) {
	out := &cataloguev1.Hall{}
	return out, r.client.Post(ctx, "/v1/halls?requestId="+in.GetRequestId(), in.GetHall(), out)
}

func (r restCatalogue) LaunchHall(ctx context.Context, in *cataloguev1.LaunchHallRequest, _ ...grpc.CallOption) (*cataloguev1.Hall, error) {
	out := &cataloguev1.Hall{}
	return out, r.client.Post(ctx, "/v1/"+in.GetName()+":launch", in, out)
}

func (r restCatalogue) BatchCreateDepartments(ctx context.Context, in *cataloguev1.BatchCreateDepartmentsRequest, _ ...grpc.CallOption) (*cataloguev1.BatchCreateDepartmentsResponse, error) {
	out := &cataloguev1.BatchCreateDepartmentsResponse{}
	return out, r.client.Post(ctx, "/v1/"+in.GetParent()+"/departments:batchCreate", in, out)
}

func (r restCatalogue) BatchCreateDirectoryEntries(ctx context.Context, in *cataloguev1.BatchCreateDirectoryEntriesRequest, _ ...grpc.CallOption) (*cataloguev1.BatchCreateDirectoryEntriesResponse, error) {
	out := &cataloguev1.BatchCreateDirectoryEntriesResponse{}
	return out, r.client.Post(ctx, "/v1/directory:batchCreate", in, out)
}

// LoadItems sends the items in parts that fit a request's body.
func (r restCatalogue) LoadItems(ctx context.Context, in *cataloguev1.LoadItemsRequest, _ ...grpc.CallOption) (*cataloguev1.LoadItemsResponse, error) {
	const part = 50
	all := &cataloguev1.LoadItemsResponse{}
	for start := 0; start < len(in.GetItems()); start += part {
		one := &cataloguev1.LoadItemsRequest{Parent: in.GetParent(), Items: in.GetItems()[start:min(start+part, len(in.GetItems()))], RequestId: newID()}
		out := &cataloguev1.LoadItemsResponse{}
		if err := r.client.Post(ctx, "/v1/"+in.GetParent()+"/items:load", one, out); err != nil {
			return nil, err
		}
		all.Published += out.GetPublished()
		all.Unchanged += out.GetUnchanged()
	}
	return all, nil
}
