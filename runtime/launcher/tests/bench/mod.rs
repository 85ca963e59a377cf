//! How long launches take, beside runc with the same bundle. Run by scripts/bench, not as a test.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use matrixos_rootfs::image;
use matrixos_runtime::protocol::Launch;

use super::House;

const ROUNDS: usize = 100;
const WARM_UP: usize = 5;

/// Prints medians and 99th percentiles in milliseconds. `BENCH_DATA` names a data directory with the real image.
pub(super) fn launch_timing() {
    let mut house = House::new();
    if let Some(data) = std::env::var_os("BENCH_DATA").map(PathBuf::from) {
        house.image = image::current(&data).expect("an image");
        let root = image::root(&data, &house.image).expect("unpacked");
        let place = image::roots(house.folder.path()).join(root.file_name().expect("a name"));
        // The launcher looks for images in its own data directory.
        let copied = Command::new("cp").args(["-a", "--reflink=auto"]).arg(root).arg(place).status();
        assert!(copied.expect("cp").success());
    }
    let (mut answered, mut ready, mut runtime, mut resident) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS + WARM_UP {
        let launch = house.person(1, "sleep 300");
        let begun = Instant::now();
        let (running, _pidfd) = house.launch(&launch).expect("launched");
        let answer = begun.elapsed();
        if std::env::var_os("BENCH_DATA").is_some() {
            until_healthy(&house, &launch);
        }
        let health = begun.elapsed();
        let rss = resident_kib(running.identity.pid);
        let part = |name: &str| running.steps.iter().filter(|(n, _)| n == name).map(|(_, t)| *t).sum::<u64>();
        house.take_down(&launch);
        if round >= WARM_UP {
            answered.push(answer);
            ready.push(health);
            runtime.push(Duration::from_micros(part("create") + part("start")));
            resident.push(rss);
        }
    }
    resident.sort_unstable();
    print("launch request to the gateway's /health", ready);
    print("  of it until the launcher answers", answered);
    print("  of it create + start (runtime part)", runtime);
    if Command::new("runc").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        print("runc create + start, the same configuration", runc_times(&house));
    }
    println!("gateway, resident memory just started: median {} KiB", resident[resident.len() / 2]);
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!("{what:<46} p50 {:>6.1} ms   p99 {:>6.1} ms   n {}", at(0.5), at(0.99), times.len());
}

fn until_healthy(house: &House, launch: &Launch) {
    let network = matrixos_netns::Network::new(house.config.instance.clone(), house.config.pool).expect("a pool");
    let address = (network.lease(launch.seat).expect("room").address, 4000);
    let deadline = Instant::now() + Duration::from_secs(20);
    let healthy = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address.into(), Duration::from_millis(20))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text.starts_with("HTTP/1.1 200"))
    };
    while !healthy().unwrap_or(false) {
        assert!(Instant::now() < deadline, "the gateway never answers");
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn resident_kib(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// `runc create` and `runc start` of the very configuration the launcher uses; runc makes no network link.
fn runc_times(house: &House) -> Vec<Duration> {
    let launch = house.person(2, "sleep 300");
    let bundle = house.bundle(&launch);
    let mut times = Vec::new();
    for round in 0..ROUNDS + WARM_UP {
        let begun = Instant::now();
        bundle.runc(&["create"]);
        bundle.runc(&["start"]);
        let took = begun.elapsed();
        bundle.runc(&["delete", "--force"]);
        if round >= WARM_UP {
            times.push(took);
        }
    }
    times
}
