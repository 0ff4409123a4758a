//! Other programs, run so that they can neither hang us, flood us, nor see more of us than they must.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::host::HostError;

/// Where programs are looked for: never in a PATH that somebody else set.
const DIRECTORIES: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
const PATH: &str = "/usr/sbin:/sbin:/usr/bin:/bin";

/// How long a program may take unless told otherwise.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// No program we run has more to say.
const MOST_OUTPUT: usize = 8 << 20;

/// A daemon that was left behind may hold our pipes open for ever: what the program itself said is there by then.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output as text; bytes that are none are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Why it failed, in one line: its exit status, and the first lines of what it said.
    pub fn reason(&self) -> String {
        let said = if self.stderr.is_empty() {
            self.text()
        } else {
            self.complaint()
        };
        let ended = match self.status.code() {
            Some(code) => format!("exit status {code}"),
            None => self.status.to_string(),
        };
        match first_lines(&said) {
            lines if lines.is_empty() => ended,
            lines => format!("{ended}: {lines}"),
        }
    }
}

/// The first lines of a text from elsewhere, on one line and without anything a terminal would obey.
pub fn first_lines(text: &str) -> String {
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.trim().chars().take(300).flat_map(shown).collect())
        .filter(|line: &String| !line.is_empty())
        .take(5)
        .collect();
    lines.join(" / ")
}

fn shown(c: char) -> impl Iterator<Item = char> {
    let plain = !c.is_control() && (c.is_alphanumeric() || c.is_ascii());
    let (kept, escaped) = match plain {
        true => (Some(c), None),
        false => (None, Some(c.escape_unicode())),
    };
    kept.into_iter().chain(escaped.into_iter().flatten())
}

/// Runs a program that must succeed.
pub async fn run(program: &str, args: &[&str], stdin: Option<&[u8]>) -> Result<Output, HostError> {
    let output = ask(program, args, stdin, TIME_LIMIT).await?;
    match output.status.success() {
        true => Ok(output),
        false => Err(HostError::new(action(program, args), output.reason())),
    }
}

/// Runs a program of which every exit status is an answer.
pub async fn ask(
    program: &str,
    args: &[&str],
    stdin: Option<&[u8]>,
    limit: Duration,
) -> Result<Output, HostError> {
    let failed = |reason: String| HostError::new(action(program, args), reason);
    let path = find(program).ok_or_else(|| failed(missing(program)))?;
    let mut command = command(path, args, stdin);
    let mut child = command.spawn().map_err(|e| failed(e.to_string()))?;
    let group = Group::of(&child);
    let Ok(answer) = timeout(limit, converse(&mut child, stdin)).await else {
        drop(group);
        let seconds = limit.as_secs_f32();
        return Err(failed(format!(
            "no answer within {seconds} s; it was stopped"
        )));
    };
    if answer.is_ok() {
        group.leave_alone();
    }
    answer.map_err(failed)
}

/// The absolute path of a program, when it is installed.
pub fn find(program: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    if program.starts_with('/') {
        return Some(PathBuf::from(program)).filter(runs);
    }
    DIRECTORIES
        .iter()
        .map(|directory| PathBuf::from(directory).join(program))
        .find(runs)
}

