# What scripts/run and scripts/test share: installing what is missing, building what has changed. Sourced, not run.
# shellcheck shell=bash

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RUST_VERSION=1.95
NODE_MAJOR=22
# Vite needs this Node.js or a later one; Debian 12 itself has an older one.
NODE_AT_LEAST=20.19.0

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() {
  printf '\nerror: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || fail "this must be run as root." \
    "Why: creating containers, their network and their users' files needs it; the part that serves the network gives root away." \
    "Do:  sudo $0"
}

need_debian() {
  command -v apt-get >/dev/null || fail "this machine has no apt-get." \
    "Why: the script installs Debian packages, and the computers' image is made of them." "Do:  use Debian 12."
}

# install_packages NAME...: installs those Debian packages that are not yet here.
install_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing Debian packages: ${missing[*]}"
  apt-get update -qq || fail "apt-get update did not work." "Do:  look at its messages above, and at the machine's network."
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install: ${missing[*]}" "Do:  look at apt's messages above."
}

# use_rust: puts cargo on the PATH, installing the toolchain where rustup can be reached.
use_rust() {
  export PATH="$HOME/.cargo/bin:$PATH"
  if ! command -v cargo >/dev/null; then
    say "Installing Rust $RUST_VERSION with rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --profile minimal --default-toolchain "$RUST_VERSION" >/dev/null 2>&1 ||
      fail "there is no Rust toolchain, and rustup could not be reached." \
        "Do:  install Rust $RUST_VERSION or later (https://rustup.rs), so that 'cargo --version' works for root, and run this again."
  fi
  local have
  have=$(cargo --version | cut -d' ' -f2)
  at_least "$RUST_VERSION" "$have" || fail "Rust $have is too old." "Do:  rustup toolchain install $RUST_VERSION && rustup default $RUST_VERSION"
}

# use_node: puts a recent Node.js on the PATH, from the machine or from npm's own package of it.
use_node() {
  if command -v node >/dev/null && command -v npm >/dev/null && at_least "$NODE_AT_LEAST" "$(node --version | tr -d v)"; then return; fi
  install_packages nodejs npm
  at_least "$NODE_AT_LEAST" "$(node --version | tr -d v)" && return
  local tools="$repository/target/node"
  if [ ! -x "$tools/node_modules/.bin/node" ]; then
    say "Installing Node.js $NODE_MAJOR (Debian's is older than the build tools need)"
    npm install --silent --no-save --prefix "$tools" "node@$NODE_MAJOR" "npm@11" || fail "could not install Node.js $NODE_MAJOR." "Do:  install Node.js $NODE_AT_LEAST or later, and run this again."
  fi
  export PATH="$tools/node_modules/.bin:$PATH"
}

# at_least WANTED HAVE: true if version HAVE is WANTED or later.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1)" = "$1" ]; }

BUILD_PACKAGES=(build-essential pkg-config libseccomp-dev libelf-dev zlib1g-dev curl ca-certificates git)
RUN_PACKAGES=(ca-certificates mmdebstrap nftables iproute2 libseccomp2 e2fsprogs)

# newer_than STAMP PATH...: true if the stamp is missing or anything below the paths is newer.
newer_than() {
  local stamp=$1
  shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -newer "$stamp" -not -path '*/node_modules/*' -not -path '*/dist/*' -print -quit)" ]
}

# front_end_packages [everything]: what the front ends are built of; with everything, what the browser tests need as well.
front_end_packages() {
  local all=node_modules/.everything stamp=node_modules/.front-ends only=(-w api/look -w api/web -w rootfs/shell)
  newer_than "$all" package-lock.json || return 0
  if [ "${1:-}" = everything ]; then stamp=$all only=(); fi
  newer_than "$stamp" package-lock.json || return 0
  say "Installing the front ends' packages"
  npm ci --silent --no-audit --no-fund "${only[@]}" || fail "npm ci did not work." "Do:  look at npm's messages above."
  touch "$stamp"
}

# build_front_ends [everything]: as above.
build_front_ends() {
  front_end_packages "$@"
  local place
  for place in api/web rootfs/shell; do
    if newer_than "$place/dist/index.html" "$place" api/look package-lock.json; then
      say "Building $place"
      npm run --silent build -w "$place" >target/"${place//\//-}".log 2>&1 || {
        cat target/"${place//\//-}".log >&2
        fail "the front end $place did not build." "Do:  look at the messages above."
      }
      touch "$place/dist/index.html"
    fi
  done
}

# build_programs: the release binaries; their folder is left in $programs.
build_programs() {
  say "Building the programs (the first time takes some minutes)"
  cargo build --release --quiet --locked -p matrixos-daemon -p matrixos-gateway || fail "the programs did not build." "Do:  look at cargo's messages above."
  programs=$(realpath "${CARGO_TARGET_DIR:-target}")/release
}

# collect_kernel_tests FOLDER: the launcher's tests with the probe, to be run on another machine's kernel.
collect_kernel_tests() {
  local name found target=${CARGO_TARGET_DIR:-target}
  mkdir -p "$1"
  for name in containers stranger; do
    found=$(cargo test --locked --quiet -p matrixos-launcher --test "$name" --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n1)
    [ -n "$found" ] || fail "the launcher's test $name was not built." "Do:  cargo test -p matrixos-launcher --test $name --no-run"
    strip -o "$1/$name" "$found"
  done
  RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --locked -p matrixos-probe --target "$(uname -m)-unknown-linux-gnu" --target-dir "$target/tmp/probe" ||
    fail "the probe was not built." "Do:  look at cargo's messages above."
  strip -o "$1/probe" "$target/tmp/probe/$(uname -m)-unknown-linux-gnu/debug/matrixos-probe"
}

# build_image DATA: the image of the computers, unless nothing it is made of has changed.
build_image() {
  "$programs/matrixos" --data "$1" image build --gateway "$programs/matrixos-gateway" --shell rootfs/shell/dist \
    --home rootfs/home --packages rootfs/image/packages.txt || fail "the image of the computers was not built." "Do:  look at the messages above."
}

# make_account: the unprivileged account that serves the network.
make_account() {
  getent passwd matrixos >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin matrixos
}

prepare_machine() {
  need_root
  need_debian
  cd "$repository" || exit 1
  mkdir -p target
  install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "$@"
  use_rust
  use_node
  make_account
}
