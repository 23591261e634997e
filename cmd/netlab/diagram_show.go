package main

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/term"

	"netlab/lab"
)

// namedPicture is what a picture is of.
type namedPicture struct {
	lab, scenario, title string
}

// jsonPicture is a picture as one line of JSON.
type jsonPicture struct {
	Version  int    `json:"v"`
	Type     string `json:"type"` // "picture"
	Lab      string `json:"lab"`
	Scenario string `json:"scenario"`
	Step     string `json:"step,omitempty"` // what it brings is marked as new
	lab.Picture
	Nobodies []lab.Nobody `json:"nobodies,omitempty"`
}

func (a *app) showPicture(n namedPicture, pic lab.Picture, o diagramOptions) error {
	if a.output == "json" {
		a.printJSON(jsonPicture{jsonVersion, "picture", n.lab, n.scenario, o.until, pic, pic.Nobodies()})
		return nil
	}
	var text string
	switch o.format {
	case "mermaid":
		text = a.drawMermaid(pic, n.title)
	case "dot":
		text = a.drawDot(pic, n.title)
	case "svg":
		text = a.drawSVG(pic, n.title)
	default:
		p := a.paper()
		p.columns = a.pictureWidth()
		if !a.quiet {
			p.prose("", n.title, nil)
			p.line("")
		}
		a.drawText(p, pic, nil, a.ascii)
		return nil
	}
	_, err := fmt.Fprint(a.stdout, harmless(text))
	return err
}

// pictureWidth is how many columns a picture may take: all of the terminal's,
// unlike prose.
func (a *app) pictureWidth() int {
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	if width, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && width > 0 {
		return width
	}
	return defaultColumns
}
