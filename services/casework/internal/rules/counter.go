package rules

import (
	"slices"
	"time"

	"github.com/onehall/onehall/services/platform/fault"
	"github.com/onehall/onehall/services/platform/workday"
)

const (
	// MaxAppointments is how many open appointments one person has in a centre, so that
	// nobody keeps the others out.
	MaxAppointments = 3
	// LateGrace is how late who booked may come and still be called by the booked time.
	LateGrace = 15 * time.Minute
	// CarryFor is how long a code for a draft holds.
	CarryFor = 30 * time.Minute
)

// SlotTimes are a day's bookable times; none on a day off.
func SlotTimes(cal *workday.Calendar, hall string, day workday.Date, starts []string) []time.Time {
	if !cal.IsWorkday(hall, day) {
		return nil
	}
	y, m, d := day.Civil()
	var all []time.Time
	for _, s := range starts {
		at, err := time.Parse("15:04", s)
		if err != nil {
			continue // the contract refuses it; a time that cannot be read is not offered
		}
		all = append(all, time.Date(y, m, d, at.Hour(), at.Minute(), 0, 0, workday.Zone))
	}
	return all
}

// Bookable checks a time that somebody wants: one that the centre offers, not over yet,
// and no further ahead than it lets people book.
func Bookable(cal *workday.Calendar, hall string, starts []string, bookingDays int, start, now time.Time) error {
	day := workday.DateOf(start)
	offered := slices.ContainsFunc(SlotTimes(cal, hall, day, starts), start.Equal)
	if !offered || !start.After(now) || int(day-workday.DateOf(now)) > bookingDays {
		return fault.SlotNotOffered.New(fault.Field("start_time"))
	}
	return nil
}

// QueueTurn is the moment by which a ticket's turn comes, and from when its wait counts.
// Who booked is called by the booked time, before all who came after that, and does not
// wait by coming early; who comes too late for it queues like everybody else. booked is
// zero without an appointment.
func QueueTurn(now, booked time.Time) (rank, waits time.Time) {
	switch {
	case booked.IsZero() || now.After(booked.Add(LateGrace)):
		return now, now
	case now.Before(booked):
		return booked, booked
	default:
		return booked, now
	}
}

// Waited is how long somebody waited until the call; who was called before the booked
// time waited not at all.
func Waited(since, called time.Time) time.Duration { return max(0, called.Sub(since)) }
