# A real Debian 12 in a virtual machine, for what a host under test cannot show: systemd as first process, unified
# control groups, project quota, a reboot, a power cut. Sourced after lib.sh, not run; scripts/vm/run is for people.
# shellcheck shell=bash

VM_PACKAGES=(qemu-system-x86 qemu-utils mmdebstrap e2fsprogs openssh-client)
VM_GUEST_PACKAGES=systemd,systemd-sysv,dbus,udev,iproute2,nftables,linux-image-cloud-amd64,libseccomp2,libelf1,zlib1g,kmod,procps,openssh-server,e2fsprogs,quota,curl,bpftool
VM_MARKER="matrixos-vm: up"
VM_DATA_SIZE=12G
# Seconds: the first boot in software emulation on a busy machine, and one command.
VM_BOOT_TIMEOUT=${VM_BOOT_TIMEOUT:-240}
VM_ROOM_GIB=8

vm_cache="$repository/target/vm"
# Everything of the running machine: its pid, its disks, its console. One machine a folder.
vm_state=${VM_STATE:-$vm_cache/machine}

vm_recipe() { sed -n '/^# recipe:/,/^# end of recipe/p' "${BASH_SOURCE[0]}" && echo "$VM_GUEST_PACKAGES $VM_MARKER $VM_DATA_SIZE"; }
vm_base() { echo "$vm_cache/base-$(vm_recipe | sha256sum | cut -c1-16)"; }

vm_need() {
  need_root
  need_debian
  [ "$(uname -m)" = x86_64 ] || fail "the virtual machine is for x86_64, and this is $(uname -m)." "Do:  run the tests of the machine on x86_64."
  install_packages "${VM_PACKAGES[@]}"
  command -v qemu-system-x86_64 >/dev/null && command -v qemu-img >/dev/null ||
    fail "there is no qemu-system-x86_64 or no qemu-img." "Why: the tests of the systemd unit run in a virtual machine." "Do:  apt-get install ${VM_PACKAGES[*]}"
  mkdir -p "$vm_cache"
  local room
  room=$(df --output=avail -BG "$vm_cache" | tail -n1 | tr -dc 0-9)
  [ "$room" -ge "$VM_ROOM_GIB" ] || fail "only $room GiB are free for $vm_cache." "Why: the virtual machine's disks need $VM_ROOM_GIB GiB." "Do:  make room there."
}

# recipe: the tree of the machine and its disks. A change from here to the end of the recipe makes a new base.
vm_tree() {
  local tree=$1 key=$2
  # In a namespace of its own, so that what mmdebstrap mounts inside the tree is never seen by the host.
  unshare --mount --propagation private mmdebstrap --mode=root --variant=minbase --include="$VM_GUEST_PACKAGES" \
    --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    bookworm "$tree"
  echo matrixos-vm >"$tree/etc/hostname"
  printf '127.0.0.1 localhost matrixos-vm\n::1 localhost\n' >"$tree/etc/hosts"
  printf '/dev/vda / ext4 defaults 0 1\n/dev/vdb /var/lib/matrixos ext4 prjquota 0 2\n' >"$tree/etc/fstab"
  install -d -m 755 "$tree/var/lib/matrixos"
  install -d -m 700 "$tree/root/.ssh"
  install -m 600 "$key.pub" "$tree/root/.ssh/authorized_keys"
  printf 'PasswordAuthentication no\nUseDNS no\n' >"$tree/etc/ssh/sshd_config.d/vm.conf"
  printf '[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n' >"$tree/etc/systemd/network/vm.network"
  printf '[Unit]\nDescription=Says on the console that the machine is up\nAfter=ssh.service network-online.target local-fs.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo %s >/dev/ttyS0"\n[Install]\nWantedBy=multi-user.target\n' \
    "$VM_MARKER" >"$tree/etc/systemd/system/vm-marker.service"
  install -d "$tree/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=persistent\n' >"$tree/etc/systemd/journald.conf.d/vm.conf"
  systemctl --root="$tree" enable vm-marker.service systemd-networkd.service ssh.service
  # Nothing of the machine's own may run beside a test, and no login prompt may stand before the marker.
  systemctl --root="$tree" mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer e2scrub_reap.service serial-getty@ttyS0.service
}

