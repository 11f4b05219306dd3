#!/usr/bin/env bash
# Grade the homework, train on MNIST, or run the tests: ./grade.sh CODE [options]
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/find_python.sh
. "$root/scripts/find_python.sh"

usage() {
    cat <<'EOF'
usage: ./grade.sh CODE [options]

  1      grade homework 1, problems 1.1 to 2.4: 90 of its 100 points
  m      grade problem 2.5, the other 10: train on MNIST, save hw1/validation_accuracy.png
  test   run the project's own tests

  1b 2 2b 3 3b 4 4b   later homeworks: not yet available

Options are passed on, for example:
  ./grade.sh 1 --help
  ./grade.sh m --offline
  ./grade.sh test -k tensor

What a command needs is installed once, in .venv, unless the active Python has it already.
EOF
}

# python_with NEED: print the path of a Python that has the packages NEED ("run" or "test"),
# making .venv where there is none.
python_with() {
    local base
    base=$(find_python) || return
    "$base" -I "$root/scripts/environment.py" "$1"
}

code=${1-}
[ $# -eq 0 ] || shift
case $code in
    '' | -h | --help | help)
        usage
        ;;
    1)
        python=$(python_with run)
        exec "$python" "$root/autograder/hw1_autograder/runner.py" "$@"
        ;;
    m)
        python=$(python_with run)
        exec "$python" "$root/autograder/hw1_autograder/test_mnist.py" "$@"
        ;;
    test)
        python=$(python_with test)
        cd -- "$root" # pytest reads setup.cfg and testpaths only from here
        exec "$python" -m pytest -n auto --dist worksteal "$@"
        ;;
    1b | 2 | 2b | 3 | 3b | 4 | 4b)
        printf 'grade.sh: homework %s is not yet available\n\n' "$code" >&2
        usage >&2
        exit 2
        ;;
    *)
        printf 'grade.sh: unknown code: %s\n\n' "$code" >&2
        usage >&2
        exit 2
        ;;
esac
