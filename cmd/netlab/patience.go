package main

import (
	"os"
	"os/signal"
	"syscall"
)

// askPatience says, at each signal that would end netlab, that it is still cleaning
// up: that is not given up halfway, and must not look as if it hung. The caller
// calls done at the end.
func (a *app) askPatience() (done func()) {
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for range signals {
			a.errPaper().prose("", a.say("undo.patience"), nil)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-ended
	}
}
