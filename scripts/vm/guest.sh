#!/bin/bash
# What the test of the machine asks from inside it: `guest FUNCTION ARGUMENT...`, as root.
set -euo pipefail

# pid_of HANDLE: the first process of the computer, as the host numbers it.
pid_of() { matrixos container list | awk -v handle="$1" '$1 == handle && $2 == "running" { print $3 }' | grep .; }

# group_of HANDLE: the directory of the computer's control group.
group_of() { echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of "$1")/cgroup")"; }

# count_of HANDLE FILE KEY: a counter of the computer's group, for example memory.events oom_kill.
count_of() { awk -v key="$3" '$1 == key { print $2 }' "$(group_of "$1")/$2"; }

# in_group HANDLE COMMAND...: as root of the machine, within the limits of the computer.
in_group() {
  local group
  group=$(group_of "$1") && shift
  bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

# inside HANDLE COMMAND...: as the computer's owner, in its namespaces and within its limits.
inside() {
  local pid handle=$1
  pid=$(pid_of "$handle") && shift
  in_group "$handle" nsenter --target "$pid" --all --setuid 1000 --setgid 1000 "$@"
}

# await SECONDS COMMAND...: until it succeeds.
await() {
  local end=$((SECONDS + $1)) && shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "in vain: $*" && "$@"; }
    sleep 0.5
  done
}

running() { for handle in "$@"; do pid_of "$handle" >/dev/null || return; done; }
healthy() { curl -fsS --max-time 5 http://localhost:8080/health; }

"$@"
