//! A run of the lab as a file that `counterfoil sim --experiment` replays, for anybody's CI.

use super::faults::LabFault;
use payment::Kind;
use payment::verdict::Outcome;
use serde::{Deserialize, Serialize};

/// The only version there is.
const VERSION: u32 = 1;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    version: u32,
    /// Switches of the simulator; each strikes once.
    faults: Vec<String>,
    /// How the purchase must end at its till: approved, declined, reversed or case.
    ending: String,
}

/// What a replay found.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// How the purchase ended.
    pub ending: &'static str,
    /// How it must end.
    pub expected: String,
    /// Invariants that broke.
    pub violations: Vec<String>,
    /// A fault that never struck.
    pub missed: Option<&'static str>,
}

impl Replayed {
    /// As it must be.
    pub fn is_well(&self) -> bool {
        self.ending == self.expected && self.violations.is_empty() && self.missed.is_none()
    }
}

impl Experiment {
    pub(super) fn of(faults: &[&LabFault], outcome: Outcome) -> Self {
        let mut classes: Vec<_> = faults.iter().map(|fault| fault.class).collect();
        classes.sort();
        classes.dedup();
        let ending = match outcome {
            Outcome::Approved => sim::Ending::Approved,
            Outcome::Declined => sim::Ending::Declined,
            Outcome::Reversed => sim::Ending::Reversed,
            Outcome::Unknown | Outcome::Reversing => sim::Ending::Open,
            Outcome::ReversalRefused => sim::Ending::Case,
        };
        Self {
            version: VERSION,
            faults: classes
                .iter()
                .map(|class| class.name().to_owned())
                .collect(),
            ending: ending.name().to_owned(),
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!(
            "# A purchase with these faults, once each. Replay: counterfoil sim --experiment THIS-FILE\n{body}"
        )
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if read.version != VERSION {
            return Err(format!(
                "version {}: this program reads version {VERSION}",
                read.version
            ));
        }
        read.classes().map(|_| read)
    }

    fn classes(&self) -> Result<Vec<sim::Fault>, String> {
        let class = |name: &String| {
            sim::Fault::of(name).ok_or_else(|| format!("faults: there is no \"{name}\""))
        };
        self.faults.iter().map(class).collect()
    }

    /// Runs it.
    ///
    /// # Errors
    /// A fault that does not exist.
    pub fn replay(&self) -> Result<Replayed, String> {
        let faults = self.classes()?;
        let report = sim::run(&sim::experiment(Kind::Purchase, &faults));
        let violations = report
            .violations
            .iter()
            .map(|violation| format!("{}: {}", violation.invariant, violation.text));
        Ok(Replayed {
            ending: report
                .endings
                .first()
                .map_or("open", |ending| ending.name()),
            expected: self.ending.clone(),
            violations: violations.collect(),
            missed: report.missed(&faults).map(sim::Fault::name),
        })
    }
}
