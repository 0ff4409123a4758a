//! Apply this kind.
