package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

func TestWantedLanguage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  string // NAME=VALUE, separated by spaces
		want string
	}{
		{name: "nothing is said", want: "en"},
		{name: "LANG", env: "LANG=zh_CN.UTF-8", want: "zh"},
		{name: "an encoding of old", env: "LANG=zh_CN.GB18030", want: "zh"},
		{name: "Taiwan", env: "LANG=zh_TW.UTF-8", want: "zh"},
		{name: "Hong Kong", env: "LANG=zh_HK", want: "zh"},
		{name: "Singapore", env: "LANG=zh_SG.UTF-8", want: "zh"},
		{name: "by script", env: "LANG=zh-Hans", want: "zh"},
		{name: "by both", env: "LANG=zh-Hant-TW", want: "zh"},
		{name: "a modifier", env: "LANG=zh_CN.UTF-8@pinyin", want: "zh"},
		{name: "English", env: "LANG=en_GB.UTF-8", want: "en"},
		{name: "neither", env: "LANG=de_DE.UTF-8", want: "en"},
		{name: "Japanese", env: "LANG=ja_JP.UTF-8", want: "en"},
		{name: "C", env: "LANG=C", want: "en"},
		{name: "C with an encoding", env: "LANG=C.UTF-8", want: "en"},
		{name: "POSIX", env: "LANG=POSIX", want: "en"},
		{name: "nonsense", env: "LANG=!", want: "en"},
		{name: "LC_MESSAGES before LANG", env: "LC_MESSAGES=zh_CN.UTF-8 LANG=en_US.UTF-8", want: "zh"},
		{name: "LC_ALL before both", env: "LC_ALL=C LC_MESSAGES=zh_CN.UTF-8 LANG=zh_CN.UTF-8", want: "en"},
		{name: "an empty one is passed over", env: "LC_ALL= LC_MESSAGES= LANG=zh_CN.UTF-8", want: "zh"},
		{name: "other parts of the locale say nothing", env: "LC_CTYPE=zh_CN.UTF-8 LC_TIME=zh_CN.UTF-8", want: "en"},
		{name: "NETLAB_LANG before the locale", env: "NETLAB_LANG=zh LC_ALL=en_US.UTF-8", want: "zh"},
		{name: "NETLAB_LANG to English", env: "NETLAB_LANG=en LANG=zh_CN.UTF-8", want: "en"},
		{name: "the flag before all", args: []string{"run", "proxyarp", "--lang", "zh"}, env: "NETLAB_LANG=en LC_ALL=C", want: "zh"},
		{name: "the flag in one word", args: []string{"--lang=zh", "list"}, want: "zh"},
		{name: "the flag to English", args: []string{"list", "--lang=en"}, env: "LANG=zh_CN.UTF-8", want: "en"},
		{name: "the last flag counts", args: []string{"--lang", "zh", "list", "--lang", "en"}, want: "en"},
		{name: "the flag as a locale", args: []string{"--lang", "zh_CN"}, want: "zh"},
		{name: "not ours, behind the dashes", args: []string{"exec", "ns1", "--", "prog", "--lang", "zh"}, want: "en"},
		{name: "without a value", args: []string{"list", "--lang"}, env: "LANG=zh_CN.UTF-8", want: "zh"},
		{name: "one that we don't speak", args: []string{"list", "--lang", "fr"}, env: "LANG=zh_CN.UTF-8", want: "zh"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{}
			for _, pair := range strings.Fields(tt.env) {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			if got := wantedLanguage(tt.args, func(name string) string { return env[name] }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnUnknownLanguageIsRefused(t *testing.T) {
	for _, args := range [][]string{{"list", "--lang", "fr"}, {"--lang=", "list"}, {"--lang", "fr", "--help"}} {
		var stdout, stderr bytes.Buffer
		code := run(args, &bytes.Buffer{}, &stdout, &stderr, ticking())
		if code != exitUsage || !strings.Contains(stderr.String(), "one of en, zh") || stdout.Len() > 0 {
			t.Errorf("%v: exit status %d, on stdout %q, on stderr %q", args, code, stdout.String(), stderr.String())
		}
	}
}

// The netlab inside a sandbox speaks as the one outside does, whichever way that
// was chosen, and so does one that is typed in the sandbox's shell.
func TestTheLanguageReachesTheSandbox(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	has := func(script, want string) {
		t.Helper()
		if out := sh(t, script); !strings.Contains(out, want) {
			t.Errorf("%s: no %q in:\n%s", script, want, out)
		}
	}
	has("netlab run proxyarp --sandbox --until namespace --lang zh", "一套独立的网络协议栈")
	has("NETLAB_LANG=zh netlab run proxyarp --until veth", "一套独立的网络协议栈")
	has("LC_ALL=zh_CN.UTF-8 netlab check", "一套独立的网络协议栈")
	has("netlab --lang zh exec host -- netlab list", "网关并不存在的 Pod")
	has("SHELL=/bin/sh; export SHELL; echo netlab list | netlab --lang zh shell host", "网关并不存在的 Pod")
	has("netlab check", "A network stack of its own")
	has("netlab --lang zh teardown", "开始撤销")
}

// What is printed depends on the language, not on the locale: signs that may be
// one or two columns wide in East Asia count the same everywhere.
func TestTheLocaleDoesNotMoveAnything(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	for _, command := range []string{
		"netlab run proxyarp --dry-run -v --sandbox", "netlab run proxyarp --help", "netlab list",
		"netlab diagram proxyarp --sandbox",
	} {
		for _, lang := range languages() {
			printed := map[string]bool{}
			for _, locale := range []string{"C", "C.UTF-8", "zh_CN.UTF-8", "ja_JP.UTF-8"} {
				argv := strings.Fields(command)
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Env = append(cmd.Environ(), "LC_ALL="+locale, "NETLAB_LANG="+lang, "COLUMNS=72")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
				printed[string(out)] = true
			}
			if len(printed) != 1 {
				t.Errorf("%s in %s: %d outputs in 4 locales", command, lang, len(printed))
			}
		}
	}
}
