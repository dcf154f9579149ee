# shellcheck shell=bash
# Building: the extension into the private PostgreSQL, the worker into a CMake folder.
#
#   build_postgres               makes the private PostgreSQL unless it is there and current
#   build_extension              make, make install into it
#   build_cmake NAME [-D...] [-- TARGET...]   configures and builds build/NAME (default targets: all)
#   compiler_launcher            "ccache " when there is one
#
# Two jobs at once, or AUREN_JOBS: the compiler takes up to 1 GB on the larger files.

jobs() { echo "${AUREN_JOBS:-$(nproc)}"; }

compiler_launcher() { if command -v ccache >/dev/null; then echo 'ccache '; fi; }

build_postgres() { pghome_make "$(pg_home)"; }

pg_make() {
  make -C "$AUREN_ROOT" --no-print-directory PG_CONFIG="$(pg_bin)/pg_config" "$@"
}

build_extension() {
  build_postgres &&
    pg_make -j"$(jobs)" CXX="$(compiler_launcher)g++" &&
    pg_make install CXX="$(compiler_launcher)g++"
}

build_cmake() {
  local dir=$AUREN_ROOT/build/$1 definitions=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    definitions+=("$1")
    shift
  done
  if [ $# -gt 0 ]; then shift; fi
  cmake -S "$AUREN_ROOT" -B "$dir" -G Ninja "${definitions[@]}" &&
    cmake --build "$dir" -j"$(jobs)" ${1:+--target "$@"}
}
