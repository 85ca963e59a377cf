//! `matrixos status`: how the running platform is.

use anyhow::Result;
use matrixos_api::admin::Status;
use matrixos_types::DiskQuota;

use crate::config::Config;
use crate::layout::Layout;
use crate::operator;

pub(crate) fn run(config: &Config) -> Result<()> {
    let status: Status = operator::block_on(operator::get(&Layout::of(config).socket(), "/status"))?;
    println!("matrixos {} at {}", status.version, status.origin);
    println!("computers  {} of {} running, {} archived", status.running, status.computers, status.archived);
    match status.machine.disk_quota {
        DiskQuota::Nothing => {
            println!("disk       WARNING: nothing holds users to their share: {}", status.machine.disk_quota_why)
        }
        means => println!("disk       users are held to their share by: {means}"),
    }
    match status.store_refuses {
        Some(why) => println!("store      WARNING: {why}"),
        None => println!("store      accepts new accounts"),
    }
    Ok(())
}
