//! `confirm`: the machine can still be reached, so the run stays.

use clap::Args;

use super::Place;
use super::voice::Voice;
use crate::confirm;
use crate::error::{Error, Success};
use crate::host::linux::sessions;
use crate::journal::{self, Run, Stage};
use crate::store::Store;

/// Arguments of `confirm`.
#[derive(Debug, Args)]
pub struct Confirm {
    /// The run, as `apply` named it.
    id: String,
    /// Confirm through the very connection that the run was made through. It may live on where a new one would not
    /// get through.
    #[arg(long)]
    same_session: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    voice: Voice,
}

impl Confirm {
    pub async fn run(self) -> Result<Success, Error> {
        let store = Store::at(&self.place.state_dir);
        let no = |text: &str| Err(Error::NotConfirmed(format!("run {}: {text}", self.id)));
        let Some(run) = journal::find(&store, &self.id) else {
            return no("there is no such run: see `lvs-reconcile history`");
        };
        match run.stage {
            Stage::Undoing => no("it is being taken back"),
            Stage::Over if run.is_undone() => no("it was taken back"),
            Stage::Over => {
                self.voice.say("confirmed already\n");
                Ok(Success::Done)
            }
            Stage::Pending => self.confirm(&store, &run).await,
        }
    }

    async fn confirm(&self, store: &Store, run: &Run) -> Result<Success, Error> {
        let no = |text: &str| Err(Error::NotConfirmed(format!("run {}: {text}", self.id)));
        let Some(window) = confirm::window(run) else {
            return no("it was cut off, and does not wait to be confirmed");
        };
        if !confirm::is_applied(run) {
            return no("it is still being made");
        }
        let same = window.connection.is_some() && window.connection == sessions::own();
        if same && !self.same_session {
            return no(
                "this is the connection that it was made through, which may live on where a new one would not get \
                 through; confirm from a new connection, or say --same-session",
            );
        }
        let (document, before) = (confirm::document(run), run.document_before());
        // First the document: should we die here, the run is taken back, and the document with it.
        keep(store, document.as_deref())?;
        // Whoever moves it first has decided.
        let Ok(run) = run.move_to(store, Stage::Over) else {
            keep(store, before.as_deref())?;
            return no("it is being taken back");
        };
        confirm::give_up_room(&run);
        store.forget_taken_back()?;
        confirm::disarm(&run).await;
        self.voice.say("confirmed\n");
        Ok(Success::Done)
    }
}

/// The document that the next boot starts from.
fn keep(store: &Store, document: Option<&[u8]>) -> Result<(), Error> {
    match document {
        Some(bytes) => Ok(store.save_last_good(bytes)?),
        None => Ok(store.forget_last_good()?),
    }
}
