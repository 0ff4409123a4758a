//! The control socket of Kea: one command in JSON, one answer, the connection ends.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Where our configuration puts it, and Debian's own.
const SOCKET: &str = "/run/kea/kea4-ctrl-socket";

/// Ten thousand reservations are taken up within seconds.
const LIMIT: Duration = Duration::from_secs(30);

/// Nothing that it answers is larger: its configuration, with every default written out.
const MOST: u64 = 64 << 20;

/// Why there is no answer that could be used.
#[derive(Debug)]
pub enum Mute {
    /// Nobody listens.
    Absent,
    /// It says no, or nothing that could be understood.
    Refused(String),
}

/// Asks the server; what it answers is its `arguments`.
pub async fn ask(command: &str, arguments: Option<&Value>) -> Result<Value, Mute> {
    let Ok(socket) = UnixStream::connect(SOCKET).await else {
        return Err(Mute::Absent);
    };
    let mut question = json!({ "command": command });
    if let Some(arguments) = arguments {
        question["arguments"] = arguments.clone();
    }
    let answer = match timeout(LIMIT, converse(socket, &question)).await {
        Ok(answer) => answer.map_err(|error| Mute::Refused(error.to_string()))?,
        Err(_) => {
            let seconds = LIMIT.as_secs();
            return Err(Mute::Refused(format!("no answer within {seconds} s")));
        }
    };
    understood(&answer)
}

/// Has it try a configuration, whole, and when it refuses that without its interfaces: it knows those that were there
/// when it last read its file, and the plan that brings the configuration may make them.
pub async fn test(config: &Value) -> Result<(), Mute> {
    match ask("config-test", Some(config)).await {
        Err(Mute::Refused(reason)) => {
            let without = without_interfaces(config.clone());
            let again = ask("config-test", Some(&without)).await;
            again.map(drop).map_err(|_| Mute::Refused(reason))
        }
        answer => answer.map(drop),
    }
}

/// The configuration of a server that listens nowhere.
pub fn without_interfaces(mut config: Value) -> Value {
    let dhcp4 = &mut config["Dhcp4"];
    dhcp4["interfaces-config"]["interfaces"] = json!([]);
    for subnet in dhcp4["subnet4"].as_array_mut().into_iter().flatten() {
        if let Some(subnet) = subnet.as_object_mut() {
            subnet.remove("interface");
        }
    }
    config
}

async fn converse(mut socket: UnixStream, question: &Value) -> std::io::Result<Vec<u8>> {
    socket.write_all(question.to_string().as_bytes()).await?;
    let mut answer = Vec::new();
    socket.take(MOST).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// `{"result": 0, "text": …, "arguments": …}`; any other result is a refusal.
fn understood(answer: &[u8]) -> Result<Value, Mute> {
    let mut answer: Value = serde_json::from_slice(answer)
        .map_err(|error| Mute::Refused(format!("its answer cannot be understood: {error}")))?;
    match answer["result"].as_i64() {
        Some(0) => Ok(answer["arguments"].take()),
        _ => Err(Mute::Refused(super::child::first_lines(
            answer["text"].as_str().unwrap_or("it does not say why"),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_result_0_is_a_yes() {
        let yes = understood(br#"{ "result": 0, "arguments": { "Dhcp4": {} } }"#).unwrap();
        assert_eq!(yes, json!({ "Dhcp4": {} }));
        for no in [
            r#"{ "result": 1, "text": "bad\nline" }"#,
            r#"{ "text": "x" }"#,
            "",
            "[]",
        ] {
            assert!(
                matches!(understood(no.as_bytes()), Err(Mute::Refused(_))),
                "{no}"
            );
        }
    }
}
