//! For scripts/bench: what the door for computers adds to an AI call with everything written down, beside a plain
//! pass-through in the same run. The provider, the pass-through, and the platform are processes of their own; this one
//! calls. Start it without arguments, inside a network namespace of its own.

mod door;
mod load;
mod through;
mod upstream;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use load::{Guest, Path};

/// Calls a second, for how long at a time, and how often the ways take turns.
const RATE: u32 = 1_000;
const TURN: Duration = Duration::from_secs(2);
const TURNS: u32 = 6;
/// Calls of the measurement of the first byte, one after the other.
const FIRSTS: u32 = 1_500;
/// Streams that flow at the same time.
const STREAMS: usize = 500;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments[..] {
        [] => runtime.block_on(measure()),
        ["upstream"] => runtime.block_on(upstream::serve()),
        ["through", provider] => runtime.block_on(through::serve(provider.parse()?)),
        ["door", provider] => runtime.block_on(door::serve(provider.parse()?)),
        _ => Err("start it without arguments".into()),
    }
}

async fn measure() -> Result<(), Failure> {
    let provider = Other::start(&["upstream"])?;
    let at = provider.address.to_string();
    let (through, door) = (Other::start(&["through", &at])?, Other::start(&["door", &at])?);
    let straight = Path::new("provider", provider.address, Guest::nobody());
    let plain = Path::new("pass-through", through.address, Guest::nobody());
    let ours = Path::new("metered", door.address, door.guests.clone());
    whole_answers(&[&straight, &plain, &ours]).await?;
    first_bytes(&[&straight, &plain, &ours]).await?;
    for (path, process) in [(&plain, &through), (&ours, &door)] {
        let before = process.resident()?;
        let during = path.streams(STREAMS, || process.resident()).await?;
        println!(
            "{STREAMS} streams at once, {:<13} resident {before} KiB before, {during} KiB at the most: {:+.1} MiB",
            path.name,
            (during as f64 - before as f64) / 1024.0
        );
    }
    Ok(())
}

/// The ways take turns, so that whatever else this machine does meets all of them.
async fn whole_answers(paths: &[&Path]) -> Result<(), Failure> {
    let mut times = vec![Vec::new(); paths.len()];
    for path in paths {
        path.steadily(RATE, TURN).await?;
    }
    for _ in 0..TURNS {
        for (path, times) in paths.iter().zip(&mut times) {
            times.extend(path.steadily(RATE, TURN).await?);
        }
    }
    load::report(&format!("{RATE} calls a second, whole answer"), paths, &mut times);
    Ok(())
}

async fn first_bytes(paths: &[&Path]) -> Result<(), Failure> {
    let mut times = vec![Vec::new(); paths.len()];
    for _ in 0..FIRSTS {
        for (path, times) in paths.iter().zip(&mut times) {
            times.push(path.first_byte().await?);
        }
    }
    load::report("first byte of a stream, one at a time", paths, &mut times);
    Ok(())
}

/// Another process of this program; it ends with the value.
struct Other {
    child: Child,
    address: SocketAddr,
    guests: Vec<Guest>,
}

impl Other {
    /// Its first line says where it listens; those after it who may call, up to an empty one.
    fn start(arguments: &[&str]) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = lines.next().ok_or("it ended at once")??.parse()?;
        let mut guests = Vec::new();
        for line in lines {
            match line?.split_once(' ') {
                Some((from, credential)) => guests.push(Guest::new(from, credential)),
                None => break,
            }
        }
        Ok(Self { child, address, guests })
    }

    /// Resident memory, in KiB.
    fn resident(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says where this process listens and who may call.
pub(crate) fn announce(address: SocketAddr, guests: &[(String, String)]) {
    println!("{address}");
    for (from, credential) in guests {
        println!("{from} {credential}");
    }
    println!();
}
