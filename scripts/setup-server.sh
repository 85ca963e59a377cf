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
    [ -n "${2:-}" ] || fail "$1 needs a value." "Do:  ${BASH_SOURCE[0]} --help"
    option=${1#--} && printf -v "${option//-/_}" %s "$2" && shift 2
    ;;
  --uninstall) uninstall=yes && shift ;;
  -h | --help) sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
  *) fail "unknown argument $1." "Do:  ${BASH_SOURCE[0]} --help" ;;
  esac
done

# --- What can be wrong, before anything is changed.

[ "$(id -u)" = 0 ] || fail "this needs root: it makes a user, a service and its folders." "Do:  sudo ${BASH_SOURCE[0]}"
[ -d /run/systemd/system ] || fail "systemd does not run here." "Why: the computer is one of its services." "Do:  run it on a machine with systemd."

if [ -n "$uninstall" ]; then
  systemctl disable --quiet --now "$name.service" 2>/dev/null || true
  if grep -qsxF "$caddy_mark" "$caddyfile"; then systemctl disable --quiet --now caddy 2>/dev/null || true; rm -f "$caddyfile"; fi
  rm -rf "$unit" "$programs" "$shared"
  systemctl daemon-reload
  say "Removed. The home is still in $home and the token in $settings: delete them yourself if you are sure."
  exit
fi

# shellcheck source=/dev/null
. /etc/os-release
[ "${ID:-}" = debian ] && [ "${VERSION_ID:-0}" -ge 12 ] ||
  fail "this is ${PRETTY_NAME:-an unknown system}, and only Debian 12 or later was tried." "Do:  use Debian 12, or install by hand what this script installs."
[ -z "$handle" ] || [[ $handle =~ ^[a-z][a-z0-9-]{1,30}$ ]] || fail "$handle is no handle." "Do:  use 2 to 31 small letters, digits and hyphens, a letter first."
[ -z "$domain" ] || [[ $domain =~ ^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$ ]] || fail "$domain is no domain name." "Do:  write for example computer.example.org"
[ -z "$port" ] || { [[ $port =~ ^[0-9]{1,5}$ ]] && [ "$port" -ge 1024 ] && [ "$port" -le 65535 ]; } || fail "$port is no port for this." "Do:  take one from 1024 to 65535."
[ -z "$key_file" ] || [ -s "$key_file" ] || fail "there is no key in $key_file." "Do:  put the key there, alone on one line."
room=$(df --output=avail -BM /var/lib | tail -n1 | tr -dc 0-9)
[ "$room" -ge 500 ] || fail "only $room MB are free below /var/lib." "Why: programs and home need 500 MB to begin with." "Do:  make room there."

# --- The programs.

if [ -z "$from" ]; then
  # shellcheck source=scripts/lib.sh
  source "$repository/scripts/lib.sh"
  prepare_machine
  build_front_ends
  say "Building the gateway (the first time takes some minutes)"
  cargo build --release --quiet --locked -p matrixos-gateway || fail "the gateway did not build." "Do:  look at cargo's messages above."
  from=$(mktemp -d)
  trap 'rm -rf "$from"' EXIT
  cp "${CARGO_TARGET_DIR:-$repository/target}/release/matrixos-gateway" "$from/"
  cp -r "$repository/rootfs/shell/dist" "$from/shell"
  cp -r "$repository/rootfs/home" "$from/home"
fi
for needed in matrixos-gateway shell/index.html home/system; do
  [ -e "$from/$needed" ] || fail "$from/$needed is missing." "Do:  copy the gateway, rootfs/shell/dist as shell and rootfs/home as home there."
done
"$from/matrixos-gateway" --version >/dev/null 2>&1 || fail "$from/matrixos-gateway does not run on this machine." "Do:  build it for $(uname -m), on this version of Debian or an older one."

# --- Settings: what is there stays, unless it was given anew.

known() { sed -n "s/^$1=//p" "$settings" 2>/dev/null || true; }
old_listen=$(known MATRIX_LISTEN) old_origin=$(known MATRIX_ORIGIN)
handle=${handle:-$(known MATRIX_HANDLE)} handle=${handle:-me}
port=${port:-${old_listen##*:}} port=${port:-4000}
origin=${domain:+https://$domain} origin=${origin:-$old_origin}
# Served by name before, it is served by name again, at whatever port.
if [ -z "$domain" ] && grep -qsxF "$caddy_mark" "$caddyfile"; then domain=${origin#https://}; fi
key=$(if [ -n "$key_file" ]; then head -n1 "$key_file" | tr -d '[:space:]'; else known ANTHROPIC_API_KEY; fi)
token=$(known MATRIX_AUTH_TOKEN) fresh=
[ -n "$token" ] || { token=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n') && fresh=yes; }

if ! systemctl is-active --quiet "$name.service" || [ "127.0.0.1:$port" != "$old_listen" ]; then
  if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    fail "something else listens on port $port of 127.0.0.1." "Do:  look with 'ss -ltnp', or choose another with --port."
  fi
fi
if [ -n "$domain" ] && [ -e "$caddyfile" ] && ! grep -qxF "$caddy_mark" "$caddyfile" && ! grep -q '^# The Caddyfile is an easy way to configure your Caddy web server' "$caddyfile"; then
  fail "$caddyfile has somebody else's settings." "Why: they are not to be lost." "Do:  add there: $domain { reverse_proxy 127.0.0.1:$port }, and run this without --domain."
fi

# --- From here on things change.

getent passwd "$name" >/dev/null || useradd --system --home-dir "$home" --no-create-home --shell /bin/bash "$name"
install -d -m 755 "$programs" "$shared"
install -m 755 "$from/matrixos-gateway" "$programs/matrixos-gateway.new"
mv "$programs/matrixos-gateway.new" "$programs/matrixos-gateway"
for part in shell home; do
  rm -rf "$shared/$part.new"
  cp -r "$from/$part" "$shared/$part.new"
  chmod -R u=rwX,go=rX "$shared/$part.new"
  rm -rf "${shared:?}/$part"
  mv "$shared/$part.new" "$shared/$part"
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

install -m 644 "$repository/packaging/systemd/$name.service" "$unit"
systemctl daemon-reload
systemctl enable --quiet "$name.service"
systemctl restart "$name.service" || {
  journalctl -u "$name.service" -n 20 --no-pager >&2
  fail "the computer does not start." "Do:  look at its log above; nothing of the home was changed."
}

if [ -n "$domain" ]; then
  command -v caddy >/dev/null || { say "Installing Caddy" && apt-get install -y -qq caddy >/dev/null; } || fail "Caddy was not installed." "Do:  apt-get install caddy, then run this again."
  printf '%s\n%s {\n\treverse_proxy 127.0.0.1:%s\n}\n' "$caddy_mark" "$domain" "$port" >"$caddyfile"
  systemctl enable --quiet --now caddy
  systemctl reload caddy
fi

say "Your computer runs."
echo "    address  ${origin:-http://127.0.0.1:$port (from elsewhere: ssh -L $port:127.0.0.1:$port this-server)}"
[ -n "$fresh" ] || echo "    token    as before, in $settings"
[ -n "$key" ] || echo "    AI       no key yet: run this again with --key-file FILE"
