#!/bin/sh
# Every test on a fresh trial database: ./fcb_test_on_trial.sh --help
# The last line is "N passed, N failed"; the exit code is 0 only when all is green.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
exec "$here/fcb" test "$@"
