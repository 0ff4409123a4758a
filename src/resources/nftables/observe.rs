//! Observe this kind.
