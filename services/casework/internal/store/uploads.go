package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/onehall/onehall/services/casework/internal/store/queries"
	"github.com/onehall/onehall/services/platform/db"
)

// Upload is one file on its way here.
type Upload struct {
	// Name is its resource name, Owner the identity key of whose file it becomes, Creator
	// the subject of who sends it.
	Name, Owner, Creator string
	// RequestHash is of the request that began it.
	RequestHash []byte
	// State is the contract's UploadState.
	State int64
	// Size is how many bytes it has, Received how many have arrived.
	Size, Received int64
	// Expires is when it is thrown away if nothing more comes.
	Expires time.Time
	// Data is the whole upload.
	Data []byte
}

// Part is a piece of an upload that has arrived.
type Part struct {
	// Start is where it begins, Size how long it is.
	Start, Size int64
	// Blob is where its bytes are.
	Blob string
}

// InsertUpload writes a new upload. It is false when the request began one before.
func InsertUpload(ctx context.Context, tx *db.Tx, u Upload, requestKey string) (bool, error) {
	n, err := queries.New(tx).InsertUpload(ctx, queries.InsertUploadParams{
		Name: u.Name, Owner: u.Owner, Creator: u.Creator, RequestKey: requestKey, RequestHash: u.RequestHash,
		Size: u.Size, ExpiresAt: db.Micros(u.Expires), Data: u.Data,
	})
	if err != nil {
		return false, fmt.Errorf("store: insert upload: %w", err)
	}
	return n == 1, nil
}

// GetUpload reads an upload; false when there is none.
func GetUpload(ctx context.Context, q db.Querier, name string) (Upload, bool, error) {
	r, err := queries.New(q).GetUpload(ctx, name)
	return upload(queries.GetUploadByRequestRow(r), err)
}

// UploadOf reads the upload that a request began; false when there is none.
func UploadOf(ctx context.Context, q db.Querier, requestKey string) (Upload, bool, error) {
	r, err := queries.New(q).GetUploadByRequest(ctx, requestKey)
	return upload(r, err)
}

func upload(r queries.GetUploadByRequestRow, err error) (Upload, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Upload{}, false, nil
	}
	if err != nil {
		return Upload{}, false, fmt.Errorf("store: get upload: %w", err)
	}
	return Upload{
		Name: r.Name, Owner: r.Owner, Creator: r.Creator, RequestHash: r.RequestHash, State: r.State, Size: r.Size,
		Received: r.Received, Expires: db.Time(r.ExpiresAt), Data: r.Data,
	}, true, nil
}

// Owned is what somebody has here: open uploads, the bytes they announce, and the bytes
// kept.
type Owned struct{ Uploads, Announced, Kept int64 }

// OwnedBy counts what somebody has here.
func OwnedBy(ctx context.Context, q db.Querier, owner string) (Owned, error) {
	open, err := queries.New(q).OpenUploads(ctx, owner)
	if err != nil {
		return Owned{}, fmt.Errorf("store: open uploads: %w", err)
	}
	kept, err := queries.New(q).OwnedBytes(ctx, owner)
	if err != nil {
		return Owned{}, fmt.Errorf("store: owned bytes: %w", err)
	}
	return Owned{open.Uploads, open.Bytes, kept}, nil
}

// AddPart notes a piece that has arrived. It is false, and nothing changes, when the
// upload is no longer open or goes on elsewhere: of two pieces for one place one counts.
func AddPart(ctx context.Context, tx *db.Tx, name string, p Part, expires time.Time) (bool, error) {
	q := queries.New(tx)
	n, err := q.ReceivePart(ctx, queries.ReceivePartParams{Part: p.Size, ExpiresAt: db.Micros(expires), Name: name, Start: p.Start})
	if err != nil {
		return false, fmt.Errorf("store: receive part: %w", err)
	}
	if n != 1 {
		return false, nil
	}
	if err := q.InsertPart(ctx, queries.InsertPartParams{Upload: name, Start: p.Start, Size: p.Size, Blob: p.Blob}); err != nil {
		return false, fmt.Errorf("store: insert part: %w", err)
	}
	return true, nil
}

// Parts are the pieces of an upload, in their order.
func Parts(ctx context.Context, q db.Querier, name string) ([]Part, error) {
	rows, err := queries.New(q).ListParts(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("store: parts: %w", err)
	}
	out := make([]Part, len(rows))
	for i, r := range rows {
		out[i] = Part{r.Start, r.Size, r.Blob}
	}
	return out, nil
}

// EndUpload ends an open upload in a state, and leaves its pieces to be removed. It is
// false, and nothing changes, when it was not open any more.
func EndUpload(ctx context.Context, tx *db.Tx, name string, state int64, data []byte) (bool, error) {
	q := queries.New(tx)
	n, err := q.EndUpload(ctx, queries.EndUploadParams{State: state, Data: data, Name: name})
	if err != nil {
		return false, fmt.Errorf("store: end upload: %w", err)
	}
	if n != 1 {
		return false, nil
	}
	if err := errors.Join(q.TrashParts(ctx, name), q.DeleteParts(ctx, name)); err != nil {
		return false, fmt.Errorf("store: parts of ended upload: %w", err)
	}
	return true, nil
}

// ExpiredUploads are the next open uploads that nobody goes on with.
func ExpiredUploads(ctx context.Context, q db.Querier, now time.Time) ([]Upload, error) {
	rows, err := queries.New(q).ListExpiredUploads(ctx, db.Micros(now))
	if err != nil {
		return nil, fmt.Errorf("store: expired uploads: %w", err)
	}
	out := make([]Upload, len(rows))
	for i, r := range rows {
		out[i] = Upload{Name: r.Name, Data: r.Data}
	}
	return out, nil
}

// ForgetUploads removes the rows of uploads that ended long ago.
func ForgetUploads(ctx context.Context, tx *db.Tx, before time.Time) error {
	if err := queries.New(tx).ForgetUploads(ctx, db.Micros(before)); err != nil {
		return fmt.Errorf("store: forget uploads: %w", err)
	}
	return nil
}
