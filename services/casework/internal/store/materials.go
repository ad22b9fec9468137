package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
)

// Material is one file that is kept.
type Material struct {
	// Name is its resource name, Owner the identity key of whose it is, SHA256 its hash.
	Name, Owner, SHA256 string
	// Live tells that its file is kept.
	Live bool
	// Uses is how many cases have taken it up.
	Uses int64
	// KeepUntil is when to look whether it is still needed.
	KeepUntil time.Time
	// Seq is the sequence of its last event.
	Seq int64
	// Data is the whole material.
	Data []byte
}

// InsertMaterial writes a new material.
func InsertMaterial(ctx context.Context, tx *db.Tx, m Material) error {
	err := queries.New(tx).InsertMaterial(ctx, queries.InsertMaterialParams{
		Name: m.Name, Owner: m.Owner, Sha256: m.SHA256, KeepUntil: db.Micros(m.KeepUntil), Seq: m.Seq, Data: m.Data,
	})
	if err != nil {
		return fmt.Errorf("store: insert material: %w", err)
	}
	return nil
}

// GetMaterial reads a material; false when there is none.
func GetMaterial(ctx context.Context, q db.Querier, name string) (Material, bool, error) {
	r, err := queries.New(q).GetMaterial(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Material{}, false, nil
	}
	if err != nil {
		return Material{}, false, fmt.Errorf("store: get material: %w", err)
	}
	return Material{
		Name: r.Name, Owner: r.Owner, SHA256: r.Sha256, Live: r.Live, Uses: r.Uses, KeepUntil: db.Time(r.KeepUntil), Seq: r.Seq, Data: r.Data,
	}, true, nil
}

// Materials lists an owner's live materials, newest first, before the given name; an
// empty one begins with the newest.
func Materials(ctx context.Context, q db.Querier, owner, before string, size int) ([]Material, error) {
	if before == "" {
		before = "materials/~" // behind every name
	}
	rows, err := queries.New(q).ListMaterials(ctx, queries.ListMaterialsParams{Owner: owner, Before: before, Size: int64(size)})
	if err != nil {
		return nil, fmt.Errorf("store: list materials: %w", err)
	}
	out := make([]Material, len(rows))
	for i, r := range rows {
		out[i] = Material{Name: r.Name, Owner: owner, Live: true, Data: r.Data}
	}
	return out, nil
}

// SaveMaterial writes what became of a live material that was read with the sequence
// before. One that was changed since stays as it is: fault.Conflict.
func SaveMaterial(ctx context.Context, tx *db.Tx, m Material) error {
	n, err := queries.New(tx).SaveMaterial(ctx, queries.SaveMaterialParams{
		Seq: m.Seq, KeepUntil: db.Micros(m.KeepUntil), Data: m.Data, Name: m.Name,
	})
	return changed("save material", n, err)
}

// RemoveMaterial notes that a material is thrown away and leaves its bytes to be removed
// unless another material of the owner has the same. It is fault.Conflict when the
// material was changed or taken up by a case since it was read.
func RemoveMaterial(ctx context.Context, tx *db.Tx, m Material) error {
	q := queries.New(tx)
	n, err := q.DeleteMaterial(ctx, queries.DeleteMaterialParams{Seq: m.Seq, Data: m.Data, Name: m.Name, Uses: m.Uses})
	if err := changed("delete material", n, err); err != nil {
		return err
	}
	b, err := q.ReleaseBlob(ctx, queries.ReleaseBlobParams{Owner: m.Owner, Sha256: m.SHA256})
	if err != nil {
		return fmt.Errorf("store: release blob: %w", err)
	}
	if b.Refs > 0 {
		return nil
	}
	err = errors.Join(q.DropBlob(ctx, queries.DropBlobParams{Owner: m.Owner, Sha256: m.SHA256}), q.TrashBlob(ctx, b.Blob))
	if err != nil {
		return fmt.Errorf("store: drop blob: %w", err)
	}
	return nil
}

// UseMaterial notes that a case has taken a material up, once. It is
// fault.MaterialNotFound when the material has gone in the meantime.
func UseMaterial(ctx context.Context, tx *db.Tx, name, caseName string) error {
	q := queries.New(tx)
	fresh, err := q.InsertUse(ctx, queries.InsertUseParams{Material: name, CaseName: caseName})
	if err != nil || fresh == 0 {
		return err
	}
	n, err := q.UseMaterial(ctx, name)
	if err != nil {
		return fmt.Errorf("store: use material: %w", err)
	}
	if n != 1 {
		return fault.MaterialNotFound.New()
	}
	return nil
}

// Uses are the cases that have taken a material up.
func Uses(ctx context.Context, q db.Querier, name string) ([]string, error) {
	names, err := queries.New(q).ListUses(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("store: uses: %w", err)
	}
	return names, nil
}

// OldMaterials are the next live materials that may be needed no more.
func OldMaterials(ctx context.Context, q db.Querier, now time.Time) ([]string, error) {
	names, err := queries.New(q).ListOldMaterials(ctx, db.Micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: old materials: %w", err)
	}
	return names, nil
}

// KeepMaterial puts the next look at a material off.
func KeepMaterial(ctx context.Context, tx *db.Tx, name string, until time.Time) error {
	if err := queries.New(tx).KeepMaterial(ctx, queries.KeepMaterialParams{KeepUntil: db.Micros(until), Name: name}); err != nil {
		return fmt.Errorf("store: keep material: %w", err)
	}
	return nil
}

// HoldBlob notes one more material of an owner with this content, whose bytes were stored
// as blob. When the owner has the same content already, that is what counts, and blob is
// left to be removed.
func HoldBlob(ctx context.Context, tx *db.Tx, owner, sha256, blob string, size int64) error {
	q := queries.New(tx)
	kept, err := q.HoldBlob(ctx, queries.HoldBlobParams{Owner: owner, Sha256: sha256, Blob: blob, Size: size})
	if err == nil && kept != blob {
		err = q.TrashBlob(ctx, blob)
	}
	if err != nil {
		return fmt.Errorf("store: hold blob: %w", err)
	}
	return nil
}

// BlobOf is where the bytes of a content of an owner are.
func BlobOf(ctx context.Context, q db.Querier, owner, sha256 string) (string, error) {
	blob, err := queries.New(q).GetBlob(ctx, queries.GetBlobParams{Owner: owner, Sha256: sha256})
	if err != nil {
		return "", fmt.Errorf("store: blob: %w", err)
	}
	return blob, nil
}

// Trash are the next blobs to remove; Emptied notes that one is.
func Trash(ctx context.Context, q db.Querier) ([]string, error) {
	blobs, err := queries.New(q).ListTrash(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: trash: %w", err)
	}
	return blobs, nil
}

// Emptied notes that a blob has been removed.
func Emptied(ctx context.Context, tx *db.Tx, blob string) error {
	if err := queries.New(tx).DeleteTrash(ctx, blob); err != nil {
		return fmt.Errorf("store: empty trash: %w", err)
	}
	return nil
}

// BlobKnown reports whether anything refers to a blob.
func BlobKnown(ctx context.Context, q db.Querier, blob string) (bool, error) {
	known, err := queries.New(q).BlobKnown(ctx, blob)
	if err != nil {
		return false, fmt.Errorf("store: blob known: %w", err)
	}
	return known.Bool, nil
}
