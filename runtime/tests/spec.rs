//! The confined configuration, compared with reviewed golden files. `UPDATE_GOLDEN=1` rewrites them.

use std::path::{Path, PathBuf};

use matrixos_runtime::cgroups::Layout;
use matrixos_runtime::protocol::{Launch, Limits, Token};
use matrixos_runtime::spec::{Place, clamp, confine};
use matrixos_types::{Bytes, ContainerId, DiskShare, Handle, Seat};

fn launch() -> Launch {
    Launch {
        container: ContainerId::parse("c0123456789abcdef").expect("an id"),
        seat: Seat::new(7).expect("a seat"),
        handle: Handle::parse("alice").expect("a handle"),
        image: format!("sha256:{}", "0".repeat(64)),
        token: Token("the-token".to_owned()),
        credential: Token("the-credential".to_owned()),
        limits: Limits::default(),
    }
}

fn place(layout: Layout) -> Place {
    Place {
        image_root: "/run/matrixos/roots/0".into(),
        home: "/run/matrixos/users/alice/matrixos".into(),
        disk_is_held: layout == Layout::Unified,
        group: "/matrixos/c0123456789abcdef".to_owned(),
        layout,
        domain: "matrix-os.example".to_owned(),
        services: Some("10.213.0.1:4100".parse().expect("an address")),
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn compare(name: &str, layout: Layout) {
    let spec = serde_json::to_value(confine(&launch(), &place(layout)).get()).expect("JSON");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(name), format!("{spec:#}\n")).expect("written");
    }
    // Compared as values: the order of keys says nothing.
    let expected = std::fs::read_to_string(golden(name)).expect("the golden file");
    let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
    assert!(spec == expected, "the configuration differs from tests/golden/{name}; review, then UPDATE_GOLDEN=1");
}

#[test]
fn the_confined_configuration_is_the_reviewed_one() {
    compare("unified.json", Layout::Unified);
    compare("per-controller.json", Layout::PerController);
}

#[test]
fn two_seats_share_no_user_id() {
    let (mut a, mut b) = (launch(), launch());
    (a.seat, b.seat) = (Seat::new(1).expect("seat"), Seat::new(2).expect("seat"));
    let ids = |l: &Launch| {
        let spec = confine(l, &place(Layout::Unified));
        let linux = spec.get().linux().clone().expect("linux");
        let map = linux.uid_mappings().clone().expect("a mapping")[0];
        map.host_id()..map.host_id() + map.size()
    };
    let (a, b) = (ids(&a), ids(&b));
    assert!(a.end <= b.start && a.start > 65_536, "{a:?} {b:?}");
}

#[test]
fn limits_out_of_range_are_brought_into_it() {
    let absurd = Limits {
        memory: Bytes(1),
        cpu_milli: u32::MAX,
        pids: 0,
        disk: DiskShare { bytes: Bytes(1), inodes: u64::MAX },
    };
    let disk = DiskShare { bytes: Bytes::mib(16), inodes: 4_096 };
    assert_eq!(clamp(absurd), Limits { memory: Bytes::mib(64), cpu_milli: 64_000, pids: 16, disk });
    assert_eq!(clamp(Limits::default()), Limits::default());
}
