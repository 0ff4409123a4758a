//! `hash-password`: what a file that `rootPasswordFile` names holds.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use clap::Args;
use nix::sys::termios::{
    LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use sha_crypt::{ROUNDS_DEFAULT, Sha512Params, sha512_crypt_b64};

use crate::error::{Error, Success};

const EXAMPLES: &str = "\
Example:
  (umask 077; lvs-reconcile hash-password > /etc/lvs-reconcile/secrets/root.hash)

The document refers to that file: \"rootPasswordFile\": \"/etc/lvs-reconcile/secrets/root.hash\".
A password is never an argument: every user of the machine could read it there.";

/// The characters of a salt: 64, so that six bits choose one and none is likelier than another.
const SALT: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// As libc's crypt(3) reads: what is longer costs time without end.
const LONGEST: u64 = 512;

/// Ctrl-C. At the prompt it ends the line, so that the terminal is never left without echo.
const INTERRUPT: u8 = 3;

/// Arguments of `hash-password`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HashPassword {
    /// How often the hash is repeated: so much slower is guessing it. 5000 is every system's own.
    #[arg(long, default_value_t = ROUNDS_DEFAULT as u32, value_parser = clap::value_parser!(u32).range(1000..=999_999_999))]
    rounds: u32,
}

impl HashPassword {
    pub fn run(self) -> Result<Success, Error> {
        let password = match io::stdin().is_terminal() {
            true => asked_twice()?,
            false => first_line()?,
        };
        let hash = hashed(&password, &salt()?, self.rounds)?;
        super::print(&format!("{hash}\n"));
        Ok(Success::Done)
    }
}

/// sha512-crypt, which every system that we install can check.
fn hashed(password: &[u8], salt: &str, rounds: u32) -> Result<String, Error> {
    let failed = || usage("cannot hash the password");
    let params = Sha512Params::new(rounds as usize).map_err(|_| failed())?;
    let hash = sha512_crypt_b64(password, salt.as_bytes(), &params).map_err(|_| failed())?;
    Ok(match rounds as usize == ROUNDS_DEFAULT {
        true => format!("$6${salt}${hash}"),
        false => format!("$6$rounds={rounds}${salt}${hash}"),
    })
}

/// Sixteen characters, the most that crypt(3) uses.
fn salt() -> Result<String, Error> {
    let mut bytes = [0; 16];
    let random = std::fs::File::open("/dev/urandom").and_then(|mut it| it.read_exact(&mut bytes));
    random.map_err(|error| usage(format!("cannot read /dev/urandom: {error}")))?;
    Ok(bytes
        .iter()
        .map(|it| char::from(SALT[usize::from(*it) % SALT.len()]))
        .collect())
}

fn first_line() -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    let mut input = io::stdin().lock().take(LONGEST + 2);
    input
        .read_until(b'\n', &mut line)
        .map_err(|error| usage(format!("cannot read standard input: {error}")))?;
    checked(line)
}

/// A password without the end of its line.
fn checked(mut line: Vec<u8>) -> Result<Vec<u8>, Error> {
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    match line.as_slice() {
        [] => Err(usage("the password is empty")),
        it if it.len() as u64 > LONGEST => {
            Err(usage(format!("the password has more than {LONGEST} bytes")))
        }
        // Who could ever type it at a login?
        it if it.iter().any(u8::is_ascii_control) => {
            Err(usage("the password contains a control character"))
        }
        _ => Ok(line),
    }
}

fn asked_twice() -> Result<Vec<u8>, Error> {
    let first = checked(asked("Password: ")?)?;
    match asked("The same again: ")? == [first.as_slice(), b"\n"].concat() {
        true => Ok(first),
        false => Err(usage("the two are not the same")),
    }
}

/// A line of the terminal, which does not show it.
fn asked(prompt: &str) -> Result<Vec<u8>, Error> {
    let told = |error: io::Error| usage(format!("cannot ask on this terminal: {error}"));
    let _silence = Silence::begin().map_err(told)?;
    let mut out = io::stderr();
    out.write_all(prompt.as_bytes())
        .and_then(|()| out.flush())
        .map_err(told)?;
    let mut line = Vec::new();
    for byte in io::stdin().lock().bytes() {
        line.push(byte.map_err(told)?);
        match line.last() {
            Some(&INTERRUPT) => return Err(usage("interrupted")),
            Some(b'\n') => break,
            _ => {}
        }
    }
    Ok(line)
}

/// A terminal that shows nothing of what is typed but the end of the line, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ISIG);
        silent.local_flags.insert(LocalFlags::ECHONL);
        silent.control_chars[SpecialCharacterIndices::VEOL as usize] = INTERRUPT;
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Nothing is left to try when the terminal is gone.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::Usage(message.into())
}
