//! What of this installation's network is really there.

use crate::lease::Network;
use crate::netlink::{NetError, Netlink};

/// The bridges and links of one installation, as the kernel has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Indices of the bridges, ascending.
    pub bridges: Vec<u16>,
    /// Names of the host's ends of the containers' links.
    pub links: Vec<String>,
}

/// Looks at the calling thread's network namespace.
pub fn observe(network: &Network) -> Result<Observed, NetError> {
    let netlink = Netlink::open()?;
    let prefix = network.link_prefix();
    let links = netlink.all()?.into_iter().map(|l| l.name).filter(|name| name.starts_with(&prefix)).collect();
    Ok(Observed { bridges: bridges(&netlink, network)?, links })
}

pub(crate) fn bridges(netlink: &Netlink, network: &Network) -> Result<Vec<u16>, NetError> {
    let prefix = network.bridge_prefix();
    let mut found: Vec<u16> = netlink
        .all()?
        .iter()
        .filter_map(|l| l.name.strip_prefix(&prefix)?.parse().ok())
        .filter(|i| *i < network.bridges())
        .collect();
    found.sort_unstable();
    Ok(found)
}