vm_disks() {
  local tree=$1 to=$2
  cp -L "$tree/vmlinuz" "$to/vmlinuz"
  cp -L "$tree/initrd.img" "$to/initrd.img"
  mke2fs -q -t ext4 -L root -d "$tree" "$to/root.raw" 4G
  mke2fs -q -t ext4 -L matrixos -O quota,project -E quotatype=prjquota "$to/data.raw" "$VM_DATA_SIZE"
  local disk
  for disk in root data; do
    qemu-img convert -f raw -O qcow2 "$to/$disk.raw" "$to/$disk.qcow2"
    rm "$to/$disk.raw"
  done
}
# end of recipe

# vm_build: makes the base, unless one of this recipe is cached. Older bases are removed.
vm_build() {
  vm_need
  local base lock
  base=$(vm_base)
  # Two runs at once make one base.
  exec {lock}>"$vm_cache/lock"
  flock "$lock"
  [ -e "$base/done" ] || vm_make_base "$base"
  exec {lock}>&-
}

vm_make_base() {
  local base=$1 making=$1.making outcome
  say "Making the virtual machine's base (some minutes, once)"
  rm -rf "$vm_cache"/base-*
  mkdir -p "$making"
  chmod 700 "$making"
  # The key is good for nothing but this machine's own guests, which listen on its loopback address only.
  ssh-keygen -q -t ed25519 -N '' -C matrixos-vm -f "$making/key"
  set +e
  (set -e; vm_tree "$making/tree" "$making/key"; vm_disks "$making/tree" "$making") >"$vm_cache/build.log" 2>&1
  outcome=$?
  set -e
  if [ $outcome != 0 ]; then
    rm -rf --one-file-system "$making"
    tail -n 20 "$vm_cache/build.log" >&2
    fail "the virtual machine's base was not made." "Do:  look at the messages above, and at $vm_cache/build.log."
  fi
  rm -rf --one-file-system "$making/tree"
  touch "$making/done"
  mv "$making" "$base"
}

# vm_alive: is the machine's qemu there? The pid is believed only with what it was started with: pids are used again.
vm_alive() {
  local pid
  pid=$(cat "$vm_state/pid" 2>/dev/null) && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -F "path=$vm_state/monitor" >/dev/null
}

vm_free_port() {
  local port
  for port in $(shuf -i 20000-32000 -n 50); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
  fail "no free port was found on 127.0.0.1." "Do:  look with 'ss -ltn' what listens."
}

