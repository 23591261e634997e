# fish runs this once it has read the learner's own files. The variables NETLAB_PROGRAM
# and NETLAB_LAB are set.
functions -e hint show check skip solution reset

function hint; $NETLAB_PROGRAM practice hint $NETLAB_LAB; end
function show; $NETLAB_PROGRAM practice show $NETLAB_LAB; end
function check; $NETLAB_PROGRAM practice check $NETLAB_LAB; end
function skip; $NETLAB_PROGRAM practice skip $NETLAB_LAB; end
function solution; $NETLAB_PROGRAM practice solution $NETLAB_LAB; end
function reset; $NETLAB_PROGRAM practice reset $NETLAB_LAB; and exit 0; end

type -q netlab; or function netlab; $NETLAB_PROGRAM $argv; end

# The look before each prompt leaves alone what the last command returned.
function __netlab_look --on-event fish_prompt
	set -l was $status
	$NETLAB_PROGRAM practice look $NETLAB_LAB 2>/dev/null
	return $was
end
