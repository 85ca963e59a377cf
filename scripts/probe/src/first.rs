//! The duties of a first process, as the gateway fulfils them: nobody may read it, and orphans are reaped.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::sys;

/// Runs the program as a child and returns when it has ended; orphans are reaped meanwhile. The child gets none of the
/// platform's environment, as in the gateway's terminals.
pub(crate) fn run(program: &str, arguments: &[&str]) -> ExitCode {
    if let Err(number) = sys::hide() {
        eprintln!("probe first: cannot hide: error {number}");
        return ExitCode::FAILURE;
    }
    match sys::fork() {
        Ok(0) => {
            let mut command = Command::new(program);
            command.args(arguments).env_clear().env("PATH", "/bin").env("HOME", "/home/matrixos");
            let error = command.exec();
            eprintln!("probe first: {program}: {error}");
            sys::exit(127)
        }
        Ok(child) => {
            while sys::wait_any().is_some_and(|ended| ended != child) {}
            ExitCode::SUCCESS
        }
        Err(number) => {
            eprintln!("probe first: fork: error {number}");
            ExitCode::FAILURE
        }
    }
}
