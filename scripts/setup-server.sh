#!/usr/bin/env bash
# Turns this server into one computer of your own: its desktop and its AI, without the platform (docs/deployment.md).
# Run again, it brings the programs up to date and keeps token, settings and home.
#
# Usage: scripts/setup-server.sh [--domain NAME] [--handle NAME] [--port N] [--key-file FILE] [--from FOLDER]
#        scripts/setup-server.sh --uninstall      (the home stays)
#
#   --domain NAME    serve https://NAME with Caddy, which gets the certificate; without it, http on this machine only
#   --handle NAME    what the AI calls you (me)
#   --port N         where it listens on 127.0.0.1 (4000)
#   --key-file FILE  your key to the provider of models; without one everything but the AI works
#   --from FOLDER    matrixos-gateway, shell/ and home/ as they were built elsewhere; without it they are built here
set -euo pipefail
# Letters are those of ASCII wherever they are looked at.
export LC_ALL=C

name=matrixos-single
settings=/etc/$name/environment
unit=/etc/systemd/system/$name.service
programs=/usr/local/lib/$name shared=/usr/local/share/$name home=/var/lib/$name
caddyfile=/etc/caddy/Caddyfile
caddy_mark="# Written by setup-server.sh of matrixos; it is written anew by it."
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '==> %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# = 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

domain='' handle='' port='' key_file='' from='' uninstall=''
while [ $# -gt 0 ]; do
  case $1 in
  --domain | --handle | --port | --key-file | --from)
    [ -n "${2:-}" ] || fail "$1 needs a value." "Why: nothing follows it." "Do:  ${BASH_SOURCE[0]} --help"
    option=${1#--} && printf -v "${option//-/_}" %s "$2" && shift 2
    ;;
  --uninstall) uninstall=yes && shift ;;
  -h | --help) sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
  *) fail "unknown argument $1." "Why: nothing is done that might not be meant." "Do:  ${BASH_SOURCE[0]} --help" ;;
  esac
done

# --- What can be wrong, before anything is changed.

[ "$(id -u)" = 0 ] || fail "this needs root." "Why: it makes a user, a service and its folders." "Do:  sudo ${BASH_SOURCE[0]}"
[ -d /run/systemd/system ] || fail "systemd does not run here." "Why: the computer is one of its services." "Do:  run it on a machine with systemd."
exec {lock}>"/run/$name.lock"
flock --nonblock "$lock" || fail "this script runs already." "Why: two at once would write over each other's work." "Do:  wait until the other has ended."

if [ -n "$uninstall" ]; then
  systemctl disable --quiet --now "$name.service" 2>/dev/null || true
  if grep -qsxF "$caddy_mark" "$caddyfile"; then
    systemctl disable --quiet --now caddy 2>/dev/null || true
    rm -f "$caddyfile"
  fi
  # What a run that was cut off had begun to write goes with it: there may be keys in it.
  rm -rf "$unit" "$programs" "$shared" "$unit.new" "$caddyfile.new" "$settings.new"
  systemctl daemon-reload
  say "Removed. The home is still in $home and the token in $settings: delete them yourself if you are sure."
  exit
fi

# shellcheck source=/dev/null
. /etc/os-release
[ "${ID:-}" = debian ] && [ "${VERSION_ID:-0}" -ge 12 ] ||
  fail "this is ${PRETTY_NAME:-an unknown system}." "Why: only Debian 12 or later was tried." "Do:  use Debian 12, or install by hand what this script installs."
[ -z "$handle" ] || [[ $handle =~ ^[a-z][a-z0-9-]{1,30}$ ]] || fail "$handle is no handle." "Why: it is a name in addresses and files." "Do:  use 2 to 31 small letters, digits and hyphens, a letter first."
[ -z "$domain" ] || [[ $domain =~ ^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$ ]] || fail "$domain is no domain name." "Why: the certificate is made out to it." "Do:  write for example computer.example.org"
[ -z "$port" ] || { [[ $port =~ ^[1-9][0-9]{3,4}$ ]] && [ "$port" -ge 1024 ] && [ "$port" -le 65535 ]; } || fail "$port is no port for this." "Why: smaller ones need root, and the computer has none." "Do:  take one from 1024 to 65535."
key=
if [ -n "$key_file" ]; then
  key=$(head -n1 "$key_file" 2>/dev/null | tr -d '[:space:]' || true)
  [ -n "$key" ] || fail "there is no key in $key_file." "Why: its first line is read, and is empty or cannot be read." "Do:  put the key there, alone on one line."
  # Quotes, backslashes and dollars would mean something to systemd.
  [[ $key =~ ^[A-Za-z0-9._~+/=:@-]+$ ]] || fail "what is in $key_file is no key." "Why: keys are letters, digits and . _ ~ + / = : @ - only." "Do:  put the key there, alone on one line."
