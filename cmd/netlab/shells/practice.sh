# What every shell of a practice has, in words that any POSIX sh knows. The variables
# NETLAB_PROGRAM and NETLAB_LAB are set.

# An alias of one of these names would be put into the lines below.
unalias hint show check skip solution reset 2>/dev/null

hint() { "$NETLAB_PROGRAM" practice hint "$NETLAB_LAB"; }
show() { "$NETLAB_PROGRAM" practice show "$NETLAB_LAB"; }
check() { "$NETLAB_PROGRAM" practice check "$NETLAB_LAB"; }
skip() { "$NETLAB_PROGRAM" practice skip "$NETLAB_LAB"; }
solution() { "$NETLAB_PROGRAM" practice solution "$NETLAB_LAB"; }
reset() { "$NETLAB_PROGRAM" practice reset "$NETLAB_LAB" && exit 0; }

command -v netlab >/dev/null 2>&1 || netlab() { "$NETLAB_PROGRAM" "$@"; }

# The look before each prompt leaves alone what the last command returned.
__netlab_look() {
	__netlab_status=$?
	"$NETLAB_PROGRAM" practice look "$NETLAB_LAB" 2>/dev/null
	return $__netlab_status
}
