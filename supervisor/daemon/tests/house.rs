//! The walls of the house: which crate may use which, and which single crate may name a dangerous tool. A new edge or
//! a new user of such a tool fails here until ARCHITECTURE.md and this table agree to it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate may use of the others, outside of tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("netns", &["types"]),
    ("rootfs", &["types"]),
    ("runtime", &["types"]),
    ("store", &["types"]),
    ("proxy", &["types"]),
    ("channels", &["types"]),
    ("gateway", &["types", "channels"]),
    ("launcher", &["types", "runtime", "rootfs", "netns"]),
    ("supervisor", &["types", "channels", "store", "runtime", "rootfs", "netns"]),
    ("api", &["types", "proxy", "supervisor"]),
    ("daemon", &["types", "api", "proxy", "supervisor", "launcher", "runtime", "rootfs", "netns"]),
    ("testkit", &["types", "runtime"]),
    // The scripted provider of models and the scripted Telegram know nothing of us, so that any crate's tests may use it.
    ("messages", &[]),
    ("telegram", &[]),
    // The program that plays the stranger stands for itself: what it tries must not depend on what we believe.
    ("probe", &[]),
    ("fuzz", &[]),
];

/// Outside crates that only the named ones of ours may use.
const ONLY: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("libcontainer", &["launcher"]),
    // The computer's front door is a program of its own, inside the container (docs/adr/0003).
    ("axum", &["api", "gateway"]),
    ("rtnetlink", &["netns"]),
    ("webauthn-rs", &["supervisor"]),
    ("jsonwebtoken", &["supervisor"]),
    ("totp-rs", &["supervisor"]),
    ("aes-gcm", &["supervisor"]),
    ("webauthn-authenticator-rs", &["testkit"]),
];

fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    let dependencies = |package: &Value| {
        let all = package["dependencies"].as_array().expect("a list");
        all.iter().filter(|d| d["kind"].as_str() != Some("dev")).map(name).collect()
    };
    metadata["packages"].as_array().expect("a list").iter().map(|p| (name(p), dependencies(p))).collect()
}

#[test]
fn imports_point_downwards_only() {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    for (package, dependencies) in packages() {
        let short = package.strip_prefix("matrixos-").expect("our crates are named so");
        let may = allowed.get(short).unwrap_or_else(|| panic!("{short} has no place in the table"));
        for other in dependencies.iter().filter_map(|d| d.strip_prefix("matrixos-")) {
            assert!(may.contains(&other), "{short} must not use {other}");
        }
    }
}

#[test]
fn dangerous_tools_have_one_user_each() {
    for (package, dependencies) in packages() {
        let short = package.trim_start_matches("matrixos-");
        for (tool, users) in ONLY {
            assert!(!dependencies.contains(*tool) || users.contains(&short), "{short} must not name {tool}");
        }
    }
}
