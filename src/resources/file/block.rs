//! Our lines in somebody else's file. Pure, and on bytes: every other byte stays, whatever it is.

use std::ops::Range;

/// The line before ours.
pub const BEGIN: &str = "# lvs-reconcile: begin, do not edit between these lines";
/// The line after ours.
pub const END: &str = "# lvs-reconcile: end";

/// Where our lines stand.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// From the first byte of the first marker to the end of the second's line.
    whole: Range<usize>,
    /// What is between the two lines.
    inner: Range<usize>,
}

/// What stands between our markers; `None` without them.
pub(super) fn find(file: &[u8]) -> Result<Option<&[u8]>, String> {
    Ok(place(file)?.map(|at| &file[at.inner]))
}

/// The file with `content` between our markers, which are added at its end when there are none.
pub(super) fn put(file: &[u8], content: &str) -> Result<Vec<u8>, String> {
    if let Some(at) = place(file)? {
        let (before, after) = (&file[..at.inner.start], &file[at.inner.end..]);
        return Ok([before, content.as_bytes(), after].concat());
    }
    let block = format!("{BEGIN}\n{content}{END}");
    // A file that ended without a newline still does: so that taking ours away gives the same bytes back.
    Ok(match file.last() {
        None | Some(b'\n') => [file, block.as_bytes(), b"\n"].concat(),
        Some(_) => [file, b"\n", block.as_bytes()].concat(),
    })
}

/// The file without our lines.
pub(crate) fn without(file: &[u8]) -> Result<Vec<u8>, String> {
    let Some(at) = place(file)? else {
        return Ok(file.to_vec());
    };
    let (mut before, after) = (&file[..at.whole.start], &file[at.whole.end..]);
    if after.is_empty() && !file.ends_with(b"\n") {
        before = before.strip_suffix(b"\n").unwrap_or(before);
    }
    Ok([before, after].concat())
}

/// Ends `content` with a newline, as it must between two lines.
pub(super) fn whole_lines(mut content: String) -> String {
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    content
}

fn place(file: &[u8]) -> Result<Option<Place>, String> {
    let (begins, ends) = (lines_equal_to(file, BEGIN), lines_equal_to(file, END));
    match (&begins[..], &ends[..]) {
        ([], []) => Ok(None),
        ([begin], [end]) if begin.end <= end.start => Ok(Some(Place {
            whole: begin.start..end.end,
            inner: begin.end..end.start,
        })),
        ([_], [_]) => Err(
            "our two marker lines stand in the wrong order; put them right, or remove both".into(),
        ),
        _ => Err(format!(
            "our marker lines are there {} and {} times instead of once each; remove the odd ones",
            begins.len(),
            ends.len()
        )),
    }
}

/// Where lines that say `text` are, with the newline that ends them. A carriage return before it counts as white space.
fn lines_equal_to(file: &[u8], text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in file.split_inclusive(|&byte| byte == b'\n') {
        if line.trim_ascii_end() == text.as_bytes() {
            found.push(start..start + line.len());
        }
        start += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "172.16.0.2\trs1\n";

    fn there_and_back(file: &[u8]) -> Vec<u8> {
        let with = put(file, OURS).unwrap();
        assert_eq!(find(&with).unwrap(), Some(OURS.as_bytes()));
        let other = put(&with, "").unwrap();
        assert_eq!(find(&other).unwrap(), Some(&b""[..]));
        without(&put(&other, OURS).unwrap()).unwrap()
    }

    #[test]
    fn every_other_byte_comes_back() {
        let files: [&[u8]; 7] = [
            b"",
            b"127.0.0.1 localhost\n",
            b"127.0.0.1 localhost",
            b"127.0.0.1 localhost\r\n# Z\xfcrich\r\n",
            b"a\r\nb",
            b"\n\n\n",
            b"\0\xff",
        ];
        for file in files {
            assert_eq!(
                there_and_back(file),
                file,
                "{:?}",
                file.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn what_stands_after_the_block_stays_after_it() {
        let file = format!("a\n{BEGIN}\nold\n{END}\nb\r\nno newline");
        let changed = put(file.as_bytes(), OURS).unwrap();
        let wanted = format!("a\n{BEGIN}\n{OURS}{END}\nb\r\nno newline");
        assert_eq!(changed, wanted.as_bytes());
        assert_eq!(without(&changed).unwrap(), b"a\nb\r\nno newline");
    }

    #[test]
    fn markers_that_an_editor_gave_carriage_returns_are_still_ours() {
        let file = format!("{BEGIN}\r\nx\r\n{END}\r\n");
        assert_eq!(find(file.as_bytes()).unwrap(), Some(&b"x\r\n"[..]));
    }

    #[test]
    fn markers_out_of_balance_are_refused() {
        for file in [
            format!("{BEGIN}\n"),
            format!("x\n{END}\n"),
            format!("{END}\n{BEGIN}\n"),
            format!("{BEGIN}\n{BEGIN}\n{END}\n"),
            format!("{BEGIN}\n{END}\n{BEGIN}\n{END}\n"),
        ] {
            assert!(find(file.as_bytes()).is_err(), "{file}");
            assert!(put(file.as_bytes(), "").is_err());
            assert!(without(file.as_bytes()).is_err());
        }
    }

    #[test]
    fn a_marker_inside_a_line_is_text() {
        let file = format!("echo {BEGIN}\n");
        assert_eq!(find(file.as_bytes()).unwrap(), None);
    }
}
