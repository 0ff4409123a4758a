//! The one way to the file system for all that may fail: a test can say which call does, and how. What only cleans up
//! does not come this way, nor counts.

use nix::errno::Errno;

/// Makes `call`, unless a test has said that it fails.
pub(super) fn attempt<T, E: From<Errno>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    #[cfg(test)]
    if let Some(errno) = fault::due() {
        return Err(errno.into());
    }
    call()
}

/// Which call fails, on this thread.
#[cfg(test)]
pub(super) mod fault {
    use std::cell::Cell;

    use nix::errno::Errno;

    thread_local! {
        static CALLS: Cell<usize> = const { Cell::new(0) };
        static FAILING: Cell<Option<(usize, Errno)>> = const { Cell::new(None) };
    }

    /// From now on calls are counted from 0, and this one fails.
    pub fn arm(failing: Option<(usize, Errno)>) {
        CALLS.set(0);
        FAILING.set(failing);
    }

    /// How many calls there were since.
    pub fn calls() -> usize {
        CALLS.get()
    }

    pub(super) fn due() -> Option<Errno> {
        let call = CALLS.replace(CALLS.get() + 1);
        FAILING.get().filter(|it| it.0 == call).map(|it| it.1)
    }
}
