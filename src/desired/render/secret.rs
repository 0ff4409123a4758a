//! Where the hash of root's password goes: a mark in the text, which becomes a reference to the file that holds it.

use crate::document::AbsolutePath;
use crate::resources::file::{Content, Piece};

/// A private character: no value of a document can hold one.
pub(in super::super) const PASSWORD: char = '\u{e000}';

/// The text with a reference in place of every mark. The hash is put in where the file is written, and seen nowhere
/// else.
pub(in super::super) fn with_password(text: String, hash: Option<&AbsolutePath>) -> Content {
    let Some(path) = hash.filter(|_| text.contains(PASSWORD)) else {
        return Content::text(text);
    };
    let mut pieces = Vec::new();
    for part in text.split(PASSWORD) {
        if !pieces.is_empty() {
            pieces.push(Piece::Secret(path.to_string()));
        }
        pieces.push(Piece::Text(part.to_owned()));
    }
    Content(pieces)
}
