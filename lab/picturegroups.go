package lab

// mostDrawn is how many groups of a step are drawn.
const mostDrawn = 3

// More is how many of a list's elements are left out, since their groups are.
type More struct {
	Devices int  `json:"devices,omitempty"`
	Routes  int  `json:"routes,omitempty"`
	Rules   int  `json:"rules,omitempty"`
	New     News `json:"new,omitzero"`
}

// News tells which of the counts are new.
type News struct {
	Devices bool `json:"devices,omitempty"`
	Routes  bool `json:"routes,omitempty"`
	Rules   bool `json:"rules,omitempty"`
}

// grouped is a picture while its steps are drawn.
type grouped struct {
	*Picture
	own map[*Space]bool // namespaces that groups have made for themselves
}

// do draws a step: its ops and those of its first groups. The others are counted.
func (p grouped) do(s Step) {
	p.draw(s.Ops)
	left := max(len(s.Groups)-mostDrawn, 0)
	p.More = max(p.More, left)
	for i, g := range s.Groups[:len(s.Groups)-left] {
		before := make([]More, len(p.Spaces))
		for j, space := range p.Spaces {
			before[j] = space.size()
		}
		p.draw(g.Ops)
		for _, space := range p.Spaces[len(before):] {
			p.own[space] = true
		}
		if left == 0 || i < mostDrawn-1 {
			continue
		}
		// The groups are alike, so each that is left out brings as much as this one.
		for j, was := range before {
			if space := p.Spaces[j]; !p.own[space] {
				space.More.add(left, space.size(), was)
			}
		}
	}
}

func (m *More) add(times int, now, was More) {
	m.Devices = max(0, m.Devices+times*(now.Devices-was.Devices))
	m.Routes = max(0, m.Routes+times*(now.Routes-was.Routes))
	m.Rules = max(0, m.Rules+times*(now.Rules-was.Rules))
}

func (p *Picture) draw(ops []Op) {
	for _, o := range ops {
		if d, ok := o.(Drawer); ok {
			d.Draw(p)
		}
	}
}

func (s *Space) size() More {
	return More{Devices: len(s.Devices), Routes: len(s.Routes), Rules: len(s.Rules)}
}
