//! Bugs put in on purpose, in the parties and in the simulator's own driver, to see every checker fail once.

use crate::scenario::Scenario;

/// A bug of the driver: of what runs the parties, not of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A host's effects leave before the flush (D2).
    EffectsBeforeFlush,
    /// A terminal's request leaves before its record is durable (T3).
    SendsBeforeRecord,
    /// Recovery takes what it can read of a torn gathering (D1).
    TakesTornTail,
    /// Recovery leaves out a record here and there (D1, D3).
    RecoverySkips,
    /// Frames are written to the log as they came (K2).
    JournalsFrames,
}

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// In a terminal.
    Terminal(terminal::planted::Bug),
    /// In the acquirer.
    Acquirer(acquirer::planted::Bug),
    /// In the network.
    Network(network::Bug),
    /// In an issuer.
    Issuer(issuer::Bug),
    /// In the driver.
    Driver(Driver),
    /// In acquirers and issuers at once: either alone stops what the other lets through.
    Hosts(acquirer::planted::Bug, issuer::Bug),
}

/// Bugs that do no harm alone.
const HOSTS: [(acquirer::planted::Bug, issuer::Bug); 1] = [(
    acquirer::planted::Bug::RefundsBeyond,
    issuer::Bug::IssuerRefundsBeyond,
)];

/// Every bug.
pub fn all() -> Vec<Bug> {
    let driver = [
        Driver::EffectsBeforeFlush,
        Driver::SendsBeforeRecord,
        Driver::TakesTornTail,
        Driver::RecoverySkips,
        Driver::JournalsFrames,
    ];
    let alone = |acquirer: Option<acquirer::planted::Bug>, issuer: Option<issuer::Bug>| {
        let known = |(a, i): &(_, _)| acquirer == Some(*a) || issuer == Some(*i);
        !HOSTS.iter().any(known)
    };
    let acquirers = acquirer::planted::Bug::ALL.into_iter();
    let issuers = issuer::Bug::ALL.into_iter();
    let parties = terminal::planted::Bug::ALL.map(Bug::Terminal).into_iter();
    parties
        .chain(
            acquirers
                .filter(|bug| alone(Some(*bug), None))
                .map(Bug::Acquirer),
        )
        .chain(network::Bug::ALL.map(Bug::Network))
        .chain(
            issuers
                .filter(|bug| alone(None, Some(*bug)))
                .map(Bug::Issuer),
        )
        .chain(driver.map(Bug::Driver))
        .chain(HOSTS.map(|(acquirer, issuer)| Bug::Hosts(acquirer, issuer)))
        .collect()
}

/// A bug that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The seeds that were needed, this one included.
    pub seeds_needed: u64,
    /// The invariant that rang first.
    pub invariant: &'static str,
    /// What it said.
    pub text: String,
}

/// Runs drawn seeds with the bug in until an invariant rings; `None` when none does within `seeds_max`.
pub fn hunt(bug: Bug, seeds_max: u64) -> Option<Found> {
    hunt_for(bug, seeds_max, |_| true)
}

/// The same until an invariant of this kind rings, among all that ring in a seed.
pub fn hunt_for(bug: Bug, seeds_max: u64, wanted: impl Fn(&'static str) -> bool) -> Option<Found> {
    (0..seeds_max).find_map(|seed| {
        let mut scenario = Scenario::drawn(seed);
        scenario.planted = Some(bug);
        let mut violations = crate::run(&scenario).violations.into_iter();
        let violation = violations.find(|violation| wanted(violation.invariant))?;
        Some(Found {
            seeds_needed: seed + 1,
            invariant: violation.invariant,
            text: violation.text,
        })
    })
}
