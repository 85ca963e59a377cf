//! The quiet neighbour: answers one byte for one byte.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;

/// Answers every connection, one after the other, until it is killed.
pub(crate) fn answer(port: &str) -> ExitCode {
    let port = port.parse().unwrap_or(0);
    let listener = match TcpListener::bind(("0.0.0.0", port)) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("probe answer: {error}");
            return ExitCode::FAILURE;
        }
    };
    loop {
        let Ok((mut stream, _)) = listener.accept() else { continue };
        let mut byte = [0];
        if stream.read_exact(&mut byte).is_ok() {
            let _ = stream.write_all(&byte);
        }
    }
}
