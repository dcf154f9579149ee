#!/usr/bin/env bash
# Fetches message-db, the real one, for the differential test; does nothing when it is there.
#
#   tests/system/fetch_message_db.sh   prints the folder of its SQL, build/message-db/database
#
# It is read by the test and belongs to no release of ours: it stays below build/.
set -euo pipefail

VERSION=1.3.1
SHA256=d7938e108d950e29da1974e3acad05bcf680045d0961f6a12039fb002140840d
build=$(cd "$(dirname "$0")/../.." && pwd -P)/build
home=$build/message-db

if [ ! -e "$home/database" ]; then
  command -v npm >/dev/null || {
    echo "error: npm is missing" >&2
    echo "hint: Run script/bootstrap." >&2
    exit 69
  }
  mkdir -p "$build"
  work=$(mktemp -d "$build/message-db.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --loglevel=error "@eventide/message-db@$VERSION" >/dev/null)
  echo "$SHA256  $work/eventide-message-db-$VERSION.tgz" | sha256sum --check --quiet >&2
  tar -xzf "$work/eventide-message-db-$VERSION.tgz" -C "$work"
  rm -rf "$home"
  mv "$work/package" "$home"
fi
echo "$home/database"
