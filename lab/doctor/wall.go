package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel"
)

// Walls are those of the host's firewalls that drop what it forwards for the lab and
// that the lab itself is to open. They are the same once it has: its own rules,
// which are known by q.Mark, are passed over. A kernel without nf_tables has none.
func Walls(q Question) ([]lab.Wall, error) {
	if !forwarded(q) {
		return nil, nil
	}
	walls, err := readWalls(q)
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EINVAL):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the host's firewall: %w", err)
	}
	var doors []lab.Wall
	for _, w := range walls {
		if w.door != nil {
			doors = append(doors, *w.door)
		}
	}
	return doors, nil
}

func readWalls(q Question) ([]wall, error) {
	var walls []wall
	err := q.Kernel.Firewall().Frozen(func(f *kernel.Firewall) error {
		walls = nil
		stops, err := cause.Stopped(f, q.Mark, passages(q)...)
		if err != nil {
			return err
		}
		for _, same := range byBase(stops) {
			w := wall{stop: &same[0].Cause, certain: same[0].Certain}
			if w.chains, err = neighbours(f, w.stop.Values); err != nil {
				return err
			}
			w.door = door(same)
			walls = append(walls, w)
		}
		return nil
	})
	return walls, err
}

// byBase puts together those that stop packets in the same base chain. The first of
// them is the one to name: what is meant for such packets, whatever else would stop
// those that nobody lets through; then what is certain.
func byBase(stops []cause.Stop) [][]cause.Stop {
	var sorted [][]cause.Stop
	for _, s := range stops {
		at := slices.IndexFunc(sorted, func(o []cause.Stop) bool {
			return !slices.ContainsFunc([]string{"backend", "family", "table", "base"}, func(name string) bool {
				return o[0].Values[name] != s.Values[name]
			})
		})
		if at < 0 {
			sorted, at = append(sorted, nil), len(sorted)
		}
		sorted[at] = append(sorted[at], s)
	}
	for _, same := range sorted {
		slices.SortStableFunc(same, func(a, b cause.Stop) int { return cmp.Compare(weight(b), weight(a)) })
	}
	return sorted
}

func weight(s cause.Stop) int {
	switch {
	case s.Certain && !s.All:
		return 2
	case s.Certain:
		return 1
	}
	return 0
}

// door is where to let packets through that a base chain stops. Only iptables' own
// FORWARD has one, and only where it stops all that nobody has let through: a rule
// that is meant for such packets was made on purpose. Docker keeps DOCKER-USER for
// rules of others, and puts itself before those in FORWARD.
func door(stops []cause.Stop) *lab.Wall {
	at, program := stops[0].Values, stops[0].Repair[0] // the one that shows the chain
	if program == "nft" || at["table"] != "filter" || at["base"] != "FORWARD" {
		return nil
	}
	chain, open, own := "DOCKER-USER", false, ""
	for _, s := range stops {
		if s.Certain && !s.All {
			return nil
		}
		open = open || s.All
		if !slices.Contains(s.Through, chain) {
			chain = "FORWARD"
		}
		own = cmp.Or(own, s.Own)
	}
	if !open {
		return nil
	}
	return &lab.Wall{Program: program, NFT: at["backend"] == "nftables", Chain: cmp.Or(own, chain)}
}
