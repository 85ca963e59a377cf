//! `matrixos image`: building, listing, verifying and importing the image of the computers.

use std::time::SystemTime;

use anyhow::{Result, ensure};
use matrixos_rootfs::image::{self, Parts};
use matrixos_types::Bytes;

use crate::cli::{Build, Image};
use crate::config::Config;

pub(crate) fn run(config: &Config, command: Image) -> Result<()> {
    match command {
        Image::Build(build) => self::build(config, build),
        Image::List => list(config),
        Image::Verify => verify(config),
        Image::Import { from } => {
            need_root()?;
            let digest = image::import(&config.data, &from)?;
            image::ensure_unpacked(&config.data, &digest)?;
            println!("{digest}");
            Ok(())
        }
    }
}

fn need_root() -> Result<()> {
    ensure!(nix::unistd::geteuid().is_root(), "run this as root: the image's files belong to several owners");
    Ok(())
}

fn build(config: &Config, build: Build) -> Result<()> {
    need_root()?;
    let parts = Parts { packages: build.packages, gateway: build.gateway, shell: build.shell, home: build.home };
    let created = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let digest = image::build(&config.data, &parts, &created, &mut |line| eprintln!("    {line}"))?;
    println!("{digest}");
    Ok(())
}

fn list(config: &Config) -> Result<()> {
    println!("{:<72} {:<9} {:>10} {:<20} UNPACKED", "DIGEST", "TAG", "SIZE", "CREATED");
    for found in image::list(&config.data)? {
        let (tag, created) = (found.tag.unwrap_or_default(), found.created.unwrap_or_default());
        println!(
            "{:<72} {tag:<9} {:>10} {created:<20} {}",
            found.digest,
            Bytes(found.size).to_string(),
            if found.unpacked { "yes" } else { "no" }
        );
    }
    Ok(())
}

fn verify(config: &Config) -> Result<()> {
    let digest = image::current(&config.data)?;
    let files = image::verify(&config.data, &digest)?;
    match files {
        Some(files) => println!(
            "{digest}: every blob is intact, and the {files} unpacked files are those of the image and no others"
        ),
        None => println!("{digest}: every blob is intact; it is not unpacked yet"),
    }
    Ok(())
}
