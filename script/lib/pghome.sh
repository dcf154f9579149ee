# shellcheck shell=bash
# A private copy of the installed PostgreSQL, so that building and testing never change the system's.
#
#   pghome_make DIR   makes DIR/bin -> ..., with pg_config, server, extensions folder of its own
#   pghome_bin DIR    prints its bin folder
#
# PostgreSQL finds its folders relative to its own binary, so the binaries are copied and what they read
# is linked; lib/ and share/extension/ are real folders that `make install PG_CONFIG=...` may write to.

pghome_version() { echo "${AUREN_PG_VERSION:-15}"; }

pghome_bin() { echo "$1/lib/postgresql/$(pghome_version)/bin"; }

pghome_make() {
  local home=$1 v lib share
  v=$(pghome_version)
  lib=/usr/lib/postgresql/$v share=/usr/share/postgresql/$v
  [ -x "$lib/bin/postgres" ] || { echo "PostgreSQL $v is not installed: run script/bootstrap" >&2; return 69; }
  if [ -x "$home/lib/postgresql/$v/bin/postgres" ] &&
    [ ! "$lib/bin/postgres" -nt "$home/lib/postgresql/$v/bin/postgres" ]; then
    return 0
  fi
  rm -rf "$home"
  mkdir -p "$home/lib/postgresql/$v/lib" "$home/share/postgresql/$v/extension" "$home/include"
  cp -a "$lib/bin" "$home/lib/postgresql/$v/bin"
  cp -as "$lib/lib/." "$home/lib/postgresql/$v/lib/"
  cp -as "$share/." "$home/share/postgresql/$v/"
  ln -s /usr/include/postgresql "$home/include/postgresql"
  rm -f "$home/lib/postgresql/$v/lib/auren.so" "$home/share/postgresql/$v/extension/"auren*
  touch "$home/lib/postgresql/$v/bin/postgres"
  chmod -R go+rX "$home"
}
