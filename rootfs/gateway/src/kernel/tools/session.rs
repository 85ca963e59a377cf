//! The processes of a command: its session (setsid(2)). Whatever it starts is in it, in whichever process group, and goes
//! with it; who leaves it by `setsid` was meant to go on.

use std::collections::HashSet;
use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Looks for processes that were begun while others were ended.
const ROUNDS: usize = 100;

/// A session, which is ended when this is dropped, however the turn goes on, or does not.
pub(super) struct Session {
    /// Its first process, by whose number it is known. While anybody of the session is there, the number is nobody else's.
    pub(super) leader: i32,
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut ended = HashSet::new();
        for _ in 0..ROUNDS {
            let fresh: Vec<_> = members(self.leader).filter(|pid| !ended.contains(pid)).collect();
            if fresh.is_empty() {
                return;
            }
            // Whoever is being killed begins nothing any more, so that this comes to an end.
            fresh.iter().for_each(|pid| end(*pid, self.leader));
            ended.extend(fresh);
        }
    }
}

fn members(leader: i32) -> impl Iterator<Item = i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(move |pid| is_member(*pid, leader))
}

/// Kills a process. It is held first and looked at again then, so that nobody else gets its number meanwhile.
fn end(pid: i32, leader: i32) {
    let held = Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    if let Some(held) = held.filter(|_| is_member(pid, leader)) {
        // Gone already is as good.
        let _ = pidfd_send_signal(held, Signal::KILL);
    }
}

/// Whether a process is of the session and lives. Its first process is, also before it has begun the session.
fn is_member(pid: i32, leader: i32) -> bool {
    let Ok(stat) = fs::read(format!("/proc/{pid}/stat")) else { return false };
    let stat = String::from_utf8_lossy(&stat);
    // The name in parentheses may hold anything (proc_pid_stat(5)): state, parent, group and session come after it.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().take(4).collect();
    let [state, _, _, session] = fields[..] else { return false };
    !matches!(state, "Z" | "X") && (session.parse() == Ok(leader) || pid == leader)
}
