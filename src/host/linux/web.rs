//! Whether a URL answers.

use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, Uri, client, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A server that takes longer is not there for an installer either.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks for the head of an `http` URL; why it cannot be had, as the rest of a sentence.
pub async fn answers(url: &str) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|error| format!("is no URL: {error}"))?;
    match timeout(LIMIT, status(&uri)).await {
        Err(_) => Err("does not answer within 10 s".to_owned()),
        Ok(Err(why)) => Err(format!("does not answer: {why}")),
        Ok(Ok(StatusCode::OK)) => Ok(()),
        Ok(Ok(other)) => Err(format!("answers {other}")),
    }
}

async fn status(uri: &Uri) -> Result<StatusCode, String> {
    let host = uri.host().unwrap_or_default();
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80)))
        .await
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    let request = Request::builder()
        .method(Method::HEAD)
        .uri(path)
        .header(header::HOST, host)
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    // The connection is driven until the answer is there, and dropped with it.
    tokio::select! {
        answer = sender.send_request(request) => answer.map(|it| it.status()).map_err(|error| failed(&error)),
        ended = connection => Err(ended.map_or_else(|error| failed(&error), |()| "it hung up".to_owned())),
    }
}
