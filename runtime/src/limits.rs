//! The sizes of a container, brought within what a machine can mean by them.

use matrixos_types::Bytes;

use crate::protocol::Limits;

const MEMORY: (Bytes, Bytes) = (Bytes::mib(64), Bytes::mib(64 * 1024));
const CPU_MILLI: (u32, u32) = (50, 64_000);
const PIDS: (u32, u32) = (16, 32_768);

impl Limits {
    /// The limits, each brought within its documented range. Whole pages of memory, since the kernel counts pages.
    pub fn clamped(self) -> Self {
        let memory = self.memory.clamp(MEMORY.0, MEMORY.1).0;
        Self {
            memory: Bytes(memory - memory % 4_096),
            cpu_milli: self.cpu_milli.clamp(CPU_MILLI.0, CPU_MILLI.1),
            pids: self.pids.clamp(PIDS.0, PIDS.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stay_within_their_documented_ranges() {
        let least = Limits { memory: Bytes(0), cpu_milli: 0, pids: 0 }.clamped();
        assert_eq!(least, Limits { memory: Bytes::mib(64), cpu_milli: 50, pids: 16 });
        let most = Limits { memory: Bytes(u64::MAX), cpu_milli: u32::MAX, pids: u32::MAX }.clamped();
        assert_eq!(most, Limits { memory: Bytes::mib(65_536), cpu_milli: 64_000, pids: 32_768 });
        assert_eq!(Limits::default().clamped(), Limits::default());
        assert_eq!(
            Limits { memory: Bytes(Bytes::mib(100).0 + 1), ..Limits::default() }.clamped().memory,
            Bytes::mib(100)
        );
    }
}
