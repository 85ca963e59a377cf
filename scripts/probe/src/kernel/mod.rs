//! What would reach the kernel or the host: each attempt in a child of its own. Where one should succeed against all
//! expectation, it changes nothing: values are written back as they were read, and arguments are empty.

mod calls;
mod files;
mod special;

use crate::report::Attempt;
use crate::sys;

/// Everything under "Kernel" in the list of attacks.
pub(crate) fn attempts() -> Vec<Attempt> {
    let mut all = files::attempts();
    all.extend(calls::attempts());
    all.extend(special::attempts());
    all
}

/// Tries it in a child.
fn attempt(name: impl Into<String>, work: impl FnOnce() -> Result<(), i32>) -> Attempt {
    let outcome = sys::in_child(work);
    let attempt = Attempt::new(name, outcome.name());
    match outcome {
        sys::Outcome::Killed(signal) => attempt.with(format!("signal {signal}")),
        sys::Outcome::Errno(_) => attempt,
    }
}

/// The error number of an operation of the standard library.
fn number<T>(result: std::io::Result<T>) -> Result<T, i32> {
    result.map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
}
