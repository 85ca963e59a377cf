//! Who speaks at the platform's door for computers: a container, known by its address and its credential together.

use std::net::IpAddr;

use matrixos_types::UserId;
use subtle::ConstantTimeEq;

use super::{Computer, Containers};

/// Evidence that a request comes from a container: only [`Containers::resident`] makes it.
#[derive(Clone, Debug)]
pub struct Resident {
    computer: Computer,
}

impl Resident {
    /// Its computer.
    pub fn computer(&self) -> &Computer {
        &self.computer
    }

    /// Its owner.
    pub fn owner(&self) -> UserId {
        self.computer.owner
    }
}

impl Containers {
    /// The container that asks from `address` and shows `credential`. Both must be the same one's: a credential that was
    /// carried away is good for nothing, and neither is an address without it.
    pub fn resident(&self, address: IpAddr, credential: &[u8]) -> Option<Resident> {
        let computer = self.at(address)?;
        let expected = self.world.key.credential(&computer.container);
        bool::from(expected.0.as_bytes().ct_eq(credential)).then_some(Resident { computer })
    }

    fn at(&self, address: IpAddr) -> Option<Computer> {
        let container = self.addresses().get(&address).cloned()?;
        self.tasks().get(&container).map(|task| task.computer.clone())
    }
}
