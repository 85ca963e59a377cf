//! Uses up what can be used up, one thing after the other, each in a child that frees it by its end.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::IntoRawFd;
use std::time::{Duration, Instant};

use crate::report::{self, Attempt};
use crate::sys::{self, Outcome};

/// How long two processes spin.
const SPIN: Duration = Duration::from_secs(3);
const MIB: usize = 1 << 20;
/// Where no limit stops it, it stops itself: so many processes, so many mebibytes.
const ENOUGH: usize = 4_000;
const MIBS: usize = 1_024;

pub(crate) fn attempts() -> Vec<Attempt> {
    let mut all = vec![fork_bomb(), zombies()];
    all.push(until_refused("descriptors", || File::open("/dev/null").map(|f| f.into_raw_fd()).map_err(number)));
    all.push(until_refused("pseudo-terminals", || {
        OpenOptions::new().read(true).write(true).open("/dev/ptmx").map(|f| f.into_raw_fd()).map_err(number)
    }));
    all.push(until_refused("inotify instances", || sys::call(libc::SYS_inotify_init1, [0; 6]).map(|fd| fd as i32)));
    all.push(until_refused("message queues", message_queue()));
    all.push(tried("memory", || {
        let mut hog = Vec::new();
        (0..MIBS).for_each(|_| hog.push(vec![1_u8; MIB]));
        Ok(())
    }));
    all.push(tried("memfd", || {
        let memory = sys::call(libc::SYS_memfd_create, [c"x".as_ptr() as usize, 0, 0, 0, 0, 0])?;
        fill(&mut File::from(sys::own(memory)))
    }));
    all.push(tried("System V shared memory", shared_memory));
    all.extend(["/tmp", "/var/tmp", "/dev/shm", "/dev"].map(full_folder));
    all.extend(["/tmp", "/var/tmp"].map(many_files));
    all.push(tried("locked memory", || {
        let memory = vec![1_u8; MIB];
        sys::call(libc::SYS_mlock, [memory.as_ptr() as usize, MIB, 0, 0, 0, 0]).map(drop)
    }));
    all.extend(own_limits());
    all.push(spin());
    all
}

