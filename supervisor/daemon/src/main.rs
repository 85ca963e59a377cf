//! The one program: the platform (`serve`), its privileged half (`launcher`), and the operator's commands.

mod account;
mod admin;
mod ai;
mod cli;
mod config;
mod container;
mod disk;
mod doctor;
mod doors;
mod hold;
mod image;
mod layout;
mod logging;
mod notify;
mod operator;
mod privileges;
mod serve;
mod status;
mod store;
mod watchdog;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use cli::{Cli, Command};
use config::Config;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::Launcher) {
        return matrixos_launcher::run();
    }
    let outcome = if matches!(cli.command, Command::Hold) { hold::run() } else { run(cli) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matrixos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let flags = if let Command::Serve(serve) = &cli.command { Some(serve) } else { None };
    let config = Config::load(&cli.common, flags)?;
    match cli.command {
        Command::Serve(_) => serve::run(&config),
        Command::Doctor => doctor::run(&config),
        Command::Status => status::run(&config),
        Command::Container(command) => container::run(&config, command),
        Command::Account(command) => account::run(&config, command),
        Command::Admin(command) => admin::run(&config, command),
        Command::Ai(command) => ai::run(&config, command),
        Command::Audit(which) => admin::audit(&config, &which),
        Command::Image(command) => image::run(&config, command),
        Command::Store(command) => store::run(&config, command),
        Command::Launcher | Command::Hold => unreachable!("handled before the configuration was read"),
    }
}
