#!/usr/bin/env bash
# How long `make serve` takes from a fresh clone to the first score, and to start once it is installed.
#
#   benchmarks/first_score.sh [REPOSITORY]     (default: this one; Python by $PYTHON, default python3)
#
# Clones into a temporary folder, so only what is committed counts. Prints two figures in seconds.
set -euo pipefail
repository=$(cd "${1:-$(dirname "$0")/..}" && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
git clone --quiet "$repository" "$work/gapo"
cd "$work/gapo"
export GAPO_HTTP_PORT=18080 GAPO_GRPC_PORT=18081

first_score() { # seconds from now until the server has scored a pair
  local started=$EPOCHREALTIME
  "$@" >"$work/log" 2>&1 &
  server=$!
  until curl --silent --fail --output "$work/answer" "http://127.0.0.1:$GAPO_HTTP_PORT/v1/score" \
    -H 'content-type: application/json' \
    -d '{"pairs":[{"prompt":"Describe a laptop. memory: 8 gb","response":"a laptop with 8 gb of memory"}]}'; do
    kill -0 "$server" || { cat "$work/log" >&2; exit 1; }
    sleep 0.05
  done
  printf '%s: %.1f s\n' "$name" "$(echo "$EPOCHREALTIME - $started" | bc)"
  kill -TERM "$(pgrep --parent "$server" || echo "$server")"
  wait "$server" || true
  server=
}

name="fresh clone: install and first score" first_score make serve
name="installed: start and first score" first_score .venv/bin/gapo serve
