//! Facts of the moment laid over the desired state, before planning. Pure.

pub mod drain;
pub mod hold;
