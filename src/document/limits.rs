//! Limits that hold before anything is parsed, so that no document can exhaust the machine that reads it.

/// The largest document, in bytes.
pub const FILE_BYTES: usize = 16 << 20;
/// The deepest nesting of lists and objects.
pub const DEPTH: usize = 32;
/// The longest string, in bytes as written.
pub const STRING_BYTES: usize = 4096;
/// The most fields in one object; no object of a document has half as many.
pub const FIELDS: usize = 64;
/// The most values in a document.
pub const VALUES: usize = 2_000_000;
/// The most directors of a cluster.
pub const DIRECTORS: usize = 64;
/// The most interfaces of a director.
pub const INTERFACES: usize = 1024;
/// The most virtual services of a cluster, counted as the kernel does: one per address, protocol and port.
pub const VIRTUAL_SERVICES: usize = 65_536;
/// The most destinations of a cluster, counted as the kernel does.
pub const DESTINATIONS: usize = 262_144;

/// The most files beside those that are generated.
pub const FILES: usize = 1024;
/// The largest of them, in bytes.
pub const FILE_CONTENT: usize = 1 << 20;

/// A limit that a document exceeds, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub offset: usize,
    pub message: String,
    pub fix: &'static str,
}

/// Checks the limits in one pass over the bytes, without building anything.
pub(super) fn check(text: &str) -> Result<(), Exceeded> {
    let mut scan = Scan {
        fields: [0; DEPTH + 1],
        depth: 0,
        values: 0,
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'"' => after_string(bytes, at)?,
            _ if !STRUCTURE[usize::from(byte)] => at + 1,
            _ => {
                scan.step(byte, at)?;
                at + 1
            }
        };
    }
    Ok(())
}

/// What the structure is made of, outside of strings.
static STRUCTURE: [bool; 256] = those_of(b"[]{}:,");
/// What ends a string, or hides its end.
static IN_STRINGS: [bool; 256] = those_of(b"\"\n\\");

const fn those_of(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
}

/// Where the string that starts at `start` has ended. A line break ends it too: it belongs to no string.
fn after_string(bytes: &[u8], start: usize) -> Result<usize, Exceeded> {
    let mut at = start + 1;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let plain = rest.iter().position(|byte| IN_STRINGS[usize::from(*byte)]);
        at += plain.unwrap_or(rest.len());
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            _ => break,
        }
    }
    match at - start - 1 {
        length if length > STRING_BYTES => Err(Exceeded {
            offset: start,
            message: format!("a string of {length} bytes; the limit is {STRING_BYTES}"),
            fix: "no field needs as much",
        }),
        _ => Ok(at + 1),
    }
}

struct Scan {
    fields: [usize; DEPTH + 1],
    depth: usize,
    values: usize,
}

impl Scan {
    fn step(&mut self, byte: u8, offset: usize) -> Result<(), Exceeded> {
        let exceeded = |message: String, fix| {
            Err(Exceeded {
                offset,
                message,
                fix,
            })
        };
        match byte {
            b'[' | b'{' if self.depth == DEPTH => {
                return exceeded(
                    format!("nested deeper than {DEPTH}"),
                    "a document needs less than 10",
                );
            }
            b'[' | b'{' => {
                self.depth += 1;
                self.fields[self.depth] = 0;
            }
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b':' => {
                self.fields[self.depth] += 1;
                if self.fields[self.depth] > FIELDS {
                    return exceeded(
                        format!("an object with more than {FIELDS} fields"),
                        "no object has as many; write a list",
                    );
                }
            }
            _ => {
                self.values += 1;
                if self.values > VALUES {
                    return exceeded(format!("more than {VALUES} values"), "split the cluster");
                }
            }
        }
        Ok(())
    }
}
