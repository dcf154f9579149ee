# shellcheck shell=bash
# What the examples need and Debian does not have, in the versions their own files name.
#
#   examples_fetch    build/examples/venv with what examples/langgraph asks for, build/examples/listen with
#                     the Node listener and its modules; fetches nothing when both are there
#
# REQUIRES: common.sh.

EXAMPLES=$AUREN_ROOT/build/examples

examples_fetch() {
  local want have
  want=$(cd "$AUREN_ROOT/examples" && sha256sum langgraph/requirements.txt listen/package-lock.json)
  have=$(cat "$EXAMPLES/made" 2>/dev/null || true)
  if [ "$want" != "$have" ]; then
    rm -rf "$EXAMPLES"
    mkdir -p "$EXAMPLES/listen"
    "$PYTHON" -m venv "$EXAMPLES/venv" || return
    "$EXAMPLES/venv/bin/pip" install -q -r "$AUREN_ROOT/examples/langgraph/requirements.txt" || return
    cp "$AUREN_ROOT"/examples/listen/package*.json "$EXAMPLES/listen"
    (cd "$EXAMPLES/listen" && npm ci --silent --ignore-scripts) || return
    echo "$want" >"$EXAMPLES/made"
  fi
  # A module is looked for beside the file that asks for it.
  cp "$AUREN_ROOT/examples/listen/listen.mjs" "$EXAMPLES/listen"
}