fn command(path: PathBuf, args: &[&str], stdin: Option<&[u8]>) -> Command {
    let mut command = Command::new(path);
    command
        .args(args)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(stdin.map_or_else(Stdio::null, |_| Stdio::piped()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let us = std::process::id();
    // SAFETY: between fork and exec only system calls are made, which touch no memory of ours.
    unsafe {
        command.pre_exec(move || {
            // Nothing goes on changing the machine when we were killed and somebody else holds the lock. What it starts
            // for good, such as a daemon, does not inherit this. See PR_SET_PDEATHSIG(2const).
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid().cast_unsigned() != us {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            // Descriptors that we were started with are none of its business. Linux 5.11; older ones leave them open.
            libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            );
            // Ours is strict; a daemon started through it writes files that others must read.
            libc::umask(0o022);
            Ok(())
        });
    }
    command
}

/// Feeds and hears the program until it ends.
async fn converse(child: &mut Child, stdin: Option<&[u8]>) -> Result<Output, String> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut input = child.stdin.take();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = {
        let feed = async {
            if let (Some(pipe), Some(bytes)) = (input.as_mut(), stdin) {
                // One that does not want to hear it says so by its exit status.
                let _ = pipe.write_all(bytes).await;
            }
            drop(input.take());
            Ok(())
        };
        let talk = async {
            tokio::try_join!(feed, hear(out, &mut stdout), hear(err, &mut stderr)).map(|_| ())
        };
        tokio::pin!(talk);
        tokio::select! {
            heard = &mut talk => { heard?; child.wait().await }
            ended = child.wait() => { timeout(LAST_WORDS, &mut talk).await.unwrap_or(Ok(()))?; ended }
        }
    };
    let status = ended.map_err(|e| e.to_string())?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

async fn hear(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> Result<(), String> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut pipe = pipe.take(MOST_OUTPUT as u64 + 1);
    while pipe.read_buf(into).await.map_err(|e| e.to_string())? > 0 {}
    match into.len() > MOST_OUTPUT {
        true => Err("it said more than 8 MiB and was stopped".into()),
        false => Ok(()),
    }
}

fn action(program: &str, args: &[&str]) -> String {
    let words: Vec<_> = std::iter::once(&program).chain(args).copied().collect();
    let line: String = words.join(" ").chars().take(120).flat_map(shown).collect();
    format!("cannot run `{line}`")
}

/// Says which package has it, by Debian's names.
fn missing(program: &str) -> String {
    let package = match program {
        "dhcpd" => "isc-dhcp-server",
        "kea-dhcp4" => "kea-dhcp4-server",
        "exportfs" => "nfs-kernel-server",
        "nft" => "nftables",
        "unshare" => "util-linux",
        "modprobe" => "kmod",
        "systemctl" => "systemd",
        "service" => "init-system-helpers",
        "dnsmasq" | "ipvsadm" | "openssl" => program,
        _ => return "the program is not installed".into(),
    };
    format!("the program is not installed (package {package})")
}

/// The process group of a child, killed when we stop listening before it has ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.map(Pid::from_raw))
    }

    /// It has ended, and daemons that it left behind stay.
    fn leave_alone(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Gone already is as good.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sh(script: &str, stdin: Option<&[u8]>, limit: Duration) -> Result<Output, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let args = ["-c", script];
        let asked = runtime.block_on(ask("sh", &args, stdin, limit));
        asked.map_err(|error| error.to_string())
    }

    #[test]
    fn what_it_says_and_how_it_ends_is_heard() {
        let output = sh("cat; echo no >&2; exit 3", Some(b"yes"), TIME_LIMIT).unwrap();
        assert_eq!(
            (output.text().as_str(), output.reason().as_str()),
            ("yes", "exit status 3: no")
        );
        let killed = sh("kill -9 $$", None, TIME_LIMIT).unwrap();
        assert!(killed.reason().contains("signal: 9"), "{}", killed.reason());
    }

    #[test]
    fn input_that_nobody_reads_does_no_harm() {
        assert!(
            sh("exit 0", Some(&[0; 1 << 20]), TIME_LIMIT)
                .unwrap()
                .status
                .success()
        );
    }

    #[test]
    fn it_sees_nothing_of_us() {
        let output = sh("env | sort; pwd; ls /proc/self/fd", None, TIME_LIMIT).unwrap();
        let said = output.text();
        let lines: Vec<_> = said
            .lines()
            .filter(|it| !it.starts_with("PWD=") && !it.starts_with("_="))
            .collect();
        assert_eq!(
            lines[..3],
            ["LC_ALL=C", &format!("PATH={PATH}"), "/"],
            "{said}"
        );
        // 3 is the directory that ls reads.
        assert_eq!(lines[lines.len() - 4..], ["0", "1", "2", "3"], "{said}");
    }

    #[test]
    fn one_that_hangs_is_stopped_with_its_children() {
        let mark = format!("{}.4242", 3000 + std::process::id() % 1000);
        let start = Instant::now();
        let error = sh(
            &format!("sleep {mark} & sleep {mark}; :"),
            None,
            Duration::from_millis(300),
        )
        .unwrap_err();
        assert!(
            error.contains("no answer within 0.3 s") && start.elapsed() < Duration::from_secs(5),
            "{error}"
        );
        std::thread::sleep(Duration::from_millis(100));
        let left = std::process::Command::new("pgrep")
            .args(["-f", &format!("^sleep {mark}")])
            .output()
            .unwrap();
        assert!(left.stdout.is_empty(), "{left:?}");
    }

    /// The kernel means the thread that started it, and a thread is ended more easily than we are.
    #[test]
    fn it_does_not_outlive_us() {
        let started = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            let sleep = find("sleep").unwrap();
            let child = runtime.block_on(async { command(sleep, &["60"], None).spawn().unwrap() });
            let id = child.id().unwrap();
            std::mem::forget(child);
            id
        });
        let id = started.join().unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let start = Instant::now();
        while !state().is_empty() && !state().contains(") Z ") {
            assert!(start.elapsed() < Duration::from_secs(10), "{}", state());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn one_that_floods_us_is_stopped() {
        let error = sh("exec yes", None, TIME_LIMIT).unwrap_err();
        assert!(error.contains("more than 8 MiB"), "{error}");
    }

    #[test]
    fn a_daemon_that_keeps_our_pipes_open_is_neither_waited_for_nor_stopped() {
        let start = Instant::now();
        let output = sh("setsid sleep 5 & echo $!", None, TIME_LIMIT).unwrap();
        assert!(start.elapsed() < Duration::from_secs(3));
        let pid = output.text().trim().parse().unwrap();
        nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }

    #[test]
    fn one_that_is_not_installed_is_named_with_its_package() {
        assert_eq!(find("no/such"), None);
        assert_eq!(
            missing("exportfs"),
            "the program is not installed (package nfs-kernel-server)"
        );
        assert!(find("sh").unwrap().is_absolute());
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_passed_on() {
        assert_eq!(
            first_lines("\u{1b}[2Ja\r\n\n  b\u{202e}ü\n"),
            "\\u{1b}[2Ja / b\\u{202e}ü"
        );
    }
}
