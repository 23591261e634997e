package lab

import "time"

// Event is one thing that happened, for the views to show. Type says which
// fields are set; the others are empty. The words for IDs stand elsewhere.
type Event struct {
	Type     Type              `json:"type"`
	Time     time.Time         `json:"time"`
	Lab      string            `json:"lab,omitempty"`
	Scenario string            `json:"scenario,omitempty"`
	Machine  string            `json:"machine,omitempty"` // "host" or "sandbox"
	Params   map[string]string `json:"params,omitempty"`
	Step     string            `json:"step,omitempty"`
	Index    int               `json:"index,omitempty"` // of the step, from 1
	Total    int               `json:"total,omitempty"` // how many steps
	ID       string            `json:"id,omitempty"`    // of the check, note or refusal
	Group    string            `json:"group,omitempty"` // what the op was done for, such as "pod2"; see Group
	Phase    Phase             `json:"phase,omitempty"`
	Command  string            `json:"command,omitempty"`
	Holds    *bool             `json:"holds,omitempty"`
	Outcome  string            `json:"outcome,omitempty"`
	Values   map[string]string `json:"values,omitempty"`
	Error    string            `json:"error,omitempty"`
	Journey  *Journey          `json:"journey,omitempty"` // CheckDone: of a probe that was followed
	Steps    int               `json:"steps,omitempty"`   // RunEnd: how many are done
	Checks   int               `json:"checks,omitempty"`  // RunEnd: how many held
	Tried    int               `json:"tried,omitempty"`   // RunEnd: of how many
	Elapsed  time.Duration     `json:"-"`
}

// Type is the type of an Event.
type Type string

// The types of event, with the fields that each sets besides Time and Lab.
const (
	RunStart  Type = "run-start"  // Scenario, Machine, Params, Total
	StepStart Type = "step-start" // Step, Index, Total; Phase AlreadyDone when it was done before
	NoteSaid  Type = "note"       // Step, ID, Values; without Step, of the machine: Command, what settles it
	CheckDone Type = "check"      // Step, ID, Phase, Command, Holds, Outcome, Values, Elapsed
	CheckOver Type = "check-over" // Step, ID, Command, Values ("by": the step that ended what it sees)
	CauseSeen Type = "cause"      // Step, ID, Values, Command: why checks failed, and what settles it
	Refused   Type = "refused"    // Step, ID, Command, Error (the kernel's words)
	OpStart   Type = "op"         // Step, Group, Command: about to be applied
	OpDone    Type = "op-done"    // Step, Group, Command: applied and read back
	OpFailed  Type = "op-failed"  // Step, Group, Command, Error, Values when a field differs
	OpDiffers Type = "op-differs" // Step, Group, Command, Error, Values: check found other state
	LeftOut   Type = "left-out"   // Step, Index, Total, Outcome (AlreadySo, NoChanges, or nothing): see Options.LeaveOut
	Progress  Type = "progress"   // Step (but for an undo), Index (ops done), Total (of how many); now and then, where there are many
	StepEnd   Type = "step-end"   // Step, Index, Total, Elapsed
	RunEnd    Type = "run-end"    // Outcome, Steps, Total, Checks, Elapsed
	UndoStart Type = "undo-start" // Scenario, Total (ops to undo)
	UndoDone  Type = "undo"       // Step, Group, Command
	UndoSkip  Type = "undo-skip"  // Step, Group, Command, Outcome (why), Values
	UndoFail  Type = "undo-fail"  // Step, Group, Command, Error
	UndoEnd   Type = "undo-end"   // Outcome, Total (ops not undone), Elapsed, Values when Salvaged
)

// Phase says when a check was tried, relative to its step.
type Phase string

// The phases.
const (
	Before      Phase = "before"
	After       Phase = "after"
	AlreadyDone Phase = "already-done"
)

// Untried is the outcome of a check that could not even be tried; Values has why,
// as "error".
const Untried = "untried"

// NoCause is the ID of a cause that was looked for and not found.
const NoCause = "unknown"

// ChangeMissing is the ID of the cause that a change of a step is not there; see
// Missing.Cause. Values has "step", "object", "field", "want" and "found".
const ChangeMissing = "change-missing"

// Outcomes of a run and of an undo.
const (
	Up          = "up"          // every step is done
	Partial     = "partial"     // every step asked for is done
	Failed      = "failed"      // a step, a check or an undo failed
	Interrupted = "interrupted" // stopped between two ops
	Down        = "down"        // all is undone
	Salvaged    = "salvaged"    // all is undone that a damaged journal still said
)

// Reasons for not applying an undo.
const (
	SkipGone       = "gone"        // its object is not there any more
	SkipReplaced   = "replaced"    // another object bears the name now
	SkipUnknown    = "unknown"     // netlab can't show that the object is its own
	SkipChanged    = "changed"     // others have changed the value since
	SkipInUse      = "in-use"      // others use it
	SkipHandedOver = "handed-over" // another lab needs it, and will undo it
)
