//! What came of an attempt, in words that a test compares.

use serde::Serialize;

/// One thing tried.
#[derive(Debug, Serialize)]
pub(crate) struct Attempt {
    /// What was tried.
    pub(crate) name: String,
    /// `ok`, the name of an error, `killed`, or a value that was read.
    pub(crate) outcome: String,
    /// More for a person who reads it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
}

impl Attempt {
    pub(crate) fn new(name: impl Into<String>, outcome: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: outcome.into(), detail: String::new() }
    }

    pub(crate) fn with(self, detail: impl ToString) -> Self {
        Self { detail: detail.to_string(), ..self }
    }
}

/// Prints the list as JSON.
pub(crate) fn print<T: Serialize>(all: &T) {
    println!("{}", serde_json::to_string_pretty(all).expect("plain data"));
}

/// The name of an error number.
pub(crate) fn errno(number: i32) -> String {
    let known = [
        (0, "ok"),
        (libc::EPERM, "EPERM"),
        (libc::ENOENT, "ENOENT"),
        (libc::ESRCH, "ESRCH"),
        (libc::EIO, "EIO"),
        (libc::ENXIO, "ENXIO"),
        (libc::EBADF, "EBADF"),
        (libc::EAGAIN, "EAGAIN"),
        (libc::ENOMEM, "ENOMEM"),
        (libc::EACCES, "EACCES"),
        (libc::EFAULT, "EFAULT"),
        (libc::EBUSY, "EBUSY"),
        (libc::EEXIST, "EEXIST"),
        (libc::ENODEV, "ENODEV"),
        (libc::ENOTDIR, "ENOTDIR"),
        (libc::EINVAL, "EINVAL"),
        (libc::EMFILE, "EMFILE"),
        (libc::ENFILE, "ENFILE"),
        (libc::ENOTTY, "ENOTTY"),
        (libc::EFBIG, "EFBIG"),
        (libc::ENOSPC, "ENOSPC"),
        (libc::EROFS, "EROFS"),
        (libc::ENOSYS, "ENOSYS"),
        (libc::EOPNOTSUPP, "EOPNOTSUPP"),
        (libc::EAFNOSUPPORT, "EAFNOSUPPORT"),
        (libc::EPROTONOSUPPORT, "EPROTONOSUPPORT"),
        (libc::EDQUOT, "EDQUOT"),
    ];
    known.iter().find(|(n, _)| *n == number).map_or_else(|| format!("E{number}"), |(_, name)| (*name).to_owned())
}

/// The name of what an input or output operation answered.
pub(crate) fn io<T>(result: &std::io::Result<T>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.raw_os_error().map_or_else(|| error.to_string(), errno),
    }
}
