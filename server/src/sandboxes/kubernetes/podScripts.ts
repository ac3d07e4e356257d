import { POD_VARIABLE } from './podManifest.ts';

/** Exit codes of the scripts that are not a program's. */
export const POD_EXIT = { otherPod: 97, cut: 98, missing: 44 } as const;

/** Ends what is sent, so that half of it is never run. */
export const WHOLE = '\n#whole';

const SAME_POD = `[ "${'$'}${POD_VARIABLE}" = "$1" ] || exit ${POD_EXIT.otherPod}`;

/*
 * POSIX sh, run in the pod by one short call each. The first argument is the uid of the pod that is meant: names come again.
 * What is long comes through stdin, by an exact length: a call's address is logged by the cluster, and must be short.
 */

/** `UID BYTES`: a command for the shell, from stdin. */
export const RUN_SCRIPT = `${SAME_POD}
command=$(head -c "$2")
case $command in *'#whole') ;; *) exit ${POD_EXIT.cut} ;; esac
exec sh -c "$command" </dev/null`;

/** `UID PATH BYTES`: a file, from stdin, whole or not at all. */
export const WRITE_SCRIPT = `${SAME_POD}
umask 077
new=$2.new-$$
head -c "$3" >"$new" && [ "$(wc -c <"$new")" -eq "$3" ] && mv -f "$new" "$2" && exit 0
rm -f "$new"
exit ${POD_EXIT.cut}`;

/** `UID PATH FIRST BYTES`: part of a file to stdout; the first byte is 1. */
export const READ_SCRIPT = `${SAME_POD}
[ -f "$2" ] && [ ! -L "$2" ] && [ -r "$2" ] || exit ${POD_EXIT.missing}
tail -c "+$3" "$2" | head -c "$4"`;
