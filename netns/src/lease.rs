//! Who has which address: a pure function of the seat, so that nothing has to be remembered or returned.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use matrixos_types::{Instance, Seat};

/// Seats on one bridge. A Linux bridge takes 1,023 ports (`BR_MAX_PORTS`), a /22 has 1,022 addresses.
pub const SEATS_PER_BRIDGE: u16 = 1_000;
const BRIDGE_PREFIX: u8 = 22;

/// `matrixos-net` as a whole: as many bridges as the pool has /22 subnets, made when they are first needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    instance: Instance,
    pool: Ipv4Net,
}

/// Why an address pool cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Not one of the private ranges of RFC 1918, nor within 100.64.0.0/10 (RFC 6598).
    #[error("the address pool {0} is not within a private range; use for example 10.213.0.0/16")]
    Public(Ipv4Net),
    /// Smaller than one bridge.
    #[error("the address pool {0} is too small; it needs at least a /22")]
    Small(Ipv4Net),
}

/// The network identity of one seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Which bridge, from 0.
    pub bridge_index: u16,
    /// Name of the bridge link.
    pub bridge: String,
    /// Name of the host's end of the veth pair; at most 15 bytes (`IFNAMSIZ` less the NUL).
    pub link: String,
    /// The container's address.
    pub address: Ipv4Addr,
    /// Prefix length of the subnet.
    pub prefix: u8,
    /// The bridge's own address: the container's default route.
    pub gateway: Ipv4Addr,
    /// The bridge's MAC address.
    pub gateway_mac: [u8; 6],
    /// The container's MAC address, locally administered.
    pub mac: [u8; 6],
}

impl Network {
    /// A network from its pool.
    pub fn new(instance: Instance, pool: Ipv4Net) -> Result<Self, PoolError> {
        let pool = pool.trunc();
        let shared = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10);
        if !(pool.network().is_private() && pool.broadcast().is_private() || shared.contains(&pool)) {
            return Err(PoolError::Public(pool));
        }
        if pool.prefix_len() > BRIDGE_PREFIX {
            return Err(PoolError::Small(pool));
        }
        Ok(Self { instance, pool })
    }

    /// The installation this network belongs to.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The whole address pool.
    pub fn pool(&self) -> Ipv4Net {
        self.pool
    }

    /// How many seats the pool has room for.
    pub fn capacity(&self) -> u32 {
        let bridges = 1u32 << (BRIDGE_PREFIX - self.pool.prefix_len());
        (bridges * u32::from(SEATS_PER_BRIDGE)).min(u32::from(Seat::MAX))
    }

    /// Name of bridge `index`: `matrixos-net0`, or the instance's name in place of `matrixos`.
    pub fn bridge(&self, index: u16) -> String {
        format!("{}{index}", self.bridge_prefix())
    }

    /// Name of the firewall's tables; never a word of nft's own language.
    pub fn table(&self) -> String {
        format!("{}_net", self.instance)
    }

    /// MAC address of bridge `index`. Without one of its own a bridge takes over that of some port, so that computers
    /// would keep a stale address of their gateway.
    pub fn bridge_mac(&self, index: u16) -> [u8; 6] {
        let [high, low] = index.to_be_bytes();
        [0x02, 0x6d, 0x78, 0x01, high, low]
    }

    /// What the names of all bridges of this network begin with.
    pub fn bridge_prefix(&self) -> String {
        format!("{}-net", self.instance)
    }

    /// What the names of the host's ends of all veth pairs begin with.
    pub fn link_prefix(&self) -> String {
        format!("{}-v", self.instance)
    }

    /// The bridges that this pool has room for.
    pub fn bridges(&self) -> u16 {
        u16::try_from(self.capacity().div_ceil(u32::from(SEATS_PER_BRIDGE))).expect("a seat is a u16")
    }

    /// The leases of all seats of bridge `index`.
    pub fn leases_of(&self, index: u16) -> impl Iterator<Item = Lease> + '_ {
        let first = index.saturating_mul(SEATS_PER_BRIDGE);
        (1..=SEATS_PER_BRIDGE).filter_map(move |place| self.lease(Seat::new(first.checked_add(place)?).ok()?))
    }

    /// Subnet of bridge `index`.
    pub fn subnet(&self, index: u16) -> Ipv4Net {
        let base = u32::from(self.pool.network()) + (u32::from(index) << (32 - BRIDGE_PREFIX));
        Ipv4Net::new_assert(Ipv4Addr::from(base), BRIDGE_PREFIX)
    }

    /// Address of the host on bridge `index`: the first of its subnet.
    pub fn gateway(&self, index: u16) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.subnet(index).network()) + 1)
    }

    /// The lease of a seat; `None` if the pool is too small for it.
    pub fn lease(&self, seat: Seat) -> Option<Lease> {
        if u32::from(seat.number()) > self.capacity() {
            return None;
        }
        let index = (seat.number() - 1) / SEATS_PER_BRIDGE;
        let place = (seat.number() - 1) % SEATS_PER_BRIDGE;
        let address = u32::from(self.subnet(index).network()) + 2 + u32::from(place);
        let [high, low] = seat.number().to_be_bytes();
        Some(Lease {
            bridge_index: index,
            bridge: self.bridge(index),
            link: format!("{}{seat}", self.link_prefix()),
            address: Ipv4Addr::from(address),
            prefix: BRIDGE_PREFIX,
            gateway: self.gateway(index),
            gateway_mac: self.bridge_mac(index),
            mac: [0x02, 0x6d, 0x78, 0x00, high, low],
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn network(pool: &str) -> Network {
        Network::new(Instance::default(), pool.parse().expect("a network")).expect("a pool")
    }

    #[test]
    fn no_two_seats_share_an_address_a_link_or_a_mac() {
        let network = network("10.213.0.0/16");
        let leases: Vec<_> =
            (1..=Seat::MAX).map(|n| network.lease(Seat::new(n).expect("seat")).expect("room")).collect();
        let gateways: HashSet<_> = (0..32).map(|i| network.gateway(i)).collect();
        assert_eq!(leases.iter().map(|l| l.address).collect::<HashSet<_>>().len(), leases.len());
        assert_eq!(leases.iter().map(|l| &l.link).collect::<HashSet<_>>().len(), leases.len());
        assert_eq!(leases.iter().map(|l| l.mac).collect::<HashSet<_>>().len(), leases.len());
        for lease in &leases {
            assert!(lease.link.len() <= 15 && lease.bridge.len() <= 15);
            assert!(network.subnet(lease.bridge_index).contains(&lease.address));
            assert!(!gateways.contains(&lease.address));
            assert_ne!(lease.address, network.subnet(lease.bridge_index).broadcast());
        }
        assert_eq!(leases[999].bridge, "matrixos-net0");
        assert_eq!(leases[1000].bridge, "matrixos-net1");
    }

    #[test]
    fn a_seat_beyond_the_pool_has_no_lease() {
        let network = network("10.213.0.0/22");
        assert!(network.lease(Seat::new(1000).expect("seat")).is_some());
        assert!(network.lease(Seat::new(1001).expect("seat")).is_none());
    }

    #[test]
    fn only_private_pools_of_a_bridge_or_more_are_accepted() {
        let make = |pool: &str| Network::new(Instance::default(), pool.parse().expect("a network"));
        assert!(matches!(make("8.8.0.0/16"), Err(PoolError::Public(_))));
        assert!(matches!(make("10.1.0.0/24"), Err(PoolError::Small(_))));
        assert!(make("172.16.0.0/12").is_ok() && make("192.168.0.0/16").is_ok() && make("100.80.0.0/14").is_ok());
    }
}
