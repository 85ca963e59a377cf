//! The confined spec, field by field, against files that were reviewed. `UPDATE_GOLDEN=1` writes them anew.

use std::path::PathBuf;

use matrixos_runtime::cgroups::Layout;
use matrixos_runtime::policy::{Ground, confine};
use matrixos_runtime::protocol::{Launch, Limits, Token};
use matrixos_types::{ContainerId, Handle, Instance, Seat};
use serde_json::Value;

fn launch() -> Launch {
    Launch {
        container: ContainerId::parse("c0123456789abcdef").expect("an id"),
        seat: Seat::new(7).expect("a seat"),
        handle: Handle::parse("alice").expect("a handle"),
        image: format!("sha256:{}", "0".repeat(64)),
        token: Token("a-secret".to_owned()),
        limits: Limits::default(),
    }
}

fn ground(layout: Layout) -> Ground {
    Ground {
        instance: Instance::default(),
        domain: "matrix-os.example".to_owned(),
        root: PathBuf::from("/run/matrixos/stage/root"),
        home: PathBuf::from("/run/matrixos/stage/home"),
        layout,
        ipv6: true,
    }
}

fn spec(layout: Layout) -> Value {
    let confined = confine(&launch(), &ground(layout)).expect("a spec");
    serde_json::to_value(confined.get()).expect("JSON")
}

fn compare(name: &str, spec: &Value) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(spec).expect("JSON") + "\n";
        std::fs::write(&file, text).expect("writes the golden file");
    }
    let text = std::fs::read_to_string(&file).expect("the golden file");
    let golden: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(*spec, golden, "the policy changed; review the change, then run with UPDATE_GOLDEN=1");
}

#[test]
fn the_policy_is_the_one_that_was_reviewed() {
    compare("unified.json", &spec(Layout::Unified));
    compare("per-controller.json", &spec(Layout::PerController));
}

#[test]
fn the_token_is_nowhere_but_in_the_gateways_environment() {
    let mut spec = spec(Layout::Unified);
    assert!(spec["process"]["env"].to_string().contains("a-secret"));
    spec["process"]["env"] = Value::Null;
    assert!(!spec.to_string().contains("a-secret"));
}

#[test]
fn two_seats_share_no_id() {
    let mut other = launch();
    other.seat = Seat::new(8).expect("a seat");
    let of = |launch: &Launch| {
        let confined = confine(launch, &ground(Layout::Unified)).expect("a spec");
        let mappings = confined.get().linux().as_ref().and_then(|l| l.uid_mappings().clone()).expect("mappings");
        (mappings[0].host_id(), mappings[0].host_id() + mappings[0].size())
    };
    assert!(of(&launch()).1 <= of(&other).0);
}

#[test]
fn limits_out_of_range_are_clamped_in_the_spec() {
    let mut greedy = launch();
    greedy.limits.pids = u32::MAX;
    let confined = confine(&greedy, &ground(Layout::Unified)).expect("a spec");
    let spec = serde_json::to_value(confined.get()).expect("JSON");
    assert_eq!(spec["linux"]["resources"]["pids"]["limit"], 32_768);
}
