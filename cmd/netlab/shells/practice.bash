# bash reads this in the place of ~/.bashrc.
[ -f ~/.bashrc ] && . ~/.bashrc
. "$NETLAB_SHELLS/practice.sh"

# PROMPT_COMMAND may be an array: then this is its first element. It may be exported,
# to shells that have no look.
PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND
}type __netlab_look >/dev/null 2>&1 && __netlab_look"
