//! The peer that is compared with: a reverse proxy of the same parts that reads, counts and writes down nothing.

use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use matrixos_proxy::listen;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Failure, announce};

pub(crate) async fn serve(provider: SocketAddr) -> Result<(), Failure> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(listener.local_addr()?, &[]);
    let answer = move |request, _| pass(client.clone(), provider, request);
    listen::serve(listener, listen::Limits::default(), answer, CancellationToken::new()).await;
    Ok(())
}

async fn pass(
    client: Client<HttpConnector, Incoming>,
    provider: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let there = Uri::builder().scheme("http").authority(provider.to_string()).path_and_query("/v1/messages").build();
    parts.uri = there.unwrap_or_default();
    parts.headers.remove("host");
    match client.request(Request::from_parts(parts, body)).await {
        Ok(response) => response.map(Body::new),
        Err(_) => {
            let mut failed = Response::new(Body::empty());
            *failed.status_mut() = StatusCode::BAD_GATEWAY;
            failed
        }
    }
}
