//! The few rtnetlink requests that are needed, each blocking, each with the step it belongs to in its error.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use futures_util::TryStreamExt;
use rtnetlink::packet_route::link::{InfoBridge, InfoData, InfoVeth, LinkAttribute, LinkMessage};
use rtnetlink::packet_route::neighbour::{NeighbourFlags, NeighbourState};
use rtnetlink::{Handle, LinkBridge, LinkBridgePort, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

/// A network step that failed.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The kernel refused a request.
    #[error("{step}: {source}")]
    Kernel {
        /// Which step.
        step: &'static str,
        /// Why.
        source: rtnetlink::Error,
    },
    /// A system call failed.
    #[error("{step}: {source}")]
    System {
        /// Which step.
        step: &'static str,
        /// Why.
        source: io::Error,
    },
    /// nft did not load the rules.
    #[error("loading the firewall: {0}")]
    Firewall(String),
    /// A link that was just made is not there.
    #[error("{0}: the link is not there")]
    Missing(&'static str),
}

/// Names the step of a failed system call.
pub(crate) fn at<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> NetError {
    move |source| NetError::System { step, source: source.into() }
}

fn refused(step: &'static str) -> impl FnOnce(rtnetlink::Error) -> NetError {
    move |source| NetError::Kernel { step, source }
}

/// A netlink socket in the calling thread's network namespace, with a runtime of its own.
pub(crate) struct Netlink {
    runtime: tokio::runtime::Runtime,
    handle: Handle,
}

/// A link as listed.
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
}

