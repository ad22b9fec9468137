package verify

import (
	"crypto/sha256"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "github.com/onehall/onehall/proto/gen/onehall/casework/v1"
	feedv1 "github.com/onehall/onehall/proto/gen/onehall/feed/v1"
	reviewv1 "github.com/onehall/onehall/proto/gen/onehall/review/v1"
	supervisionv1 "github.com/onehall/onehall/proto/gen/onehall/supervision/v1"
)

// id stands for a subject's name: millions are kept, and the name is never asked back.
type id [16]byte

func idOf(subject string) id {
	sum := sha256.Sum256([]byte(subject))
	return id(sum[:16])
}

// words numbers the few words that are in every row.
type words struct {
	number map[string]uint32
	list   []string
}

func (w *words) of(s string) uint32 {
	n, ok := w.number[s]
	if !ok {
		if w.number == nil {
			w.number = map[string]uint32{}
		}
		n = uint32(len(w.list))
		w.number[s] = n
		w.list = append(w.list, s)
	}
	return n
}

// day is days since 1970 in China; noDay is none.
type day int32

const noDay day = -1 << 31

func dayOf(t *timestamppb.Timestamp) day {
	if t == nil {
		return noDay
	}
	const china = 8 * 3600
	s := t.GetSeconds() + china
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return day(d)
}

func (d day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

// place is what a fact is of besides its day and channel.
type place struct{ hall, department, item uint32 }

// caseState is the last state of a case, as far as it is counted.
type caseState struct {
	place
	submitted, accepted, finished day
	channel                       caseworkv1.Channel
	counts, online                bool
	// judged is set by the first event that shows a decision or a finish, and late
	// with it; a due date that changes afterwards changes neither.
	judged, late, reviewed bool
}

// voice is a review or a card in its last state.
type voice struct {
	place
	of   id
	on   day
	card bool
	// good is a review of 3 stars or more, in a yellow or red card that is issued.
	good, in bool
}

// fold is the last state of everything, from the events read so far.
type fold struct {
	words  words
	last   map[string]map[id]int64
	cases  map[id]*caseState
	voices map[id]voice
}

func newFold() *fold {
	return &fold{last: map[string]map[id]int64{}, cases: map[id]*caseState{}, voices: map[id]voice{}}
}

// take takes an event in. Other resources than the three counted are left alone.
func (f *fold) take(e *feedv1.Event) error {
	subject := idOf(e.GetSubject())
	switch e.GetResourceType() {
	case "onehall.casework.v1.Case":
		var c caseworkv1.Case
		if err := proto.Unmarshal(e.GetResource(), &c); err != nil {
			return err
		}
		f.takeCase(subject, e.GetSubject(), &c, e.GetType() == "case.corrected")
	case "onehall.review.v1.Review":
		var r reviewv1.Review
		if err := proto.Unmarshal(e.GetResource(), &r); err != nil {
			return err
		}
		f.voices[subject] = voice{
			place: f.place(e.GetSubject(), r.GetDepartment(), r.GetItem()), of: idOf(r.GetCase()), on: dayOf(r.GetCreateTime()), good: r.GetStars() >= 3,
		}
	case "onehall.supervision.v1.Card":
		var c supervisionv1.Card
		if err := proto.Unmarshal(e.GetResource(), &c); err != nil {
			return err
		}
		colour := c.GetLevel() == supervisionv1.CardLevel_CARD_LEVEL_YELLOW || c.GetLevel() == supervisionv1.CardLevel_CARD_LEVEL_RED
		f.voices[subject] = voice{
			place: f.place(e.GetSubject(), c.GetDepartment(), c.GetItem()), of: idOf(c.GetSubject()), on: dayOf(c.GetAsOf()), card: true,
			in: colour && (c.GetState() == supervisionv1.CardState_CARD_STATE_ISSUED || c.GetState() == supervisionv1.CardState_CARD_STATE_UNDER_ORDER),
		}
	}
	return nil
}

func (f *fold) takeCase(subject id, name string, c *caseworkv1.Case, corrected bool) {
	s := f.cases[subject]
	if s == nil {
		s = &caseState{}
		f.cases[subject] = s
	}
	if corrected {
		s.judged, s.late = false, false
	}
	s.place = f.place(name, c.GetDepartment(), c.GetItem())
	s.submitted, s.accepted, s.finished = dayOf(c.GetSubmitTime()), dayOf(c.GetAcceptTime()), dayOf(c.GetFinish().GetFinishTime())
	s.channel, s.online = c.GetChannel(), c.GetFinish().GetOnline()
	s.counts = c.GetState() != caseworkv1.CaseState_CASE_STATE_DRAFT && c.GetState() != caseworkv1.CaseState_CASE_STATE_VOIDED &&
		c.GetCaseType() != caseworkv1.CaseType_CASE_TYPE_JOINT // its children count
	decided := dayOf(c.GetDecision().GetDecideTime())
	if decided == noDay {
		decided = s.finished
	}
	if decided != noDay && !s.judged {
		// Dates written YYYY-MM-DD sort as they follow each other.
		s.judged, s.late = true, c.GetPromisedDueDate() != "" && decided.String() > c.GetPromisedDueDate()
	}
}

func (f *fold) place(name, department, item string) place {
	hall := name
	if parts := strings.SplitN(name, "/", 3); len(parts) == 3 {
		hall = parts[0] + "/" + parts[1]
	}
	return place{f.words.of(hall), f.words.of(department), f.words.of(item)}
}
