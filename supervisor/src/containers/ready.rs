//! Readiness: a container counts as running once its gateway answers `GET /health`.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::sleep;

use super::gateway::is_healthy;

/// First and longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(25));
/// Returns when the gateway at `address` has answered 200. Never gives up: the caller sets the deadline.
pub(super) async fn until_ready(address: SocketAddr) {
    let mut pause = PAUSES.0;
    while !is_healthy(address).await {
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn only_a_gateway_that_answers_200_is_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            for answer in
                ["", "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]
            {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.read(&mut [0; 512]).await;
                stream.write_all(answer.as_bytes()).await.expect("written");
            }
        });
        timeout(Duration::from_secs(20), until_ready(address)).await.expect("ready at the third try");
        server.await.expect("all three tries were made");
    }
}
