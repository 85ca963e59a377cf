//! Where a test cuts the process off, as `kill -9` would, right after its n-th effect on the world, and where it breaks
//! the disk under it. Only the feature `fail-points` gives this a body, and no release has it.

/// Something has just been done that outlives this process: a container was changed, or the disk was settled.
#[cfg(not(feature = "fail-points"))]
#[inline]
pub fn effect(_what: &str) {}

/// Ends the process if this is the effect after which `MATRIXOS_CUT_AFTER` says so.
#[cfg(feature = "fail-points")]
pub fn effect(what: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static CUT: LazyLock<Option<u64>> =
        LazyLock::new(|| std::env::var("MATRIXOS_CUT_AFTER").ok().and_then(|number| number.parse().ok()));
    static DONE: AtomicU64 = AtomicU64::new(0);
    let done = DONE.fetch_add(1, Ordering::SeqCst) + 1;
    eprintln!("EFFECT {done} {what}");
    if *CUT == Some(done) {
        std::process::abort();
    }
}

/// Whether writing to the disk is to fail.
#[cfg(not(feature = "fail-points"))]
#[inline]
pub fn disk_is_broken() -> bool {
    false
}

/// Whether writing to the disk is to fail: while the file exists that `MATRIXOS_BROKEN_WHILE` names.
#[cfg(feature = "fail-points")]
pub fn disk_is_broken() -> bool {
    std::env::var_os("MATRIXOS_BROKEN_WHILE").is_some_and(|file| std::path::Path::new(&file).exists())
}
