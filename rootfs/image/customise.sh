#!/bin/sh
# Run by mmdebstrap with the new root as its argument: makes the root neutral (nothing of the machine that built it)
# and gives it the owner's account.
set -eu
root=$1

chroot "$root" useradd --uid 1000 --user-group --shell /bin/bash --home-dir /home/matrixos --no-create-home matrixos
mkdir -p "$root/home/matrixos"
chown 1000:1000 "$root/home/matrixos"

printf 'nameserver 1.1.1.1\nnameserver 9.9.9.9\n' >"$root/etc/resolv.conf"
printf '127.0.0.1\tlocalhost\n' >"$root/etc/hosts"
printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"
cat >"$root/etc/profile.d/matrixos.sh" <<'PROFILE'
# The prompt of a computer: its owner's handle, and where we are.
if [ -n "${BASH_VERSION-}" ]; then PS1='\[\e[1;32m\]\h\[\e[0m\] \w \$ '; fi
PROFILE

rm -f "$root/etc/hostname" "$root/etc/apt/sources.list" "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
: >"$root/etc/machine-id"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/ldconfig/* "$root"/var/log/* "$root"/tmp/* \
  "$root"/usr/share/locale/* "$root"/usr/share/man/*

# No program in a computer may gain privileges by being run.
find "$root" -xdev -perm /6000 -type f -exec chmod ug-s {} +
