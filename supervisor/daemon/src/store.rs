//! `matrixos store`: the accounts' store, while the platform is stopped.

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use matrixos_supervisor::store::{Store, export, verify};

use crate::cli;
use crate::config::Config;
use crate::layout::Layout;

pub(crate) fn run(config: &Config, command: cli::Store) -> Result<()> {
    let folder = Layout::of(config).store();
    if !folder.is_dir() {
        bail!("there is no store in {}; is --data right?", folder.display());
    }
    let store = Store::open(&folder).context("opening the store")?;
    match command {
        cli::Store::Export => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            let records = export(&store, &mut out)?;
            out.flush()?;
            eprintln!("{records} records");
            Ok(())
        }
        cli::Store::Verify => {
            let findings = verify(&store);
            for finding in &findings {
                println!("{}: {}", finding.table, finding.what);
            }
            match findings.len() {
                0 => println!("no contradictions"),
                n => bail!("{n} contradictions"),
            }
            Ok(())
        }
    }
}
