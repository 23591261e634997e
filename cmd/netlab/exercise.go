package main

import (
	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// exerciseLab is the name of the lab of a practice or a challenge, its own unless
// another is given, and whether we are in a sandbox already.
func exerciseLab(given, own string) (lab string, inside bool, err error) {
	if lab = given; lab == "" {
		lab = own
	}
	if err := scenarios.CheckLabName(lab); err != nil {
		return "", false, err
	}
	_, inside, err = machine.Here()
	return lab, inside, err
}

// lockExercise locks the lab of a practice or a challenge, in whose own sandbox we must
// be, or in none.
func (a *app) lockExercise(labName string) (*journal.Lock, error) {
	here, inside, err := machine.Here()
	if err != nil {
		return nil, err
	}
	if inside && here.Name != labName { // typed in the shell of another lab's sandbox
		return nil, &usageError{Text: a.fill("challenge.inside", "lab", here.Name), Next: "exit"}
	}
	return a.labs.Lock(labName)
}