fn number(error: std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

fn tried(name: &str, work: impl FnOnce() -> Result<(), i32>) -> Attempt {
    Attempt::new(name, sys::in_child(work).name())
}

/// Forks sleeping children until that is refused, and ends them again.
fn fork_bomb() -> Attempt {
    let mut children = Vec::new();
    let refusal = loop {
        match sys::fork() {
            Ok(0) => loop {
                std::thread::sleep(Duration::from_secs(60));
            },
            Ok(child) => children.push(child),
            Err(number) => break number,
        }
        if children.len() >= ENOUGH {
            break 0;
        }
    };
    children.iter().for_each(|child| sys::kill(*child));
    children.iter().for_each(|child| _ = sys::wait(*child));
    Attempt::new("fork bomb", report::errno(refusal)).with(children.len())
}

/// Leaves orphans behind; the first process reaps them, or they stay as zombies.
fn zombies() -> Attempt {
    for _ in 0..50 {
        sys::in_child(|| sys::fork().map(drop));
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let left = count_zombies();
        if left == 0 || Instant::now() > deadline {
            return Attempt::new("zombies", left.to_string());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count_zombies() -> usize {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let state = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("stat")).ok()?;
        text.rsplit_once(") ")?.1.chars().next()
    };
    processes.filter_map(state).filter(|state| *state == 'Z').count()
}

/// Opens one after the other until that is refused; the detail says how many there were. The count comes back through
/// a file, since a child can only tell one byte.
fn until_refused(name: &str, mut open: impl FnMut() -> Result<i32, i32>) -> Attempt {
    let count_file = "/tmp/probe-count";
    let outcome = sys::in_child(|| {
        let mut count = 0_u32;
        let mut note = File::create(count_file).map_err(number)?;
        let refusal = loop {
            match open() {
                Ok(_) if count >= 20_000 => break 0,
                Ok(_) => count += 1,
                Err(number) => break number,
            }
        };
        write!(note, "{count}").map_err(number)?;
        if refusal == 0 { Ok(()) } else { Err(refusal) }
    });
    let count = fs::read_to_string(count_file).unwrap_or_default();
    let _ = fs::remove_file(count_file);
    Attempt::new(name, outcome.name()).with(count)
}

/// The kernel charges the longest contents of a queue when it is made (mq_overview(7)).
fn message_queue() -> impl FnMut() -> Result<i32, i32> {
    let mut made = 0_u32;
    move || {
        let name = std::ffi::CString::new(format!("q{made}")).expect("no zero byte");
        made += 1;
        let flags = (libc::O_CREAT | libc::O_RDWR) as usize;
        let opened = sys::call(libc::SYS_mq_open, [name.as_ptr() as usize, flags, 0o600, 0, 0, 0]);
        // The name goes at once; what is open still counts.
        let _ = sys::call(libc::SYS_mq_unlink, [name.as_ptr() as usize, 0, 0, 0, 0, 0]);
        opened.map(|fd| fd as i32)
    }
}

fn shared_memory() -> Result<(), i32> {
    for _ in 0..MIBS / 16 {
        let id = sys::call(libc::SYS_shmget, [0, 16 * MIB, 0o600, 0, 0, 0])?;
        let at = sys::call(libc::SYS_shmat, [id, 0, 0, 0, 0, 0])?;
        // Removed in name now, so that nothing stays when this process is killed.
        sys::call(libc::SYS_shmctl, [id, libc::IPC_RMID as usize, 0, 0, 0, 0])?;
        sys::touch(at, 16 * MIB);
    }
    Ok(())
}

fn fill(file: &mut File) -> Result<(), i32> {
    let block = vec![1_u8; MIB];
    for _ in 0..MIBS {
        file.write_all(&block).map_err(number)?;
    }
    Ok(())
}

fn full_folder(folder: &str) -> Attempt {
    let path = format!("{folder}/fill");
    let outcome = sys::in_child(|| fill(&mut File::create(&path).map_err(number)?));
    let size = fs::metadata(&path).map_or(0, |m| m.len());
    let _ = fs::remove_file(&path);
    Attempt::new(format!("fill {folder}"), outcome.name()).with(size)
}

fn many_files(folder: &str) -> Attempt {
    let place = format!("{folder}/many");
    let outcome = sys::in_child(|| {
        fs::create_dir(&place).map_err(number)?;
        (0..1_000_000).try_for_each(|i| File::create(format!("{place}/{i}")).map(drop).map_err(number))
    });
    let _ = fs::remove_dir_all(&place);
    Attempt::new(format!("many files in {folder}"), outcome.name())
}

/// The hard limits, and whether one can be raised again.
fn own_limits() -> Vec<Attempt> {
    let text = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let names = [
        "Max core file size",
        "Max processes",
        "Max open files",
        "Max locked memory",
        "Max pending signals",
        "Max msgqueue size",
        "Max nice priority",
        "Max realtime priority",
    ];
    let hard = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let mut all: Vec<_> =
        names.iter().map(|name| Attempt::new(*name, hard(name).unwrap_or_else(|| "?".to_owned()))).collect();
    let raised = [libc::RLIMIT_CORE, libc::RLIMIT_NOFILE].map(|limit| {
        sys::in_child(|| {
            let more = [1_usize << 20; 2];
            sys::call(libc::SYS_setrlimit, [limit as usize, more.as_ptr() as usize, 0, 0, 0, 0]).map(drop)
        })
    });
    let all_refused = raised.iter().all(|outcome| *outcome == Outcome::Errno(libc::EPERM));
    all.push(Attempt::new("raise a limit", if all_refused { "EPERM" } else { "ok" }));
    all
}

/// Two processes spin; the outcome is how many thousandths of one CPU they got.
fn spin() -> Attempt {
    let (before, begun) = (sys::children_cpu_seconds(), Instant::now());
    let spinners: Vec<_> = (0..2).filter_map(|_| spinner().ok()).collect();
    std::thread::sleep(SPIN);
    spinners.iter().for_each(|child| sys::kill(*child));
    spinners.iter().for_each(|child| _ = sys::wait(*child));
    let share = (sys::children_cpu_seconds() - before) / begun.elapsed().as_secs_f64();
    Attempt::new("cpu", format!("{:.0}", share * 1e3))
}

fn spinner() -> Result<libc::pid_t, i32> {
    match sys::fork()? {
        0 => loop {
            std::hint::spin_loop();
        },
        child => Ok(child),
    }
}
