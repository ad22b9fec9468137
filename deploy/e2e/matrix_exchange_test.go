package e2e

import (
	"google.golang.org/protobuf/proto"

	"github.com/onehall/onehall/deploy/e2e/house"
	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
)

// exchangeRows are the exchange's. Its source is that of the city's police's front machine.
func (s *scene) exchangeRows(x things) map[string]row {
	s.t.Helper()
	client := "user/" + house.Post(house.City, house.Police, "exchange", 7).Login
	source := &caseworkv1.ExchangeSource{DisplayName: "公安业务系统", Client: client}
	admin := s.As(house.Post(house.City, "", "admin", 3))
	s.must("register a source", admin.Post(s.t.Context(), "/v1/"+s.hall+"/exchangeSources"+house.Query("sourceId", "police", "requestId", newID()), source, &caseworkv1.ExchangeSource{}))
	name := s.hall + "/exchangeSources/police"
	return map[string]row{
		// There is one of the name already.
		"RegisterSource": list(func() proto.Message {
			return &caseworkv1.RegisterSourceRequest{Parent: s.hall, SourceId: "police", Source: house.Clone(source), RequestId: newID()}
		}),
		"ListExchangeSources": list(func() proto.Message { return &caseworkv1.ListExchangeSourcesRequest{Parent: s.hall} }),
		// A table that does not exist, so that nothing is taken in.
		"IngestRows": the(func() proto.Message {
			return &caseworkv1.IngestRowsRequest{Parent: name, RequestId: newID(), Rows: []*caseworkv1.ExchangeRow{{Table: "EX_GDBS_NONE"}}}
		}),
		"ListRejects":      the(func() proto.Message { return &caseworkv1.ListRejectsRequest{Parent: name} }),
		"ListGaps":         the(func() proto.Message { return &caseworkv1.ListGapsRequest{Parent: name} }),
		"GetSourceQuality": the(func() proto.Message { return &caseworkv1.GetSourceQualityRequest{Name: name} }),
		"ExportCase":       the(func() proto.Message { return &caseworkv1.ExportCaseRequest{Name: x.kase} }),
		"ExportRows":       list(func() proto.Message { return &caseworkv1.ExportRowsRequest{Parent: s.hall} }),
	}
}
