package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/blob"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// How often files are looked after, and how old a stored blob must be before the sweep
// asks whose it is: younger ones may be about to be noted.
const (
	sweepEvery = 10 * time.Minute
	orphanAge  = 24 * time.Hour
	// laterLook is when to look again at a material that is still needed, rememberEnded how
	// long it is known of an upload that it ended.
	laterLook     = 30 * 24 * time.Hour
	rememberEnded = 30 * 24 * time.Hour
)

// sweepFiles throws away what is no longer needed, until ctx ends. The record always comes
// first and the bytes go afterwards; whatever a crash leaves undone the next round does.
// Replicas that do it at the same time do it once.
func (s *Service) sweepFiles(ctx context.Context) error {
	var listed time.Time
	for {
		now := s.clock.Now()
		alarm := s.clock.NewTimer(sweepEvery)
		err := errors.Join(s.expireUploads(ctx, now), s.dropOld(ctx, now), s.emptyTrash(ctx))
		if now.Sub(listed) >= orphanAge {
			err = errors.Join(err, s.dropOrphans(ctx, now))
			listed = now
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "files are looked after later", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			alarm.Stop()
			return nil
		case <-alarm.C():
		case <-s.files.wake:
			alarm.Stop()
		}
	}
}

// emptyTrashSoon lets the sweep begin its next round now.
func (s *Service) emptyTrashSoon() {
	select {
	case s.files.wake <- struct{}{}:
	default: // it will already
	}
}

// expireUploads ends the uploads that nobody goes on with.
func (s *Service) expireUploads(ctx context.Context, now time.Time) error {
	for {
		found, err := store.ExpiredUploads(ctx, s.db.Read(), now)
		if err != nil {
			return err
		}
		for _, row := range found {
			u, err := uploadOf(row)
			if err != nil {
				return err
			}
			u.State = caseworkv1.UploadState_UPLOAD_STATE_EXPIRED
			if err := s.endUpload(ctx, u); err != nil && !errors.Is(err, fault.UploadEnded) {
				return err
			}
		}
		if len(found) == 0 {
			return s.db.Write(ctx, "uploads", func(ctx context.Context, tx *db.Tx) error {
				return store.ForgetUploads(ctx, tx, now.Add(-rememberEnded))
			})
		}
	}
}

// needed reports whether a case needs a material, and if so when to look again.
func (s *Service) needed(ctx context.Context, material string) (bool, time.Time, error) {
	now, again := s.clock.Now(), time.Time{}
	names, err := store.Uses(ctx, s.db.Read(), material)
	if err != nil {
		return false, again, err
	}
	for _, name := range names {
		_, c, err := s.stored(ctx, lastPart(name))
		if err != nil {
			return false, again, err
		}
		if c == nil || !holds(c, material) {
			continue
		}
		until := now.Add(laterLook)
		if isEnded(c.GetState()) && s.files.cfg.RetentionDays > 0 {
			until = timeOf(c.GetUpdateTime()).AddDate(0, 0, s.files.cfg.RetentionDays)
		}
		if until.After(again) {
			again = until
		}
	}
	return again.After(now), again, nil
}

// isEnded reports a state in which nothing more is done with the papers.
func isEnded(st caseworkv1.CaseState) bool {
	return slices.Contains([]caseworkv1.CaseState{
		caseworkv1.CaseState_CASE_STATE_NOT_ACCEPTED, caseworkv1.CaseState_CASE_STATE_REFUSED, caseworkv1.CaseState_CASE_STATE_FINISHED,
		caseworkv1.CaseState_CASE_STATE_COLLECTED, caseworkv1.CaseState_CASE_STATE_WITHDRAWN, caseworkv1.CaseState_CASE_STATE_LAPSED,
		caseworkv1.CaseState_CASE_STATE_VOIDED, caseworkv1.CaseState_CASE_STATE_REVOKED,
	}, st)
}

// dropOld throws away the materials that are old and that no case needs.
func (s *Service) dropOld(ctx context.Context, now time.Time) error {
	for {
		names, err := store.OldMaterials(ctx, s.db.Read(), now)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := s.dropOne(ctx, name, now); err != nil && !errors.Is(err, fault.Conflict) {
				return err
			}
		}
	}
}

func (s *Service) dropOne(ctx context.Context, name string, now time.Time) error {
	row, found, err := store.GetMaterial(ctx, s.db.Read(), name)
	if err != nil || !found || !row.Live {
		return err
	}
	needed, again, err := s.needed(ctx, name)
	if err != nil {
		return err
	}
	if needed {
		return s.db.Write(ctx, row.Owner, func(ctx context.Context, tx *db.Tx) error {
			return store.KeepMaterial(ctx, tx, name, again)
		})
	}
	m, err := materialOf(row)
	if err != nil {
		return err
	}
	row.Seq++
	m.DeleteTime, m.Usable, m.Etag = stamp(now), false, feed.Etag(name, row.Seq)
	if row.Data, err = proto.Marshal(m); err != nil {
		return fmt.Errorf("casework: material: %w", err)
	}
	return s.db.Write(ctx, row.Owner, func(ctx context.Context, tx *db.Tx) error {
		_, err := feed.Append(ctx, tx, feed.Draft{
			Subject: name, Sequence: row.Seq, Type: "material.deleted", Resource: nameless(m), Actor: systemActor,
		})
		if err != nil {
			return err
		}
		return store.RemoveMaterial(ctx, tx, row)
	})
}

// emptyTrash removes the bytes that nothing refers to any more.
func (s *Service) emptyTrash(ctx context.Context) error {
	for {
		keys, err := store.Trash(ctx, s.db.Read())
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if err := s.files.store.Delete(ctx, key); err != nil {
				return fmt.Errorf("casework: %w", err)
			}
			err := s.db.Write(ctx, key, func(ctx context.Context, tx *db.Tx) error { return store.Emptied(ctx, tx, key) })
			if err != nil {
				return err
			}
		}
	}
}

// dropOrphans removes bytes that were stored and never noted, because a crash or another
// connection came in between.
func (s *Service) dropOrphans(ctx context.Context, now time.Time) error {
	old := func(key string) bool {
		at, ok := blob.KeyTime(key)
		return ok && now.Sub(at) >= orphanAge
	}
	err := s.files.store.List(ctx, func(key string) error {
		if !old(key) {
			return nil
		}
		known, err := store.BlobKnown(ctx, s.db.Read(), key)
		if err != nil || known {
			return err
		}
		return s.files.store.Delete(ctx, key)
	})
	if sweeper, ok := s.files.store.(interface {
		Sweep(old func(key string) bool) error
	}); ok {
		err = errors.Join(err, sweeper.Sweep(old))
	}
	return err
}
