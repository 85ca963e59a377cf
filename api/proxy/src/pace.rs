//! Bodies that have to come at a pace: whoever sends one byte a minute must not hold a connection for ever.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// For how long a body may be waited for, all waits taken together, however little of it comes.
const GRACE: Duration = Duration::from_secs(30);
/// What has come earns more time, at this rate; the worst of telephones is faster.
const BYTES_PER_SECOND: u64 = 500;

/// The sender was waited for in vain.
#[derive(Debug, thiserror::Error)]
#[error("the request's body came too slowly; please send it again over a better connection")]
pub struct TooSlow;

/// A body that ends with [`TooSlow`] when its sender dawdles. Only waiting for the sender counts, not the time in which
/// nobody asks for more because the receiver is busy.
pub struct Paced<B> {
    body: B,
    received: u64,
    waited: Duration,
    /// Since when the sender is waited for, and when that will have been too long.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Paced<B> {
    /// A body as it comes from the network.
    pub fn new(body: B) -> Self {
        Self { body, received: 0, waited: Duration::ZERO, waiting: None }
    }

    fn patience(&self) -> Duration {
        let earned = Duration::from_millis(self.received.saturating_mul(1_000) / BYTES_PER_SECOND);
        (GRACE + earned).saturating_sub(self.waited)
    }

    fn came(&mut self, frame: &Frame<Bytes>) {
        self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
    }
}

impl<B> Body for Paced<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.came(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => Poll::Ready(end.map(|failed| failed.map_err(Into::into))),
            Poll::Pending => {
                let patience = self.patience();
                let (_, enough) = self.waiting.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(sleep_until(now + patience)))
                });
                enough.as_mut().poll(cx).map(|()| Some(Err(TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::BodyExt;
    use tokio::sync::mpsc::{Receiver, channel};
    use tokio::time::{pause, sleep};

    use super::*;

    struct Sent(Receiver<Bytes>);

    impl Body for Sent {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
        }
    }

    /// Sends so many pieces of that size with that pause before each; gives how many bytes came, and for how long.
    async fn send(pieces: usize, size: usize, every: Duration) -> (Result<usize, String>, Duration) {
        let (to, from) = channel(1);
        tokio::spawn(async move {
            for _ in 0..pieces {
                sleep(every).await;
                if to.send(Bytes::from(vec![b'x'; size])).await.is_err() {
                    return;
                }
            }
        });
        let begun = Instant::now();
        let got = Paced::new(Sent(from)).collect().await;
        (got.map(|whole| whole.to_bytes().len()).map_err(|e| e.to_string()), begun.elapsed())
    }

    /// Tokio's timers count whole milliseconds.
    fn is_about(expected: Duration, after: Duration) -> bool {
        (expected..expected + Duration::from_secs(1)).contains(&after)
    }

    #[tokio::test]
    async fn whoever_sends_next_to_nothing_is_waited_for_half_a_minute_in_all() {
        pause();
        let (got, after) = send(1_000, 1, Duration::from_secs(2)).await;
        assert!(got.is_err_and(|e| e.contains("too slowly")));
        assert!(is_about(GRACE, after), "{after:?}");
        let (silent, after) = send(1, 1, Duration::from_secs(3_600)).await;
        assert!(silent.is_err() && is_about(GRACE, after), "{after:?}");
    }

    #[tokio::test]
    async fn whoever_sends_slowly_but_steadily_may_take_as_long_as_it_takes() {
        pause();
        let (got, after) = send(1_000, 1_200, Duration::from_secs(2)).await;
        assert_eq!(got, Ok(1_200_000));
        assert!(after >= Duration::from_secs(2_000), "{after:?}");
    }

    #[tokio::test]
    async fn the_receivers_own_slowness_is_not_held_against_the_sender() {
        pause();
        let (to, from) = channel(3);
        for _ in 0..3 {
            to.send(Bytes::from_static(b"x")).await.expect("there is room");
        }
        drop(to);
        let mut body = Paced::new(Sent(from));
        for _ in 0..3 {
            sleep(GRACE * 2).await;
            assert!(body.frame().await.is_some_and(|frame| frame.is_ok()));
        }
        assert!(body.frame().await.is_none());
    }
}
