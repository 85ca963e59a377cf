//! The walls of the network, kept up while the launcher lives: somebody may flush the firewall, or reload the host's own
//! rules over ours. The kernel numbers every change, so a look that finds nothing new costs one message.

use std::time::{Duration, Instant};

use matrixos_netns::{apply, observe};
use matrixos_runtime::protocol::{Answer, Failure, FailureKind};

use crate::house::House;
use crate::jobs::Jobs;

/// How often the number is asked for.
const EVERY: Duration = Duration::from_secs(2);

/// What is remembered between two looks.
pub(crate) struct Watch {
    looked: Instant,
    /// The generation of the firewall at which the walls were last seen to.
    generation: Option<u32>,
    /// Repairs that failed, one after the other: each doubles the pause, up to a minute.
    failures: u32,
}

impl Watch {
    /// To be made when the walls have just been loaded.
    pub(crate) fn begin() -> Self {
        Self { looked: Instant::now(), generation: None, failures: 0 }
    }

    /// Looks whether the firewall was changed, by whomever; if so, a child sees to the walls.
    pub(crate) fn look(&mut self, house: &House, jobs: &mut Jobs) {
        if self.looked.elapsed() < EVERY * 2u32.pow(self.failures.min(5)) {
            return;
        }
        self.looked = Instant::now();
        match observe::generation() {
            Ok(generation) if self.generation == Some(generation) => {}
            Ok(generation) => match jobs.see_to_walls(house) {
                // Taken before the walls are looked at: a change in the meantime is seen at the next look.
                Ok(true) => self.generation = Some(generation),
                Ok(false) => {}
                Err(error) => eprintln!("matrixos launcher: no child to look at the firewall with: {error}"),
            },
            Err(error) => eprintln!("matrixos launcher: the firewall's generation cannot be read: {error}"),
        }
    }

    /// The child has ended. What failed is tried again at the next look.
    pub(crate) fn seen(&mut self, outcome: Result<Answer, Failure>) {
        self.failures = if outcome.is_ok() { 0 } else { self.failures + 1 };
        if let Err(error) = outcome {
            eprintln!("matrixos launcher: the walls of the network could not be repaired: {error}; trying again");
            self.generation = None;
        }
    }
}

/// Compares the firewall with the plan and loads it anew where it is another.
pub(crate) fn see_to(house: &House) -> Result<(), Failure> {
    let services = &house.config.services;
    if apply::stands(&house.network, services).map_err(failed)? {
        return Ok(());
    }
    let table = house.network.table();
    apply::reload(&house.network, 0, services).map_err(failed)?;
    eprintln!("matrixos launcher: somebody removed or changed the firewall tables {table}; they are loaded anew");
    // Or each load would be taken for a change by somebody else.
    if apply::stands(&house.network, services).map_err(failed)? {
        return Ok(());
    }
    Err(failed(format!("the tables {table} are not as they were loaded; see who changes them with `nft monitor`")))
}

fn failed(message: impl ToString) -> Failure {
    Failure { kind: FailureKind::Failed, step: "walls".to_owned(), message: message.to_string() }
}
