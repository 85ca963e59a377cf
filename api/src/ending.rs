//! The body of a computer's answer, which breaks off when the session ends for which it was given: a stream of events
//! must not outlive it.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

type BoxError = Box<dyn Error + Send + Sync>;

/// Breaking off is an error, so that half a file does not look like a whole one.
#[derive(Debug, thiserror::Error)]
#[error("the session has ended")]
struct Ended;

struct Ending<B> {
    inner: B,
    end: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// A body that breaks off once `until` is cancelled.
pub(crate) fn ending<B>(inner: B, until: &CancellationToken) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    if inner.is_end_stream() {
        return Body::empty();
    }
    Body::new(Ending { inner, end: Box::pin(until.clone().cancelled_owned()) })
}

impl<B> HttpBody for Ending<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(Ended.into())));
        }
        Pin::new(&mut self.inner).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::body::to_bytes;
    use tokio::time::timeout;

    use super::*;

    /// Says something once, and is then open for ever.
    struct Stream(Option<&'static str>);

    impl HttpBody for Stream {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.take().map_or(Poll::Pending, |text| Poll::Ready(Some(Ok(Frame::data(Bytes::from(text))))))
        }
    }

    #[tokio::test]
    async fn an_open_stream_breaks_off_with_an_error_when_the_session_ends() {
        let until = CancellationToken::new();
        let reading = tokio::spawn(to_bytes(ending(Stream(Some("event")), &until), 99));
        tokio::task::yield_now().await;
        assert!(!reading.is_finished(), "it is open");
        until.cancel();
        let read = timeout(Duration::from_secs(5), reading).await.expect("in time").expect("no panic");
        assert!(read.expect_err("not a whole body").to_string().contains("session has ended"));
    }

    #[tokio::test]
    async fn a_whole_body_passes_as_it_is() {
        let until = CancellationToken::new();
        let body = ending(Body::from("whole"), &until);
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(to_bytes(body, 99).await.expect("whole"), "whole");
    }
}
