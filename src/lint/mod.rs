//! What is allowed and probably not meant: each kind has a code and a page, and a document may silence it.

mod code;
mod warning;
mod warnings;

pub use code::{Code, Origin, Unknown};
pub use warning::Warning;
pub use warnings::Warnings;
pub(crate) use warnings::useless;
