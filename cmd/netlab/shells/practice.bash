# bash reads this in the place of ~/.bashrc.
[ -f ~/.bashrc ] && . ~/.bashrc
. "$NETLAB_SHELLS/practice.sh"

# PROMPT_COMMAND may be an array: then this is its first element.
PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND
}__netlab_look"
