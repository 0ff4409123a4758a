//! Makes a Linux Virtual Server cluster match one document.
//!
//! ```text
//!  source      document      desired       overlay                     plan         apply      verify
//!  bytes ────▶ as typed ───▶ State of ───▶ + facts of ── desired ───▶  ordered ───▶ Report ──▶ must be
//!  (I/O)       (pure)        this node     the moment              ┌─▶ steps        (I/O)      empty
//!                            (pure)        (pure)      observe: host → State                   (I/O)
//! ```
//!
//! No step looks back. `plan` stops after Plan, `apply` runs to the end, `watch` runs `apply` at every wake-up.

pub mod apply;
pub mod approved;
pub mod between;
pub mod cli;
pub mod confirm;
pub mod cycle;
pub mod daemons;
pub mod delta;
pub mod desired;
pub mod document;
pub mod error;
pub mod guards;
pub mod host;
pub mod ipvs;
pub mod journal;
pub mod lint;
pub mod lock;
pub mod output;
pub mod overlay;
pub mod ownership;
pub mod plan;
pub mod remarks;
pub mod resources;
pub mod rollback;
pub mod script;
pub mod sealed;
pub mod session;
pub mod snapshot;
pub mod source;
pub mod store;
pub mod surroundings;
pub mod trust;
pub mod verify;
pub mod watch;
