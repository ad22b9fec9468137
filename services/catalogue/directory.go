package catalogue

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/rules"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/codes"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
	"github.com/onehall/onehall/services/platform/page"
)

// directory is what writes of the directory queue up behind, for it has no hall.
const directory = "directory"

// CreateDirectoryEntry adds an entry to the directory.
func (s *Service) CreateDirectoryEntry(ctx context.Context, req *cataloguev1.CreateDirectoryEntryRequest) (*cataloguev1.DirectoryEntry, error) {
	r := requestOf(ctx, directory, "CreateDirectoryEntry", req)
	in, err := cleanEntry(req.GetDirectoryEntry())
	if err != nil {
		return nil, fault.At("directory_entry", err)
	}
	return change(ctx, s, r, directory, &cataloguev1.DirectoryEntry{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.DirectoryEntry, error) {
		e := proto.CloneOf(in)
		e.CreateTime, e.Etag = timestamppb.New(tx.Now()), feed.Etag(e.GetName(), 1)
		row := store.Resource{Name: e.GetName(), Sequence: 1, Data: feed.Deterministic(e)}
		if err := store.InsertDirectoryEntry(ctx, tx, row); err != nil {
			return nil, fault.At("directory_entry.name", err)
		}
		return e, r.happened(ctx, tx, "directory_entry.created", e.GetName(), 1, e, nil)
	})
}

// BatchCreateDirectoryEntries adds entries, all or none, and passes over those that
// stand there unchanged.
func (s *Service) BatchCreateDirectoryEntries(ctx context.Context, req *cataloguev1.BatchCreateDirectoryEntriesRequest) (*cataloguev1.BatchCreateDirectoryEntriesResponse, error) {
	r := requestOf(ctx, directory, "BatchCreateDirectoryEntries", req)
	clean := make([]*cataloguev1.DirectoryEntry, len(req.GetDirectoryEntries()))
	names := make([]string, len(clean))
	for i, in := range req.GetDirectoryEntries() {
		e, err := cleanEntry(in)
		if err != nil {
			return nil, fault.At(fmt.Sprintf("directory_entries[%d]", i), err)
		}
		clean[i], names[i] = e, e.GetName()
	}
	return batch(ctx, s, r, directory, &cataloguev1.BatchCreateDirectoryEntriesResponse{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.BatchCreateDirectoryEntriesResponse, error) {
		there, err := store.DirectoryEntries(ctx, tx, names)
		if err != nil {
			return nil, err
		}
		resp := &cataloguev1.BatchCreateDirectoryEntriesResponse{}
		for i, in := range clean {
			created, err := r.ensureEntry(ctx, tx, in, there)
			if err != nil {
				return nil, fault.At(fmt.Sprintf("directory_entries[%d].name", i), err)
			}
			if created {
				resp.Created++
			}
		}
		return resp, nil
	})
}

// ensureEntry writes an entry that is not there; one that is must be the same.
func (r request) ensureEntry(ctx context.Context, tx *db.Tx, in *cataloguev1.DirectoryEntry, there map[string]store.Resource) (bool, error) {
	e := proto.CloneOf(in)
	if row, ok := there[e.GetName()]; ok {
		old, err := decode(row.Data, &cataloguev1.DirectoryEntry{})
		if err != nil {
			return false, err
		}
		e.CreateTime, e.Etag = old.GetCreateTime(), old.GetEtag()
		if !proto.Equal(e, old) {
			return false, fault.AlreadyExists.New()
		}
		return false, nil
	}
	e.CreateTime, e.Etag = timestamppb.New(tx.Now()), feed.Etag(e.GetName(), 1)
	data, err := r.told(ctx, tx, feed.Draft{Subject: e.GetName(), Sequence: 1, Type: "directory_entry.created", Resource: e})
	if err != nil {
		return false, err
	}
	row := store.Resource{Name: e.GetName(), Sequence: 1, Data: data}
	there[row.Name] = row
	return true, store.InsertDirectoryEntry(ctx, tx, row)
}

// cleanEntry checks what the contract's patterns cannot: the code and its type agree.
func cleanEntry(in *cataloguev1.DirectoryEntry) (*cataloguev1.DirectoryEntry, error) {
	e := proto.CloneOf(in)
	e.CreateTime, e.Etag = nil, ""
	parts, err := codes.ParseBaseCode(lastPart(e.GetName()))
	if err != nil {
		return nil, fault.At("name", err)
	}
	if parts.Type != e.GetItemType() && e.GetItemType() != rules.TypeNonLicense {
		return nil, fault.BadItemCode.New(fault.Field("item_type"))
	}
	if e.DisplayName, err = codes.CleanName(e.GetDisplayName()); err != nil {
		return nil, fault.At("display_name", err)
	}
	return e, cleanTexts(e)
}

// GetDirectoryEntry reads a directory entry.
func (s *Service) GetDirectoryEntry(ctx context.Context, req *cataloguev1.GetDirectoryEntryRequest) (*cataloguev1.DirectoryEntry, error) {
	return entry(ctx, s.db.Read(), req.GetName())
}

func entry(ctx context.Context, q db.Querier, name string) (*cataloguev1.DirectoryEntry, error) {
	row, err := store.GetDirectoryEntry(ctx, q, name)
	if err != nil {
		return nil, err
	}
	return decode(row.Data, &cataloguev1.DirectoryEntry{})
}

// ListDirectoryEntries lists directory entries by base code.
func (s *Service) ListDirectoryEntries(ctx context.Context, req *cataloguev1.ListDirectoryEntriesRequest) (*cataloguev1.ListDirectoryEntriesResponse, error) {
	l, err := s.listing(ctx, req, 50, 500, page.FilterHash("directory"))
	if err != nil {
		return nil, err
	}
	rows, err := store.ListDirectoryEntries(ctx, s.db.Read(), l.after, l.size+1)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListDirectoryEntriesResponse{}
	rows, resp.NextPageToken = cut(l, rows, func(r store.Resource) string { return r.Name })
	for _, row := range rows {
		e, err := decode(row.Data, &cataloguev1.DirectoryEntry{})
		if err != nil {
			return nil, err
		}
		resp.DirectoryEntries = append(resp.DirectoryEntries, e)
	}
	return resp, nil
}