impl Netlink {
    pub(crate) fn open() -> Result<Self, NetError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(at("netlink runtime"))?;
        let guard = runtime.enter();
        let (connection, handle, _) = rtnetlink::new_connection().map_err(at("netlink socket"))?;
        runtime.spawn(connection);
        drop(guard);
        Ok(Self { runtime, handle })
    }

    /// The link of that name, if there is one.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Link>, NetError> {
        let mut links = self.handle.link().get().match_name(name.to_owned()).execute();
        match self.runtime.block_on(links.try_next()) {
            Ok(found) => Ok(found.map(link)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(refused("find link")(error)),
        }
    }

    /// Every link of this namespace.
    pub(crate) fn all(&self) -> Result<Vec<Link>, NetError> {
        let links = self.handle.link().get().execute().map_ok(link).try_collect();
        self.runtime.block_on(links).map_err(refused("list links"))
    }

    /// Makes a bridge that forwards at once and does not snoop multicast; fine if it exists.
    pub(crate) fn add_bridge(&self, name: &str, mac: [u8; 6]) -> Result<(), NetError> {
        let data = InfoData::Bridge(vec![InfoBridge::ForwardDelay(0)]);
        let message =
            LinkMessageBuilder::<LinkBridge>::new(name).set_info_data(data).address(mac.to_vec()).up().build();
        ignore_existing(self.runtime.block_on(self.handle.link().add(message).execute()))
            .map_err(refused("make bridge"))
    }

    /// Gives a link an address; fine if it has it.
    pub(crate) fn add_address(&self, index: u32, address: Ipv4Addr, prefix: u8) -> Result<(), NetError> {
        let request = self.handle.address().add(index, IpAddr::V4(address), prefix).execute();
        ignore_existing(self.runtime.block_on(request)).map_err(refused("give address"))
    }

    /// Makes a veth pair: `name` here with that MAC, `peer` in another namespace.
    pub(crate) fn add_pair(&self, name: &str, mac: [u8; 6], peer: &str, there: BorrowedFd<'_>) -> Result<(), NetError> {
        let there = LinkMessageBuilder::<LinkUnspec>::new().name(peer).setns_by_fd(there.as_raw_fd()).build();
        let here = LinkMessageBuilder::<LinkVeth>::new(name, peer)
            .set_info_data(InfoData::Veth(InfoVeth::Peer(there)))
            .address(mac.to_vec())
            .up()
            .build();
        self.runtime.block_on(self.handle.link().add(here).execute()).map_err(refused("make veth pair"))
    }

    /// Switches a link on.
    pub(crate) fn up(&self, index: u32) -> Result<(), NetError> {
        let message = LinkUnspec::new_with_index(index).up().build();
        self.runtime.block_on(self.handle.link().set(message).execute()).map_err(refused("switch link on"))
    }

    /// Makes a link a port of a bridge, isolated from the other isolated ports, and switches it on. The bridge learns
    /// nothing from it: it is told the one address behind the port, and passes nothing else there of what came by another.
    pub(crate) fn plug(&self, port: u32, bridge: u32, mac: [u8; 6]) -> Result<(), NetError> {
        let enslave = LinkUnspec::new_with_index(port).controller(bridge).build();
        self.runtime.block_on(self.handle.link().set(enslave).execute()).map_err(refused("join bridge"))?;
        // `link().set()` would answer OK and change nothing: port settings have a request of their own.
        let isolate = LinkBridgePort::new(port).isolated(true).learning(false).flood(false);
        let isolate = isolate.mcast_flood(false).bcast_flood(false).build();
        self.runtime.block_on(self.handle.link().set_port(isolate).execute()).map_err(refused("isolate port"))?;
        let known = self.handle.neighbours().add_bridge(port, &mac).state(NeighbourState::Noarp);
        let known = known.flags(NeighbourFlags::Controller).replace();
        self.runtime.block_on(known.execute()).map_err(refused("tell the bridge an address"))?;
        self.up(port)
    }

    /// Tells a link who has these addresses, for good: nobody has to be asked, and no table of neighbours overflows.
    pub(crate) fn know(
        &self,
        index: u32,
        neighbours: impl Iterator<Item = (Ipv4Addr, [u8; 6])>,
    ) -> Result<(), NetError> {
        let handle = self.handle.neighbours();
        let told = self.runtime.block_on(async {
            for (address, mac) in neighbours {
                let known = handle.add(index, address.into()).link_layer_address(&mac);
                known.state(NeighbourState::Permanent).replace().execute().await?;
            }
            Ok(())
        });
        told.map_err(refused("tell a link its neighbours"))
    }

    /// Sends everything that is not local through `gateway`.
    pub(crate) fn default_route(&self, gateway: Ipv4Addr) -> Result<(), NetError> {
        let route = RouteMessageBuilder::<Ipv4Addr>::new().gateway(gateway).build();
        self.runtime.block_on(self.handle.route().add(route).execute()).map_err(refused("default route"))
    }

    /// Writes a link's alias.
    pub(crate) fn set_alias(&self, index: u32, alias: &str) -> Result<(), NetError> {
        let message = LinkUnspec::new_with_index(index).alias(alias).build();
        self.runtime.block_on(self.handle.link().set(message).execute()).map_err(refused("mark bridge"))
    }

    /// Removes a link; fine if it is gone.
    pub(crate) fn remove(&self, index: u32) -> Result<(), NetError> {
        match self.runtime.block_on(self.handle.link().del(index).execute()) {
            Err(error) if !is_absent(&error) => Err(refused("remove link")(error)),
            _ => Ok(()),
        }
    }
}

fn link(message: LinkMessage) -> Link {
    let mut link = Link { index: message.header.index, name: String::new(), alias: None };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::IfAlias(alias) => link.alias = Some(alias),
            _ => {}
        }
    }
    link
}

fn code(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.code.map(|code| -code.get()),
        _ => None,
    }
}

fn is_absent(error: &rtnetlink::Error) -> bool {
    code(error) == Some(nix::errno::Errno::ENODEV as i32)
}

fn ignore_existing(result: Result<(), rtnetlink::Error>) -> Result<(), rtnetlink::Error> {
    match result {
        Err(error) if code(&error) == Some(nix::errno::Errno::EEXIST as i32) => Ok(()),
        other => other,
    }
}
