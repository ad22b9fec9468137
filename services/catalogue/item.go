package catalogue

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	cataloguev1 "github.com/onehall/onehall/proto/gen/onehall/catalogue/v1"
	"github.com/onehall/onehall/services/catalogue/internal/store"
	"github.com/onehall/onehall/services/platform/authn"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// desk is an item as it lies on the desk of whoever edits or publishes it.
type desk struct {
	row        store.Item
	content    *cataloguev1.Item
	department *cataloguev1.Department
	// revision is the last published one, nil before the first.
	revision *cataloguev1.ItemRevision
}

// openDesk reads an item with its draft; fault.ItemNotFound also where the caller's
// reach ends before it.
func openDesk(ctx context.Context, q db.Querier, a authn.Access, name string) (*desk, error) {
	row, err := store.GetItem(ctx, q, name)
	if err != nil {
		return nil, err
	}
	if !covers(a, row.Department) {
		return nil, fault.ItemNotFound.New()
	}
	d := &desk{row: row}
	var revision []byte
	if row.Revision > 0 {
		if revision, err = store.GetRevision(ctx, q, name, row.Revision); err != nil {
			return nil, err
		}
	}
	if err := d.read(revision); err != nil {
		return nil, err
	}
	d.department, err = department(ctx, q, row.Department)
	return d, err
}

// read takes the draft out of the row, or the content out of the last revision.
func (d *desk) read(revision []byte) (err error) {
	if d.row.Revision > 0 {
		if d.revision, err = decode(revision, &cataloguev1.ItemRevision{}); err != nil {
			return err
		}
	}
	if len(d.row.Draft) > 0 || d.revision == nil {
		d.content, err = decode(d.row.Draft, &cataloguev1.Item{})
		return err
	}
	d.content = bare(proto.CloneOf(d.revision.GetItem()))
	return nil
}

// shown is the item as the desk's answer.
func (d *desk) shown() *cataloguev1.Item {
	return shown(d.content, d.row, d.department.GetDisplayName(), d.revision.GetContentSha256())
}

// edit replaces the content by one that was cleaned. A draft that is no other than
// what was published is none.
func (d *desk) edit(content *cataloguev1.Item, editor string, tx *db.Tx) {
	data := feed.Deterministic(content)
	d.content = content
	d.row.Department, d.row.Title, d.row.Level = content.GetDepartment(), content.GetTitle(), int64(content.GetLevel())
	d.row.Editor, d.row.Updated = editor, tx.Now()
	d.row.Draft, d.row.DraftSHA256 = data, sum(data)
	if d.revision != nil && proto.Equal(content, bare(proto.CloneOf(d.revision.GetItem()))) {
		d.row.Draft = nil
	}
}

// lookUp finds what an item refers to: its department, within the caller's reach, and
// its directory entry.
func lookUp(ctx context.Context, q db.Querier, a authn.Access, it *cataloguev1.Item) (*cataloguev1.Department, error) {
	if !covers(a, it.GetDepartment()) {
		return nil, fault.NotFound.New(fault.Field("item.department"))
	}
	d, err := department(ctx, q, it.GetDepartment())
	if err != nil {
		return nil, fault.At("item.department", err)
	}
	_, err = store.GetDirectoryEntry(ctx, q, it.GetDirectoryEntry())
	return d, fault.At("item.directory_entry", err)
}

// CreateItem drafts an item.
func (s *Service) CreateItem(ctx context.Context, req *cataloguev1.CreateItemRequest) (*cataloguev1.Item, error) {
	r := requestOf(ctx, req.GetParent(), "CreateItem", req)
	content, err := cleanItem(req.GetParent(), req.GetItem())
	if err != nil {
		return nil, fault.At("item", err)
	}
	return change(ctx, s, r, req.GetParent(), &cataloguev1.Item{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Item, error) {
		dep, err := lookUp(ctx, tx, r.access, content)
		if err != nil {
			return nil, err
		}
		d := &desk{department: dep, row: store.Item{
			Name: content.GetName(), Hall: req.GetParent(), State: store.Draft, Sequence: 1, Created: tx.Now(),
		}}
		d.edit(content, r.actor(), tx)
		if err := store.InsertItem(ctx, tx, d.row); err != nil {
			return nil, fault.At("item.name", err)
		}
		it := d.shown()
		return it, r.happened(ctx, tx, "item.drafted", d.row.Name, 1, it, nil)
	})
}

