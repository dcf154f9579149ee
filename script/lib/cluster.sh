# shellcheck shell=bash
# Private PostgreSQL clusters: own data folder, own free port, own socket; never an existing one.
#
#   place                     prints the folder below which the server's user may work
#   as_server COMMAND...      runs COMMAND as the user the server runs as
#   cluster_init DIR          makes DIR/data unless it is there
#   cluster_start DIR [-c name=value ...]   starts it, waits until it answers, sets PGHOST, PGPORT, PGUSER
#   cluster_stop DIR [MODE]   stops it (default: fast); no cluster running is fine
#   cluster_env DIR           sets PGHOST, PGPORT, PGUSER for a cluster that runs
#   cluster_url [DATABASE]    the libpq URI of the cluster PGHOST and PGPORT point at
#   free_port, lasting_port   print a port of 127.0.0.1 that nobody has, for now or for good
#
# PostgreSQL refuses to run as root: root starts it as `postgres`, anybody else as themselves. Where the
# clone lies in a folder only root may enter, the server could not reach its own data: then it lives in
# a folder of its own below /var/tmp, and build/run is a link to it.
#
# The socket lies in a short folder of its own (a socket path holds 107 bytes at most) that only the
# server's user, and root, may enter; there everybody is trusted. TCP is 127.0.0.1 only and wants the
# password in DIR/password.

server_user() {
  if [ "$(id -u)" != 0 ]; then
    id -un
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

as_server() {
  if [ "$(id -u)" != 0 ]; then
    (cd / && "$@")
  else
    (cd / && exec runuser -u "$(server_user)" -- "$@")
  fi
}

place() {
  local run=$AUREN_ROOT/build/run target
  mkdir -p "$AUREN_ROOT/build"
  if as_server test -x "$AUREN_ROOT/build"; then
    if [ -L "$run" ]; then rm "$run"; fi
    mkdir -p "$run"
    echo "$run"
    return
  fi
  target=$(readlink "$run" 2>/dev/null) || target=''
  if [ -z "$target" ] || [ ! -O "$target" ]; then
    rm -rf "$run"
    target=$(mktemp -d /var/tmp/auren.XXXXXX)
    chmod 755 "$target"
    ln -s "$target" "$run"
  fi
  echo "$target"
}

# Where the private PostgreSQL and its programs are.
pg_home() { echo "$(place)/pg"; }
pg_bin() { pghome_bin "$(pg_home)"; }

free_port() {
  "$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# For a server that comes back at the same port: below the range the kernel takes for outgoing connections,
# one of which could hold the port, or even connect to itself, while the server is down.
lasting_port() {
  "$PYTHON" - <<'PYTHON_END'
import random, socket
with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
    ports = range(10000, int(f.read().split()[0])) or range(10000, 65536)
while True:
    port = random.choice(ports)
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(port)
    break
PYTHON_END
}

cluster_init() {
  local dir=$1
  mkdir -p "$dir"
  if as_server test -f "$dir/data/PG_VERSION"; then return; fi
  rm -rf "$dir/data"
  if [ "$(id -u)" = 0 ]; then chown "$(server_user)" "$dir"; fi
  (umask 077 && openssl rand -hex 16 >"$dir/password")
  if [ "$(id -u)" = 0 ]; then chown "$(server_user)" "$dir/password"; fi
  as_server "$(pg_bin)/initdb" -D "$dir/data" -U postgres --pwfile="$dir/password" --no-sync \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; return 1; }
}

cluster_start() {
  local dir=$1 sockets port try
  shift
  cluster_stop "$dir"
  sockets=$(as_server mktemp -d /tmp/auren.XXXXXX)
  # A free port may be gone by the time the server binds it: then take another.
  for try in 1 2 3; do
    port=$(free_port)
    if as_server "$(pg_bin)/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -s \
      -o "-p $port -k $sockets -c listen_addresses=127.0.0.1 -c logging_collector=off $*" start; then
      printf '%s\n%s\n' "$sockets" "$port" >"$dir/address"
      cluster_env "$dir"
      return
    fi
    if ! grep -q 'Address already in use' "$dir/server.log"; then break; fi
  done
  as_server rm -rf "$sockets"
  say "PostgreSQL does not start (try $try); the end of $dir/server.log:"
  tail -n 20 "$dir/server.log" >&2
  return 1
}

cluster_stop() {
  local dir=$1 mode=${2:-fast}
  if [ -d "$dir" ] && as_server test -f "$dir/data/postmaster.pid"; then
    # A postmaster that was killed leaves its pid file behind: then there is nothing to stop.
    if ! as_server "$(pg_bin)/pg_ctl" -D "$dir/data" -m "$mode" -w -t 60 -s stop 2>/dev/null &&
      as_server "$(pg_bin)/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; then
      say "PostgreSQL in $dir does not stop"
      return 1
    fi
  fi
  if [ -f "$dir/address" ]; then
    as_server rm -rf "$(head -n 1 "$dir/address")"
    rm -f "$dir/address"
  fi
}

cluster_env() {
  PGHOST=$(sed -n 1p "$1/address")
  PGPORT=$(sed -n 2p "$1/address")
  export PGHOST PGPORT PGUSER=postgres
}

cluster_url() { echo "postgresql://$PGUSER@/${1:-postgres}?host=$PGHOST&port=$PGPORT"; }
