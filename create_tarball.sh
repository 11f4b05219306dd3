#!/usr/bin/env bash
# Pack the submission: ./create_tarball.sh [-o FILE]
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=scripts/find_python.sh
. "$root/scripts/find_python.sh"

python=$(find_python)
exec "$python" -I "$root/scripts/tarball.py" "$@"
