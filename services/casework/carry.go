package casework

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	"github.com/onehall/onehall/services/casework/internal/rules"
	"github.com/onehall/onehall/services/casework/internal/store"
	"github.com/onehall/onehall/services/platform/db"
	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/feed"
)

// carry is the code under which a draft is carried to a window, made of the request so
// that a repeated one gives the same. try tells codes apart when one is in use.
func (q queryCodes) carry(caseNo, requestKey string, try int) string {
	mac := hmac.New(sha256.New, q.secret)
	mac.Write([]byte("onehall carry code|" + caseNo + "|" + requestKey + "|" + strconv.Itoa(try)))
	return fmt.Sprintf("%08d", binary.BigEndian.Uint64(mac.Sum(nil))%100_000_000)
}

// carryHash is what is kept of a code: who reads the database learns none.
func (q queryCodes) carryHash(hall, code string) string {
	mac := hmac.New(sha256.New, q.secret)
	mac.Write([]byte("onehall carry code kept|" + hall + "|" + code))
	return hex.EncodeToString(mac.Sum(nil))
}

// CarryDraft gives the applicant a code for a draft.
func (s *Service) CarryDraft(ctx context.Context, req *caseworkv1.CarryDraftRequest) (*caseworkv1.CarryCode, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.ownDraft(ctx, a, req.GetName()); err != nil {
		return nil, err
	}
	row, _, err := s.stored(ctx, lastPart(req.GetName()))
	if err != nil {
		return nil, err
	}
	if err := feed.CheckEtag(req.GetEtag(), req.GetName(), row.Seq); err != nil {
		return nil, err
	}
	hall, caseNo := hallOf(req.GetName()), lastPart(req.GetName())
	r := newRequest(a, hall, "CarryDraft", req)
	var code string
	var expires time.Time
	err = s.db.Write(ctx, caseNo, func(ctx context.Context, tx *db.Tx) error {
		until := tx.Now().Add(rules.CarryFor)
		for try := range numberTries {
			c := s.codes.carry(caseNo, r.key, try)
			ok, err := store.PutCarryCode(ctx, tx, s.codes.carryHash(hall, c), caseNo, until, tx.Now())
			if err != nil {
				return err
			}
			if ok {
				code, expires = c, until
				return nil
			}
		}
		return fault.Unavailable.New()
	})
	if err != nil {
		return nil, err
	}
	return &caseworkv1.CarryCode{Case: req.GetName(), Code: code, ExpireTime: stamp(expires)}, nil
}

// takeOver makes a TakeOverDraftRequest look like the other requests about one case. It
// holds no code, so that none stands in an event.
type takeOver struct {
	*caseworkv1.TakeOverDraftRequest
	name string
}

// GetName is the draft's name.
func (t takeOver) GetName() string { return t.name }

// TakeOverDraft takes a draft over at a window. Wrong codes are bounded like queries of
// progress: there are a hundred million, and few hold at a time.
func (s *Service) TakeOverDraft(ctx context.Context, req *caseworkv1.TakeOverDraftRequest) (*caseworkv1.Case, error) {
	a, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	hall := hallOf(req.GetParent())
	if err := s.queries.allow("carry|"+a.Subject, s.queries.perCaller); err != nil {
		return nil, err
	}
	caseNo, ok, err := store.CarryCode(ctx, s.db.Read(), s.codes.carryHash(hall, req.GetCode()), s.clock.Now())
	if err != nil {
		return nil, err
	}
	if !ok {
		// A repeated request is answered as the first time, though the code is used up.
		return s.answer(s.refused(ctx, newRequest(a, hall, "TakeOverDraft", req), fault.CodeInvalid.New(fault.Field("code"))), false)
	}
	shown, err := s.perform(ctx, step{
		rpc: "TakeOverDraft", event: "case.taken_over", command: rules.Update, request: takeOver{req, caseName(hall, caseNo)}, noEtag: true, carried: true,
		input: func(t *turn) (rules.Input, error) {
			if t.c.GetOnBehalf() {
				return rules.Input{}, fault.CodeInvalid.New(fault.Field("code")) // another window has it
			}
			return rules.Input{}, nil
		},
		effect: func(t *turn) {
			t.c.CarriedFrom, t.c.Channel, t.c.OnBehalf = t.c.GetChannel(), caseworkv1.Channel_CHANNEL_WINDOW, true
		},
	})
	return shown, err
}
