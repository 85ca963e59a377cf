//! What a process of the container can read about itself, its first process and its surroundings.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::report::{Attempt, io};

/// As much of a file as is searched for the marker.
const SEARCHED: u64 = 1 << 20;

/// `marker` is what must be found nowhere, in hexadecimal, so that this program's own arguments do not contain it.
pub(crate) fn attempts(marker: &str) -> Vec<Attempt> {
    let mut all = own_status();
    for file in ["uid_map", "gid_map", "setgroups", "oom_score_adj"] {
        all.push(Attempt::new(file, squeezed(&read(&format!("/proc/self/{file}")))));
    }
    all.extend(first_process());
    all.extend(descriptors());
    all.extend(mounts());
    all.push(marker_search(&from_hex(marker)));
    all
}

fn read(path: &str) -> String {
    fs::read(path).map_or_else(|e| io::<()>(&Err(e)), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn own_status() -> Vec<Attempt> {
    let wanted = ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"];
    let text = read("/proc/self/status");
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(name, _)| wanted.contains(name)).map(|(name, value)| Attempt::new(name, squeezed(value))).collect()
}

/// The first process holds the platform's token: nothing of it may be read.
fn first_process() -> Vec<Attempt> {
    let files = ["environ", "mem", "maps", "auxv", "stack", "syscall", "fd/0", "fd/1", "fd/2", "exe", "root/bin/probe"];
    let opened = files.map(|file| Attempt::new(format!("open /proc/1/{file}"), io(&open_and_read(file))));
    let listed = ["fd", "fdinfo", "map_files", "cwd/"]
        .map(|folder| Attempt::new(format!("list /proc/1/{folder}"), io(&fs::read_dir(format!("/proc/1/{folder}")))));
    let links = ["exe", "root", "cwd"]
        .map(|link| Attempt::new(format!("readlink /proc/1/{link}"), io(&fs::read_link(format!("/proc/1/{link}")))));
    opened.into_iter().chain(listed).chain(links).collect()
}

fn open_and_read(file: &str) -> std::io::Result<usize> {
    fs::File::open(format!("/proc/1/{file}"))?.read(&mut [0; 16])
}

/// What this process has open, and where it leads.
fn descriptors() -> Vec<Attempt> {
    let open = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let link = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
        // The listing itself is open while it is read.
        (!target.ends_with("/fd")).then(|| (entry.file_name().to_string_lossy().into_owned(), target))
    };
    open.filter_map(link).map(|(number, target)| Attempt::new(format!("descriptor {number}"), target)).collect()
}

/// One entry per mount: its options, and in the detail its source (proc_pid_mountinfo(5)).
fn mounts() -> Vec<Attempt> {
    let text = read("/proc/self/mountinfo");
    let mount = |line: &str| {
        let (mount, rest) = line.split_once(" - ")?;
        let fields: Vec<_> = mount.split(' ').collect();
        let (root, point, options) = (fields.get(3)?, fields.get(4)?, fields.get(5)?);
        Some(Attempt::new(format!("mount {point}"), *options).with(format!("{root} {rest}")))
    };
    text.lines().filter_map(mount).collect()
}

/// Reads whatever is readable below /proc; the outcome says how much of it that was, or where the marker was found.
fn marker_search(marker: &[u8]) -> Attempt {
    let (mut read, mut found) = (0_u64, Vec::new());
    search(Path::new("/proc"), marker, 0, &mut read, &mut found);
    let outcome = if found.is_empty() { "nowhere".to_owned() } else { found.join(" ") };
    Attempt::new("the marker", outcome).with(format!("{read} files read"))
}

fn search(folder: &Path, marker: &[u8], depth: u8, read: &mut u64, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else { continue };
        // This program's memory holds the marker, and the kernel's settings are no place for secrets of a process.
        let skipped = ["self", "thread-self", "mem", "pagemap", "sys", "kpagecount"].iter().any(|s| name == *s);
        if kind.is_dir() && !skipped && depth < 5 {
            search(&path, marker, depth + 1, read, found);
        } else if kind.is_file() && !skipped {
            let Some(bytes) = content(&path) else { continue };
            *read += 1;
            if bytes.windows(marker.len()).any(|window| window == marker) {
                found.push(path.display().to_string());
            }
        }
    }
}

fn content(path: &Path) -> Option<Vec<u8>> {
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(SEARCHED).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Never empty: a marker that cannot be read is one that is found at once.
fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Vec<u8> = pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
    if bytes.is_empty() { vec![b'\n'] } else { bytes }
}
