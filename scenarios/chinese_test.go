package scenarios

import "testing"

func TestLinesOfAParagraphAreJoined(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"English", "a route\nof scope link", "a route of scope link"},
		{"Chinese", "网络\n命名空间", "网络命名空间"},
		{"after a mark", "好了，\n再来", "好了，再来"},
		{"a mark and Latin", "好了，\nip link", "好了，ip link"},
		{"Latin and a mark", "ip link\n（好了）", "ip link（好了）"},
		{"Chinese and Latin", "接口\nveth", "接口 veth"},
		{"Latin and Chinese", "veth\n接口", "veth 接口"},
		{"Chinese and a value", "接口\n{dev}", "接口 {dev}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := parseWords("s", []byte("# s: t\n\n"+tt.source+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if w.Intro != tt.want {
				t.Errorf("got %q, want %q", w.Intro, tt.want)
			}
		})
	}
}

func TestSpacesInCodeAreUnbroken(t *testing.T) {
	w, err := parseWords("s", []byte("# s: t\n\nsee `ip link show` now\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "see ip" + Unbroken + "link" + Unbroken + "show now"; w.Intro != want {
		t.Errorf("got %q, want %q", w.Intro, want)
	}
}

func TestAdjoin(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"Look:", "there", "Look: there"},
		{"看点：", "那里", "看点：那里"},
		{"名字", "（默认 ns1）", "名字（默认 ns1）"},
		{"", "那里", "那里"},
		{"there", "", "there"},
	} {
		if got := Adjoin(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q make %q, not %q", tt.a, tt.b, got, tt.want)
		}
	}
}
