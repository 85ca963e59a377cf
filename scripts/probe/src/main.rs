//! A stranger with a shell, as a program: run inside a container it tries what must not be possible there and prints
//! what came of it. Development only; linked statically, so that it runs in any image. The expectations lie in
//! `runtime/launcher/tests/stranger.rs`.

mod bomb;
mod first;
mod kernel;
mod limits;
mod neighbour;
mod report;
mod status;
mod sys;
mod syscalls;

use std::process::ExitCode;

const USAGE: &str = "usage: probe kernel | status MARKER_IN_HEX | syscalls | limits
       probe bomb fork|memory|cpu|tmpfs|log SECONDS
       probe bomb conntrack SECONDS ADDRESS:PORT
       probe answer PORT            answer every connection with one byte
       probe first PROGRAM [ARG…]   be the first process: unreadable, run a program, reap orphans
       probe ids                    print the effective user id";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["kernel"] => report::print(&kernel::attempts()),
        ["status", marker] => report::print(&status::attempts(marker)),
        ["syscalls"] => report::print(&syscalls::outcomes()),
        ["limits"] => report::print(&limits::attempts()),
        ["bomb", kind, seconds, rest @ ..] => return bomb::run(kind, seconds, rest.first().copied()),
        ["answer", port] => return neighbour::answer(port),
        ["first", program, rest @ ..] => return first::run(program, rest),
        ["ids"] => println!("{}", sys::effective_user()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