# vm_boot [OVERLAYS]: starts the machine and waits until it is up. OVERLAYS is a folder with the disks of an earlier
# run, which are used on; without it both disks are new and thrown away by vm_stop.
vm_boot() {
  local base
  base=$(vm_base)
  [ -e "$base/done" ] || fail "the virtual machine has no base." "Do:  scripts/vm/run build"
  if vm_alive; then fail "the virtual machine runs already, pid $(cat "$vm_state/pid")." "Do:  scripts/vm/run stop"; fi
  vm_disks_at=${1:-$vm_state}
  if [ $# = 0 ]; then
    rm -rf "$vm_state"
    mkdir -p -m 700 "$vm_state"
    local disk
    for disk in root data; do
      qemu-img create -q -f qcow2 -b "$base/$disk.qcow2" -F qcow2 "$vm_state/$disk.qcow2"
    done
  fi
  vm_start
  vm_wait_up
}

# vm_start: starts qemu on the disks at hand and remembers its pid. The machine reads the file named by VM_PAYLOAD, if
# there is one, as /dev/vdc: many times faster than ssh in software emulation.
vm_start() {
  local base port payload=()
  if [ -n "${VM_PAYLOAD:-}" ]; then payload=(-drive "file=$VM_PAYLOAD,if=virtio,format=raw,readonly=on"); fi
  base=$(vm_base)
  port=$(vm_free_port)
  echo "$port" >"$vm_state/port"
  : >"$vm_state/console"
  rm -f "$vm_state"/monitor.{in,out}
  mkfifo -m 600 "$vm_state/monitor.in" "$vm_state/monitor.out"
  qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max -smp 2 -m 2048 -nodefaults -no-user-config -display none \
    -kernel "$base/vmlinuz" -initrd "$base/initrd.img" \
    -append "root=/dev/vda rw console=ttyS0 quiet loglevel=4 systemd.show_status=0 mitigations=off" \
    -drive "file=$vm_disks_at/root.qcow2,if=virtio,format=qcow2,cache=writeback" \
    -drive "file=$vm_disks_at/data.qcow2,if=virtio,format=qcow2,cache=writeback" \
    -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=net -device virtio-rng-pci \
    -chardev "file,id=console,path=$vm_state/console,append=on" -serial chardev:console \
    -chardev "pipe,id=monitor,path=$vm_state/monitor" -mon chardev=monitor,mode=control \
    "${payload[@]}" </dev/null >"$vm_state/qemu.log" 2>&1 &
  echo $! >"$vm_state/pid"
  # Until then the process is still this shell's copy, which is not taken for a machine.
  while kill -0 $! 2>/dev/null && ! vm_alive; do sleep 0.02; done
  # The shell would report a power cut as a crash.
  disown
}

vm_wait_up() {
  local end=$((SECONDS + VM_BOOT_TIMEOUT))
  until grep -q "$VM_MARKER" "$vm_state/console"; do
    if ! vm_alive; then cat "$vm_state/qemu.log" >&2 && fail "qemu ended while the machine started." "Do:  look at its messages above."; fi
    if [ $SECONDS -gt $end ]; then
      tail -n 30 "$vm_state/console" >&2
      vm_cut
      fail "the virtual machine was not up after $VM_BOOT_TIMEOUT s." "Do:  look at its console above, or set VM_BOOT_TIMEOUT."
    fi
    sleep 0.2
  done
  until vm_run true 2>/dev/null; do
    [ $SECONDS -le $end ] || fail "the virtual machine does not answer over ssh." "Do:  look at $vm_state/console."
    sleep 0.3
  done
}

vm_ssh() {
  ssh -q -p "$(cat "$vm_state/port")" -i "$(vm_base)/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o ControlMaster=auto -o ControlPath="$vm_state/ssh-%p" -o ControlPersist=600 -o ServerAliveInterval=5 -o ServerAliveCountMax=6 -o ConnectTimeout=20 \
    "$@"
}

# vm_run COMMAND...: runs it in the machine as root, as ssh does: one string for the machine's shell.
vm_run() { vm_ssh -n root@127.0.0.1 "$@"; }

# vm_copy FILE TO: copies a file into the machine, with its mode.
vm_copy() {
  vm_ssh root@127.0.0.1 "cat >'$2.part' && chmod $(stat -c %a "$1") '$2.part' && mv '$2.part' '$2'" <"$1"
}

# vm_monitor COMMAND: gives qemu's monitor one command and returns its answer (JSON text), empty if all went well.
vm_monitor() {
  local line id=$RANDOM$RANDOM in out
  exec {in}<>"$vm_state/monitor.in" {out}<>"$vm_state/monitor.out"
  # The first of these opens the conversation; later ones are refused, which does no harm.
  printf '{"execute":"qmp_capabilities"}\n{"execute":"human-monitor-command","id":"%s","arguments":{"command-line":"%s"}}\n' "$id" "$1" >&"$in"
  while IFS= read -r -t 120 -u "$out" line && [[ $line != *"\"id\": \"$id\""* ]]; do :; done
  exec {in}>&- {out}>&-
  [[ $line == *'"return": ""'* ]] || printf '%s' "${line:-no answer in 120 s}"
}

# vm_snapshot NAME: keeps memory and disks under that name; vm_restore brings the running machine back to it.
vm_snapshot() { vm_monitor_quiet "savevm $1"; }
vm_restore() { vm_monitor_quiet "loadvm $1" && vm_forget_ssh; }
vm_monitor_quiet() {
  local answer
  answer=$(vm_monitor "$1")
  [ -z "$answer" ] || fail "qemu's answer to '$1' was: $answer"
}

# The shared ssh connection does not live longer than the machine it goes to.
vm_forget_ssh() { vm_ssh -O exit root@127.0.0.1 2>/dev/null || true; }

# vm_cut: the power cut. What the guest had not flushed is gone; the disks stay for vm_boot "$vm_state".
vm_cut() {
  local pid
  pid=$(cat "$vm_state/pid" 2>/dev/null) || return 0
  if vm_alive; then kill -9 "$pid"; fi
  while vm_alive; do sleep 0.05; done
  rm -f "$vm_state/pid"
  vm_forget_ssh
}

# vm_reboot: as its operator would, from inside.
vm_reboot() {
  : >"$vm_state/console"
  vm_run systemctl reboot || true
  vm_forget_ssh
  vm_wait_up
}

# vm_forward PORT TARGET: a port of the host's loopback address leads to TARGET (host:port) as seen from the machine.
vm_forward() { vm_ssh -O forward -L "127.0.0.1:$1:$2" root@127.0.0.1; }

# vm_stop: ends the machine and throws its disks away.
vm_stop() {
  vm_cut
  rm -rf "$vm_state"
}
