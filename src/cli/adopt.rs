//! `adopt` and `release`: whose an object is, said by hand.

use clap::Args;

use super::Target;
use super::safety::Safety;
use super::voice::Voice;
use crate::cycle::{Options, Turn};
use crate::delta::Nature;
use crate::error::{Error, Success};
use crate::lock::Lock;
use crate::output::escaped;
use crate::resources::{Change, Keys, State};
use crate::session;
use crate::store::Store;

/// Arguments of `adopt` and `release`.
#[derive(Debug, Args)]
pub struct Names {
    /// Kind and name, as `plan` and `status` print them, such as `address eth0 192.0.2.10/32`.
    #[arg(required = true, value_name = "KIND NAME")]
    names: Vec<String>,
    #[command(flatten)]
    place: super::Place,
    #[command(flatten)]
    voice: Voice,
    /// The document.
    #[arg(long, default_value = session::DOCUMENT, env = "LVS_RECONCILE_DOCUMENT")]
    document: std::path::PathBuf,
    /// The director that this machine is, when its host name does not say so.
    #[arg(long, env = "LVS_RECONCILE_NODE")]
    node: Option<String>,
}

impl Names {
    /// From now on these are ours: changed, and removed, as the document says.
    pub async fn adopt(self) -> Result<Success, Error> {
        self.reassign("adopt", |turn, change, owned| {
            owned.insert(change);
            Ok(match turn.goal.desired.value_of(change) {
                Some(_) => "ours now",
                None => "ours now; the document does not have it, so the next apply removes it",
            })
        })
        .await
    }

    /// From now on these are not ours: never changed, never removed.
    pub async fn release(self) -> Result<Success, Error> {
        self.reassign("release", |turn, change, owned| {
            owned.remove(change);
            match turn.seen.marked.contains(change) {
                true => Err("it carries our mark, and stays ours as long as it is there"),
                false => Ok("not ours any more"),
            }
        })
        .await
    }

    /// Writes down whose these are, unless one of them cannot be: `say` enters one, and tells what that means.
    async fn reassign(
        self,
        command: &str,
        say: impl Fn(&Turn, &Change, &mut Keys) -> Result<&'static str, &'static str>,
    ) -> Result<Success, Error> {
        let store = Store::at(&self.place.state_dir);
        let _lock = Lock::take(&self.place.lock, command)?;
        Safety::nothing_waits(&store)?;
        let turn = self.look().await?;
        let there = State::default().changes_to(&turn.seen.state);
        let mut inventory = turn.goal.inventory.clone();
        let mut said = String::new();
        for change in self.named(&there)? {
            let name = label(change);
            let fate = say(&turn, change, &mut inventory.owned)
                .map_err(|why| Error::Usage(format!("{}: {why}", escaped(&name))))?;
            said += &format!("{name}: {fate}\n");
        }
        store.save_inventory(&inventory)?;
        self.voice.say(&said);
        Ok(Success::Done)
    }

    async fn look(&self) -> Result<Turn, Error> {
        let target = Target {
            document: self.document.clone(),
            node: self.node.clone(),
            state_dir: self.place.state_dir.clone(),
            lock: self.place.lock.clone(),
        };
        let mut host = self.voice.machine();
        let (_, turn) = session::look(&target, &Options::usual(), &mut host).await?;
        Ok(turn)
    }

    /// What the names stand for; all that stand for nothing are told at once.
    fn named<'c>(&self, there: &'c [Change]) -> Result<Vec<&'c Change>, Error> {
        // Values that are set, and what is loaded for all, have no owner.
        let has_owner = |it: &&Change| matches!(it.nature(), Nature::Made | Nature::Started);
        let find = |name: &String| {
            let mut there = there.iter().filter(has_owner);
            there.find(|it| label(it) == *name)
        };
        let unknown: Vec<_> = self.names.iter().filter(|it| find(it).is_none()).collect();
        if unknown.is_empty() {
            return Ok(self.names.iter().filter_map(find).collect());
        }
        let unknown: Vec<_> = unknown.iter().map(|it| escaped(it).to_string()).collect();
        Err(Error::Usage(format!(
            "nothing on this machine that could be ours: {}; write kind and name as `lvs-reconcile status --foreign` does",
            unknown.join(", ")
        )))
    }
}

fn label(change: &Change) -> String {
    format!("{} {}", change.kind().word(), change.name())
}
