//! A host that says at the bottom of the terminal what it is at, while it takes long enough that somebody wonders.
//! Nothing of that stays on the screen, and where nobody watches nothing of it is made: no thread, no line.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::{Connections, Host, HostError, Observation, Outcome, Scope};
use crate::output::escaped;
use crate::plan::Step;
use crate::resources::destination::DestinationKey;

/// What is over sooner is not spoken of.
const PATIENCE: Duration = Duration::from_millis(300);
/// How often the line is drawn anew.
const FRAME: Duration = Duration::from_millis(100);
/// They are in every font of a console.
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
/// So that it is one line on every terminal.
const LONGEST: usize = 70;

/// A host, and the line that says what it is at.
#[derive(Debug)]
pub struct Followed<H> {
    host: H,
    screen: Option<Screen>,
}

/// What somebody at the terminal knows.
#[derive(Debug, Default)]
struct Screen {
    /// Steps that are behind us, of so many in the plan; of a plan that nothing was tried of, nobody knows how many.
    made: usize,
    of: usize,
    failed: bool,
    line: Option<ProgressBar>,
}

impl<H> Followed<H> {
    /// Nobody watches.
    pub fn by_nobody(host: H) -> Self {
        Self { host, screen: None }
    }

    /// Whoever sits at the terminal watches, if standard error is one that can take a line back.
    pub fn on_terminal(host: H) -> Self {
        let watched = std::io::stderr().is_terminal() && !ProgressDrawTarget::stderr().is_hidden();
        Self {
            host,
            screen: watched.then(Screen::default),
        }
    }

    /// Lets time pass, and says what for.
    pub async fn pause(&mut self, length: Duration, what: impl FnOnce() -> String) {
        if let Some(screen) = &mut self.screen {
            screen.say(&what(), Duration::ZERO);
        }
        tokio::time::sleep(length).await;
        self.clear();
    }

    fn clear(&mut self) {
        // Who drops it has the line erased.
        if let Some(screen) = &mut self.screen {
            screen.line = None;
        }
    }
}

impl<H: Host> Host for Followed<H> {
    async fn observe(&mut self, scope: &Scope<'_>) -> Result<Observation, HostError> {
        if let Some(screen) = &mut self.screen {
            screen.say("looking at the machine", PATIENCE);
        }
        let seen = self.host.observe(scope).await;
        self.clear();
        seen
    }

    async fn apply(&mut self, run: &[Step]) -> Vec<Outcome> {
        if let Some(screen) = &mut self.screen {
            screen.say(&screen.steps(run), PATIENCE);
        }
        let outcomes = self.host.apply(run).await;
        if let Some(screen) = &mut self.screen {
            screen.count(&outcomes);
        }
        outcomes
    }

    async fn check(&mut self, steps: &[Step]) -> Result<(), Vec<HostError>> {
        if let Some(screen) = &mut self.screen {
            screen.of = steps.len();
            screen.say("trying what can be tried", PATIENCE);
        }
        let checked = self.host.check(steps).await;
        self.clear();
        checked
    }

    async fn connections(&mut self) -> Result<BTreeMap<DestinationKey, Connections>, HostError> {
        self.host.connections().await
    }

    async fn interfaces(&mut self) -> Result<Vec<String>, HostError> {
        self.host.interfaces().await
    }
}

impl Screen {
    /// Says something else on the same line, or begins one that is seen when `patience` is over.
    fn say(&mut self, what: &str, patience: Duration) {
        let line = self.line.get_or_insert_with(|| {
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            line.enable_steady_tick(FRAME);
            line
        });
        let what: String = what.chars().take(LONGEST).collect();
        let saying = move |state: &ProgressState, out: &mut dyn Write| {
            let since = state.elapsed();
            if since >= patience {
                let frame = since.as_millis() / FRAME.as_millis() % FRAMES.len() as u128;
                // The line is gone with its terminal.
                let _ = write!(out, "{} {what}", FRAMES[frame as usize]);
            }
        };
        // A template that cannot be read would be a mistake of ours, and shows nothing.
        if let Ok(style) = ProgressStyle::with_template("{saying}") {
            line.set_style(style.with_key("saying", saying));
        }
    }

    /// `step 12 of 13: unit kea-dhcp4-server`, `steps 3 to 40 of 50: destinations`
    fn steps(&self, run: &[Step]) -> String {
        let (first, last) = (self.made + 1, self.made + run.len());
        let of = match last <= self.of {
            true => format!(" of {}", self.of),
            false => String::new(),
        };
        let back = if self.failed { "taking back, " } else { "" };
        match run {
            [] => String::new(),
            [Step { change, .. }] => {
                let (kind, name) = (change.kind().word(), escaped(&change.name()));
                format!("{back}step {first}{of}: {kind} {name}")
            }
            [Step { change, .. }, ..] => {
                let kind = change.kind().word();
                format!("{back}steps {first} to {last}{of}: {kind}")
            }
        }
    }

    /// What is made; after a failure what follows takes it back, and is counted anew.
    fn count(&mut self, outcomes: &[Outcome]) {
        let failed = |it: &Outcome| matches!(it, Outcome::Failed(_) | Outcome::NotAttempted);
        if !self.failed && outcomes.iter().any(failed) {
            *self = Self {
                failed: true,
                line: self.line.take(),
                ..Self::default()
            };
            return;
        }
        self.made += outcomes.len();
    }
}
