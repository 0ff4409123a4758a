//! How a command can end badly, and with which exit code.

use crate::cycle::NotMade;
use crate::host::HostError;
use crate::lock::LockError;

/// Why a command did not do what was asked. Each is printed once, at the edge.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The document is wrong, or does not fit this node: every problem, a line each.
    #[error("{0}")]
    Document(String),
    /// The command line asks for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The machine could not be looked at, or refused before anything was changed.
    #[error("{0}")]
    Look(#[from] HostError),
    /// Another run is under way.
    #[error("{0}")]
    Locked(String),
    /// A guard, or something that is not ours, stands in the way. The plan that was printed says what.
    #[error("refused, nothing was changed: the plan says why")]
    Refused,
    /// The plan is not the one that was looked at.
    #[error(
        "nothing was changed: the plan is another than the one that was looked at, {now} and not {approved}; look again{differs}"
    )]
    Stale {
        approved: String,
        now: String,
        /// How, a line each, where it is known.
        differs: String,
    },
    /// The plan may cut off whoever asks for it.
    #[error("refused, nothing was changed: {0}")]
    InDanger(String),
    /// A run waits to be confirmed, and until then there is no other.
    #[error("{0}")]
    Waiting(String),
    /// There was nothing to confirm, or not in this way.
    #[error("{0}")]
    NotConfirmed(String),
    /// The operator said no.
    #[error("nothing was changed")]
    Declined,
    /// A step failed and everything is as it was.
    #[error("failed, and everything was undone")]
    Undone,
    /// The machine is as it should be, and our own record of it is not.
    #[error(
        "the changes are made, but could not be written down, which the next run makes up for: {0}"
    )]
    NotWritten(HostError),
    /// A step failed and something is left.
    #[error("failed, and not everything could be undone: see above")]
    Left,
}

/// How a command ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// Done, nothing to do, or draining.
    Done,
    /// There are changes, and the caller asked to be told by exit code.
    Changes,
}

impl Error {
    /// The exit code that scripts can rely on.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Document(_) | Self::Usage(_) | Self::Look(_) => 1,
            Self::Undone => 3,
            Self::Left | Self::NotWritten(_) => 4,
            Self::Locked(_) | Self::Waiting(_) => 5,
            Self::Refused
            | Self::InDanger(_)
            | Self::Declined
            | Self::NotConfirmed(_)
            | Self::Stale { .. } => 6,
        }
    }
}

impl Success {
    /// 2 is only given to those who asked for it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Changes => 2,
        }
    }
}

impl From<NotMade> for Error {
    fn from(why: NotMade) -> Self {
        match why {
            NotMade::Refused(errors) => {
                let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
                Self::Look(HostError::new("nothing was changed", lines.join("\n")))
            }
            NotMade::NotWritten(error) => Self::NotWritten(error),
        }
    }
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::Locked(error.to_string()),
            LockError::Failed(error) => Self::Look(error),
        }
    }
}
