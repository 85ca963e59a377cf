//! By what the users' shares of the disk are enforced on this machine.

use anyhow::{Result, bail};
use matrixos_rootfs::quota::{self, Finding};
use matrixos_types::DiskQuota;
use tracing::{info, warn};

use crate::config::Config;

/// What the configuration asks for, or the best that works here. Fails if what it asks for does not work: enforcing
/// less than the operator believes would be worse than not starting.
pub(crate) fn decide(config: &Config) -> Result<Finding> {
    let Some(means) = config.disk_quota else { return Ok(quota::find(&config.data)) };
    if let Err(why) = quota::works(means, &config.data) {
        bail!("disk_quota asks for {means}, but {why}");
    }
    let why = if means == DiskQuota::Nothing { "the configuration says so" } else { "" };
    Ok(Finding { means, why: why.to_owned() })
}

/// Tells the log; loudly where nothing is enforced.
pub(crate) fn tell(finding: &Finding) {
    let Finding { means, why } = finding;
    match means {
        DiskQuota::Project => info!("users are held to their share of the disk by {means}"),
        DiskQuota::Image => info!("users are held to their share of the disk by {means}, because {why}"),
        DiskQuota::Nothing => {
            warn!("NOTHING HOLDS USERS TO THEIR SHARE OF THE DISK: any of them can fill it, because {why}")
        }
    }
}
