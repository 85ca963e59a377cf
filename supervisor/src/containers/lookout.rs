//! Looking at a running computer now and then: what the kernel did to it, whether it works, whether it answers.

use std::time::Duration;

use tokio::time::Instant;

use super::{Computer, gateway};

/// How often a running computer is looked at.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// The least time between two looks.
const LEAST: Duration = Duration::from_secs(1);
/// How often it is asked whether it answers.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Unanswered questions in a row after which it counts as stuck.
const UNANSWERED: u32 = 3;
/// More CPU time than this part of one CPU is work. A gateway that nobody uses takes a hundredth of that.
const WORK: f64 = 0.02;

/// What had been counted at the latest look.
#[derive(Debug)]
pub(super) struct Lookout {
    oom_kills: u64,
    cpu_micros: u64,
    looked: Instant,
    asked: Instant,
    unanswered: u32,
}

/// What has happened since the latest look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// It has worked, so it is used.
    pub(super) works: bool,
    /// News for its owner.
    pub(super) news: Option<String>,
}

impl Lookout {
    /// Begins with what is counted now: what happened before is no news.
    pub(super) fn begin(computer: &Computer) -> Self {
        let usage = computer.usage().unwrap_or_default();
        let now = Instant::now();
        Self { oom_kills: usage.oom_kills, cpu_micros: usage.cpu_micros, looked: now, asked: now, unanswered: 0 }
    }

    /// How long until the next look is due.
    pub(super) fn next(&self) -> Duration {
        EVERY.saturating_sub(self.looked.elapsed())
    }

    /// Whether enough time has passed since the latest look for another to tell work from a moment's busyness.
    pub(super) fn is_time(&self) -> bool {
        self.looked.elapsed() >= LEAST
    }

    /// What has happened since the latest look.
    pub(super) fn look(&mut self, computer: &Computer) -> Sight {
        let time = self.looked.elapsed();
        self.looked = Instant::now();
        let Ok(usage) = computer.usage() else { return Sight::default() };
        let worked = Duration::from_micros(usage.cpu_micros.saturating_sub(self.cpu_micros));
        let killed = usage.oom_kills.saturating_sub(self.oom_kills);
        (self.oom_kills, self.cpu_micros) = (usage.oom_kills, usage.cpu_micros);
        Sight { works: worked > time.mul_f64(WORK), news: out_of_memory(killed, computer) }
    }

    /// Asks the gateway, when it is time to, whether it answers. False once it has not answered several times.
    pub(super) async fn answers(&mut self, computer: &Computer) -> bool {
        if self.asked.elapsed() < ASK_EVERY {
            return true;
        }
        self.asked = Instant::now();
        self.unanswered = if gateway::is_healthy(computer.address).await { 0 } else { self.unanswered + 1 };
        self.unanswered < UNANSWERED
    }
}

fn out_of_memory(killed: u64, computer: &Computer) -> Option<String> {
    let who = match killed {
        0 => return None,
        1 => "A program was ended".to_owned(),
        n => format!("{n} programs were ended"),
    };
    Some(format!("{who}: this computer had used up its {} of memory. Your files are safe.", computer.limits.memory))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use matrixos_runtime::cgroups::Groups;
    use matrixos_runtime::protocol::Limits;
    use matrixos_types::{ContainerId, Handle, Instance, Seat, UserId};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn computer(address: SocketAddr) -> Computer {
        Computer {
            container: ContainerId::random(),
            owner: UserId::random(),
            seat: Seat::new(1).expect("a seat"),
            handle: Handle::parse("alice").expect("a handle"),
            address,
            limits: Limits::default(),
            groups: Groups::of(&Instance::parse("nothing").expect("a name")),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_is_stuck_is_noticed_after_three_questions_and_one_that_recovers_is_forgiven() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let computer = computer(listener.local_addr().expect("an address"));
        // Deaf to the first two, then it answers once, then it is deaf for good.
        tokio::spawn(async move {
            let mut held = Vec::new();
            for question in 1.. {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                if question == 3 {
                    let _ = stream.read(&mut [0; 512]).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
                held.push(stream);
            }
        });
        let mut lookout = Lookout::begin(&computer);
        assert!(lookout.answers(&computer).await, "not yet asked");
        let mut answers = Vec::new();
        for _ in 0..6 {
            tokio::time::advance(ASK_EVERY).await;
            answers.push(lookout.answers(&computer).await);
        }
        assert_eq!(answers, [true, true, true, true, true, false]);
    }

    #[test]
    fn the_owner_reads_how_many_programs_were_ended() {
        let computer = computer(([127, 0, 0, 1], 1).into());
        assert_eq!(out_of_memory(0, &computer), None);
        assert!(
            out_of_memory(1, &computer)
                .expect("news")
                .starts_with("A program was ended: this computer had used up its 256.0 MiB")
        );
        assert!(out_of_memory(3, &computer).expect("news").starts_with("3 programs were ended"));
    }
}