fi
[ -e "$repository/packaging/systemd/$name.service" ] || fail "$repository/packaging/systemd/$name.service is missing." "Why: it is the service that is installed." "Do:  run this from a whole checkout."

# room FOLDER MEGABYTES WHY
room() {
  local free
  free=$(df --output=avail -BM "$1" | tail -n1 | tr -dc 0-9)
  [ "$free" -ge "$2" ] || fail "only $free MB are free below $1." "Why: $3 $2 MB." "Do:  make room there."
}
room /var/lib 500 "programs and home need to begin with"
if [ -z "$from" ]; then
  room "$repository" 2000 "building the programs needs"
  memory=$(awk '/^(MemTotal|SwapTotal):/ { sum += $2 } END { print int(sum / 1024) }' /proc/meminfo)
  [ "$memory" -ge 1800 ] || fail "this machine has $memory MB of memory and swap." "Why: building the programs needs 1800 MB; running them needs a tenth." "Do:  build them elsewhere and give them with --from, or add swap."
fi

# whole FOLDER: the programs are all there, and run here.
whole() {
  local needed
  for needed in matrixos-gateway shell/index.html home/system; do
    [ -e "$1/$needed" ] || fail "$1/$needed is missing." "Why: the computer does not work without." "Do:  copy the gateway, rootfs/shell/dist as shell and rootfs/home as home to $1."
  done
  "$1/matrixos-gateway" --version >/dev/null 2>&1 ||
    fail "$1/matrixos-gateway does not run on this machine." "Why: it was built for another processor or a newer system." "Do:  build it for $(uname -m), on this version of Debian or an older one."
}
[ -z "$from" ] || whole "$from"

# --- Settings: what is there stays, unless it was given anew.

