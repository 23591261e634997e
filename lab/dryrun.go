package lab

// Planned marks the events of a plan that is shown, not run.
const Planned Phase = "planned"

// Show emits what a run of the plan would do, and changes nothing.
func (r *Runner) Show(plan Plan, until string) {
	r.emit(Event{Type: RunStart, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Params: plan.Params, Total: len(plan.Steps), Phase: Planned})
	for i, step := range plan.Steps {
		e := Event{Lab: plan.Lab, Step: step.ID, Index: i + 1, Total: len(plan.Steps), Phase: Planned}
		with := func(t Type, id, command string) Event {
			x := e
			x.Type, x.ID, x.Command = t, id, command
			return x
		}
		r.emit(with(StepStart, "", ""))
		for _, n := range step.Notes {
			x := with(NoteSaid, n.ID, "")
			x.Values = n.Values
			r.emit(x)
		}
		for _, refusal := range step.Refusals {
			r.emit(with(Refused, refusal.ID, refusal.Op.Command().String()))
		}
		for group, o := range step.All() {
			x := with(OpStart, "", o.Command().String())
			x.Group = group
			r.emit(x)
		}
		for _, c := range step.Checks {
			r.emit(with(CheckDone, c.ID, c.Probe.Command().String()))
		}
		r.emit(with(StepEnd, "", ""))
		if step.ID == until {
			break
		}
	}
	r.emit(Event{Type: RunEnd, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Total: len(plan.Steps), Phase: Planned})
}
