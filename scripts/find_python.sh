# shellcheck shell=bash
# Sourced by grade.sh, create_tarball.sh and .ci/run.

# find_python: print the first Python that is new enough: the active environment's, else one on PATH.
find_python() {
    local name
    for name in ${VIRTUAL_ENV:+"$VIRTUAL_ENV/bin/python" "$VIRTUAL_ENV/Scripts/python.exe"} \
        python3 python python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return 0
        fi
    done
    cat >&2 <<EOF
Python 3.10 or newer is needed, and PATH has none.
  found:   $(python3 --version 2>&1 || true)
  install: https://www.python.org/downloads/, or
           Debian, Ubuntu:  sudo apt install python3 python3-venv
           macOS:           brew install python
EOF
    return 1
}