// UpdateItem changes the draft.
func (s *Service) UpdateItem(ctx context.Context, req *cataloguev1.UpdateItemRequest) (*cataloguev1.Item, error) {
	name := req.GetItem().GetName()
	hall := hallOf(name)
	r := requestOf(ctx, hall, "UpdateItem", req)
	fields, err := maskedFields(req.GetUpdateMask())
	if err != nil {
		return nil, err
	}
	return change(ctx, s, r, hall, &cataloguev1.Item{}, func(ctx context.Context, tx *db.Tx) (*cataloguev1.Item, error) {
		d, err := openDesk(ctx, tx, r.access, name)
		if err != nil {
			return nil, err
		}
		if err := feed.CheckEtag(req.GetItem().GetEtag(), name, d.row.Sequence); err != nil {
			return nil, fault.At("item", err)
		}
		if d.row.State == store.Cancelled {
			return nil, wrongState(d.row.State)
		}
		if err := checkReadOnly(d.shown(), req.GetItem(), fields); err != nil {
			return nil, err
		}
		content, err := cleanItem(hall, merge(d.content, req.GetItem(), fields))
		if err != nil {
			return nil, fault.At("item", err)
		}
		if d.department, err = lookUp(ctx, tx, r.access, content); err != nil {
			return nil, err
		}
		d.row.Sequence++
		d.edit(content, r.actor(), tx)
		if err := store.UpdateItem(ctx, tx, d.row); err != nil {
			return nil, err
		}
		it := d.shown()
		return it, r.happened(ctx, tx, "item.updated", name, d.row.Sequence, it, nil)
	})
}

// maxPaths is more paths than an item has.
const maxPaths = 500

// maskedFields are the fields that a mask names; nil means all.
func maskedFields(mask *fieldmaskpb.FieldMask) ([]protoreflect.FieldDescriptor, error) {
	if len(mask.GetPaths()) == 0 || len(mask.GetPaths()) == 1 && mask.GetPaths()[0] == "*" {
		return nil, nil
	}
	if len(mask.GetPaths()) > maxPaths || !mask.IsValid(&cataloguev1.Item{}) {
		return nil, fault.InvalidArgument.New(fault.Field("update_mask"))
	}
	known := (&cataloguev1.Item{}).ProtoReflect().Descriptor().Fields()
	fields := []protoreflect.FieldDescriptor{}
	for _, path := range mask.GetPaths() {
		top, _, _ := strings.Cut(path, ".")
		if f := known.ByName(protoreflect.Name(top)); !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// checkReadOnly refuses to set what only the service sets. A field that is named with
// the value it has is passed over: by REST the fields of the body are the mask, and a
// client may send back all that it read.
func checkReadOnly(stands, sent *cataloguev1.Item, fields []protoreflect.FieldDescriptor) error {
	for _, f := range fields {
		behaviors, _ := proto.GetExtension(f.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
		if !slices.Contains(behaviors, annotations.FieldBehavior_OUTPUT_ONLY) {
			continue
		}
		if !stands.ProtoReflect().Get(f).Equal(sent.ProtoReflect().Get(f)) {
			return fault.InvalidArgument.New(fault.Field("update_mask"))
		}
	}
	return nil
}

// merge lays the fields of an item over the one that stands there; the name stays.
func merge(old, with *cataloguev1.Item, fields []protoreflect.FieldDescriptor) *cataloguev1.Item {
	if fields == nil {
		return with
	}
	out := proto.CloneOf(old)
	to, from := out.ProtoReflect(), proto.CloneOf(with).ProtoReflect()
	for _, f := range fields {
		if from.Has(f) {
			to.Set(f, from.Get(f))
		} else {
			to.Clear(f)
		}
	}
	out.Name = old.GetName()
	return out
}

// GetItemDraft reads the draft of an item.
func (s *Service) GetItemDraft(ctx context.Context, req *cataloguev1.GetItemDraftRequest) (*cataloguev1.Item, error) {
	access, _ := authn.AccessFrom(ctx) // the permission interceptor refused whoever has none
	d, err := openDesk(ctx, s.db.Read(), access, req.GetName())
	if err != nil {
		return nil, err
	}
	return d.shown(), nil
}
