//! How long launches take, beside runc with the same bundle. Run by scripts/bench, not as a test.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::House;

const ROUNDS: usize = 60;

/// Prints medians and 99th percentiles in milliseconds.
pub(super) fn launch_timing() {
    let house = House::new();
    let mut whole = Vec::new();
    let mut runtime = Vec::new();
    for round in 0..ROUNDS + 5 {
        let launch = house.person(1, "sleep 300");
        let begun = Instant::now();
        let (running, _) = house.launch(&launch).expect("launched");
        let took = begun.elapsed();
        let part = |name: &str| running.steps.iter().filter(|(n, _)| n == name).map(|(_, t)| *t).sum::<u64>();
        house.take_down(&launch);
        if round >= 5 {
            whole.push(took);
            runtime.push(Duration::from_micros(part("create") + part("start")));
        }
    }
    print("launch request to answer", whole);
    print("  of it create + start", runtime);
    if Command::new("runc").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        print("runc create + start, same namespaces and limits", runc_times(&house));
    }
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!("{what:<50} p50 {:>7.1} ms   p99 {:>7.1} ms   n {}", at(0.5), at(0.99), times.len());
}

/// `runc create` and `runc start` of the very configuration the launcher uses.
fn runc_times(house: &House) -> Vec<Duration> {
    use matrixos_runtime::cgroups::Layout;
    use matrixos_runtime::spec::{Place, confine};
    let launch = house.person(2, "sleep 300");
    let bundle = tempfile::tempdir().expect("a folder");
    let place = Place {
        image_root: house.folder.path().join("images/roots").join("a".repeat(64)),
        home: house.home(&launch),
        group: format!("/{}/runc", house.config.instance),
        layout: Layout::of_host(),
        domain: "localhost".to_owned(),
    };
    // Both runtimes must be able to pass to the root as the mapped user.
    Command::new("chmod").arg("755").arg(house.folder.path()).status().expect("chmod");
    confine(&launch, &place).get().save(bundle.path().join("config.json")).expect("written");
    let runc = |arguments: &[&str]| {
        let status = Command::new("runc")
            .args(arguments)
            .current_dir(bundle.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("runc").success(), "runc {arguments:?}");
    };
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        runc(&["create", "matrixos-bench"]);
        runc(&["start", "matrixos-bench"]);
        times.push(begun.elapsed());
        runc(&["delete", "--force", "matrixos-bench"]);
    }
    times
}
