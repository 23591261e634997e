package doctor

import (
	"time"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/machine"
)

// watch is the machine's clock, and the labs that were begun by it.
type watch struct {
	now  time.Time
	labs map[string]time.Time // when they were begun
}

func clock(q Question) ([]machine.Finding, error) {
	w := watch{now: q.Now, labs: map[string]time.Time{}}
	dir := journal.At(q.Labs)
	labs, err := dir.Labs()
	if err != nil {
		labs = nil // leftovers says so
	}
	for _, name := range labs {
		if s, err := dir.Read(name); err == nil {
			w.labs[name] = s.Header.Created
		}
	}
	return judgeClock(w), nil
}

// judgeClock: a clock that was never set begins in 1970, or when the firmware was
// made; one that was set back puts labs in the future.
func judgeClock(w watch) []machine.Finding {
	const drift = time.Minute // more than a clock is corrected by in passing
	set := lab.Command{"timedatectl", "set-ntp", "true"}
	now := w.now.UTC().Format("2006-01-02 15:04")
	if w.now.Before(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) {
		return []machine.Finding{warn(ClockPast, set, "now", now)}
	}
	for name, created := range w.labs {
		if created.After(w.now.Add(drift)) {
			return []machine.Finding{warn(ClockBehind, set, "lab", name, "created", created.UTC().Format("2006-01-02 15:04"), "now", now)}
		}
	}
	return []machine.Finding{ok(Clock, "now", now)}
}
