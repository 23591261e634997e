package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// Whatever a file holds: it is refused with a reason, or it says something that
// can be written and read again.
func FuzzParse(f *testing.F) {
	const header = `{"netlab_journal":1,"lab":"lab","scenario":"s","params":{"a":"b"},"created":"2024-02-29T23:59:00Z"}` + "\n"
	const intent = `{"intent":{"seq":1,"step":"one","op":{"kind":"do","op":{"a":1}},"undo":[{"kind":"undo","op":{}}]}}` + "\n"
	for _, seed := range []string{
		"", "\n", header, header + intent, header + "   \n" + intent,
		header + intent + `{"done":{"seq":1,"made":[{"ref":{"kind":"netns","name":"ns1"},"id":{"cookie":5}}]}}` + "\n",
		header + intent + `{"take":{"seq":1,"from":"other","undo":[{"kind":"undo","op":null}]}}` + "\n" + `{"undone":1}` + "\n",
		header + `{"step":{"id":"one","done":true,"at":"2024-02-29T23:59:00+01:00"}}` + "\n" + `{"step":{"id":"one","done":false,"at":"2024-02-29T23:59:00Z"}}` + "\n",
		header + `{"undone":1}` + "\n", header + intent + intent, header + intent[:20],
		`{"netlab_journal":2}` + "\n", `{"netlab_journal":1,"lab":"lab"}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, whole, err := parse(data)
		if whole < 0 || whole > len(data) {
			t.Fatalf("%d of %d bytes are whole", whole, len(data))
		}
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Fatalf("an error without a kind: %v", err)
		}
		if whole == 0 {
			return
		}
		// What is whole says the same by itself, and when it is written anew.
		again, n, err := parse(data[:whole])
		if err != nil || n != whole {
			t.Fatalf("what is whole: %d of %d bytes, %v", n, whole, err)
		}
		if diff := differ(s, again); diff != "" {
			t.Fatalf("what is whole (-all +whole):\n%s", diff)
		}
		written, _, err := parse(rewritten(t, data[:whole]))
		if err != nil {
			t.Fatalf("written anew: %v", err)
		}
		if got, want := shape(written), shape(s); got != want || written.Header.Lab != s.Header.Lab {
			t.Fatalf("written anew it says\n%s\nnot\n%s", got, want)
		}
	})
}

// rewritten is a whole journal with every line written again by us.
func rewritten(t *testing.T, data []byte) []byte {
	t.Helper()
	var out []byte
	for i, text := range bytes.Split(data, []byte("\n")) {
		var h Header
		var l line
		var into any = &l
		if i == 0 {
			into = &h
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if err := decode(text, into); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		out = append(append(out, marshal(t, into)...), '\n')
	}
	return out
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