known() { sed -n "s/^$1=//p" "$settings" 2>/dev/null || true; }
old_listen=$(known MATRIX_LISTEN) old_origin=$(known MATRIX_ORIGIN)
handle=${handle:-$(known MATRIX_HANDLE)} handle=${handle:-me}
port=${port:-${old_listen##*:}} port=${port:-4000}
origin=${domain:+https://$domain} origin=${origin:-$old_origin}
# Served by name before, it is served by name again, at whatever port.
if [ -z "$domain" ] && grep -qsxF "$caddy_mark" "$caddyfile"; then domain=${origin#https://}; fi
key=${key:-$(known ANTHROPIC_API_KEY)}
token=$(known MATRIX_AUTH_TOKEN) fresh=
[ -n "$token" ] || { token=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n') && fresh=yes; }

# has_caddy: as a package that was installed to its end, or from elsewhere.
has_caddy() {
  case $(dpkg-query -W -f='${db:Status-Status}' caddy 2>/dev/null) in
  installed) ;;
  '') command -v caddy >/dev/null ;;
  *) false ;;
  esac
}
listened() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
if ! systemctl is-active --quiet "$name.service" || [ "127.0.0.1:$port" != "$old_listen" ]; then
  if listened "$port"; then
    fail "something else listens on port $port of 127.0.0.1." "Why: the computer is to listen there." "Do:  look with 'ss -ltnp', or choose another with --port."
  fi
fi
if [ -n "$domain" ]; then
  if [ -e "$caddyfile" ] && ! grep -qxF "$caddy_mark" "$caddyfile" && ! grep -q '^# The Caddyfile is an easy way to configure your Caddy web server' "$caddyfile"; then
    fail "$caddyfile has somebody else's settings." "Why: they are not to be lost." "Do:  add there: $domain { reverse_proxy 127.0.0.1:$port }, and run this without --domain, with the line MATRIX_ORIGIN=https://$domain in $settings."
  fi
  if ! systemctl is-active --quiet caddy.service; then
    for taken in 80 443; do
      if listened "$taken"; then fail "something else listens on port $taken." "Why: Caddy is to serve https://$domain there." "Do:  look with 'ss -ltnp', and stop it; or run this without --domain."; fi
    done
  fi
  export DEBIAN_FRONTEND=noninteractive
  if ! has_caddy; then
    apt-get update -qq || true
    apt-get install --simulate -qq caddy >/dev/null || fail "Caddy cannot be installed." "Why: apt says above what hinders it; https://$domain is served by Caddy." "Do:  make 'apt-get install caddy' work, or run this without --domain."
  fi
fi

if [ -z "$from" ]; then
  # shellcheck source=scripts/lib.sh
  source "$repository/scripts/lib.sh"
  cd "$repository"
  mkdir -p target
  install_packages "${BUILD_PACKAGES[@]}"
  use_rust
  use_node
  build_front_ends
  say "Building the gateway (the first time takes some minutes)"
  cargo build --release --quiet --locked -p matrixos-gateway || fail "the gateway did not build." "Why: cargo says it above." "Do:  look at its messages."
  from=$(mktemp -d)
  trap 'rm -rf "$from"' EXIT
  cp "${CARGO_TARGET_DIR:-$repository/target}/release/matrixos-gateway" "$from/"
  cp -r "$repository/rootfs/shell/dist" "$from/shell"
  cp -r "$repository/rootfs/home" "$from/home"
  whole "$from"
fi

# --- From here on things change. Whatever is cut off is left such that the next run brings it to its end.

getent passwd "$name" >/dev/null || useradd --system --home-dir "$home" --no-create-home --shell /bin/bash "$name"
install -d -m 755 "$programs" "$shared"
install -m 755 "$from/matrixos-gateway" "$programs/matrixos-gateway.new"
mv "$programs/matrixos-gateway.new" "$programs/matrixos-gateway"
for part in shell home; do
  rm -rf "$shared/$part.new" "$shared/$part.old"
  cp -r "$from/$part" "$shared/$part.new"
  chmod -R u=rwX,go=rX "$shared/$part.new"
  [ ! -e "$shared/$part" ] || mv "$shared/$part" "$shared/$part.old"
  mv "$shared/$part.new" "$shared/$part"
  rm -rf "$shared/$part.old"
done

install -d -m 700 "$(dirname "$settings")"
# Lines that are not ours stay.
others=$(grep -vsE '^(MATRIX_AUTH_TOKEN|MATRIX_HANDLE|MATRIX_LISTEN|MATRIX_ORIGIN|MATRIX_DOMAIN|ANTHROPIC_API_KEY)=' "$settings" || true)
(
  umask 077
  {
    printf 'MATRIX_AUTH_TOKEN=%s\nMATRIX_HANDLE=%s\nMATRIX_LISTEN=127.0.0.1:%s\n' "$token" "$handle" "$port"
    [ -z "$origin" ] || printf 'MATRIX_ORIGIN=%s\nMATRIX_DOMAIN=%s\n' "$origin" "${origin#https://}"
    [ -z "$key" ] || printf 'ANTHROPIC_API_KEY=%s\n' "$key"
    [ -z "$others" ] || printf '%s\n' "$others"
  } >"$settings.new"
)
mv "$settings.new" "$settings"
# At once: whatever fails from here on, it has been told.
if [ -n "$fresh" ]; then
  say "The token of your computer, shown this once (it stays in $settings):"
  echo "    $token"
fi

install -m 644 "$repository/packaging/systemd/$name.service" "$unit.new"
mv "$unit.new" "$unit"
systemctl daemon-reload
systemctl enable --quiet "$name.service"
systemctl restart "$name.service" || {
  journalctl -u "$name.service" -n 20 --no-pager >&2
  fail "the computer does not start." "Why: its log above says it; nothing of the home was changed." "Do:  look there, then run this again."
}

if [ -n "$domain" ]; then
  if ! has_caddy; then
    say "Installing Caddy"
    # First what an installation that was cut off has left.
    { dpkg --configure -a && apt-get install -y -qq caddy; } >/dev/null || fail "Caddy was not installed." "Why: apt says it above." "Do:  apt-get install caddy, then run this again."
  fi
  install -d -m 755 "$(dirname "$caddyfile")"
  printf '%s\n%s {\n\treverse_proxy 127.0.0.1:%s\n}\n' "$caddy_mark" "$domain" "$port" | install -m 644 /dev/stdin "$caddyfile.new"
  mv "$caddyfile.new" "$caddyfile"
  systemctl enable --quiet caddy.service
  systemctl reload-or-restart caddy.service || {
    journalctl -u caddy.service -n 20 --no-pager >&2
    fail "Caddy does not start." "Why: its log above says it." "Do:  look there, then run this again; the computer itself runs at http://127.0.0.1:$port."
  }
fi

say "Your computer runs."
echo "    address  ${origin:-http://127.0.0.1:$port (from elsewhere: ssh -L $port:127.0.0.1:$port this-server)}"
[ -n "$fresh" ] || echo "    token    as before, in $settings"
[ -n "$key" ] || echo "    AI       no key yet: run this again with --key-file FILE"
