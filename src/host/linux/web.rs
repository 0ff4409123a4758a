//! Files of a web server, of others and of ours.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode, Uri, client, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The largest kernels and initrds of installers have a few hundred MiB.
const LARGEST: usize = 2 << 30;

/// A server that is silent for longer is not there for an installer either.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands in a log, and in the one before it, which is there when it was rotated; nothing where there is none.
pub fn log(path: &str) -> String {
    let logs = [format!("{path}.1"), path.to_owned()];
    let read = |it: &String| fs::read_to_string(it).unwrap_or_default();
    logs.iter().map(read).collect()
}

/// Brings what stands at an `http` URL into a file that everybody may read. The file is whole, or as it was. Why it
/// cannot be had, as the rest of a sentence that starts with the URL.
pub async fn fetch(url: &str, file: &Path) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|error| format!("is no URL: {error}"))?;
    let stream = TcpStream::connect((uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80)));
    let stream = patiently(stream).await?;
    let (mut sender, connection) =
        patiently(client::conn::http1::handshake(TokioIo::new(stream))).await?;
    let asked = async {
        let answer = patiently(sender.send_request(get(&uri)?)).await?;
        match answer.status() {
            StatusCode::OK => receive(answer, file).await,
            other => Err(format!("answers {other}")),
        }
    };
    // The connection is driven until the file is there, and dropped with it.
    tokio::pin!(asked);
    tokio::select! {
        done = &mut asked => done,
        _ = connection => asked.await,
    }
}

fn get(uri: &Uri) -> Result<Request<Empty<Bytes>>, String> {
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    Request::builder()
        .uri(path)
        .header(header::HOST, uri.host().unwrap_or_default())
        .body(Empty::new())
        .map_err(|error| error.to_string())
}

async fn receive(mut answer: Response<Incoming>, file: &Path) -> Result<(), String> {
    let not_written = |error: io::Error| format!("cannot be kept in {}: {error}", file.display());
    let directory = file.parent().unwrap_or(file);
    fs::create_dir_all(directory).map_err(not_written)?;
    let mut copy = tempfile::NamedTempFile::new_in(directory).map_err(not_written)?;
    let mut room = LARGEST;
    while let Some(next) = timeout(PATIENCE, answer.frame())
        .await
        .map_err(|_| silent())?
    {
        let frame = next.map_err(|error| format!("broke off: {error}"))?;
        let bytes: &[u8] = frame.data_ref().map_or(&[], |it| it);
        room = room
            .checked_sub(bytes.len())
            .ok_or_else(|| format!("is larger than {} MiB", LARGEST >> 20))?;
        copy.write_all(bytes).map_err(not_written)?;
    }
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o644)).map_err(not_written)?;
    copy.persist(file)
        .map_err(|error| not_written(error.error))?;
    Ok(())
}

async fn patiently<T, E: std::fmt::Display>(
    what: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    let done = timeout(PATIENCE, what).await.map_err(|_| silent())?;
    done.map_err(|error| format!("does not answer: {error}"))
}

fn silent() -> String {
    format!("does not answer within {} s", PATIENCE.as_secs())
}
