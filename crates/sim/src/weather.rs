//! What can go wrong: one switch for each fault class, and how much of it a seed draws.
//!
//! A fault is decided by its name (class, place, number), never by the order of draws, so that one can be taken away and
//! the others stay.

use crate::prng::Prng;
use std::collections::BTreeSet;

/// A fault class. F1 to F13 are those of the product's fault alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// F1: a request is lost on its way to the issuer.
    RequestLost,
    /// F2: the issuer decided, and its answer is lost to the network.
    IssuerAnswerLost,
    /// F3: the network's answer is lost to the acquirer.
    NetworkAnswerLost,
    /// F4: the acquirer's answer is lost to the terminal.
    AcquirerAnswerLost,
    /// F5: the terminal dies after receiving, before writing.
    TerminalDiesBeforeWriting,
    /// F6: the terminal dies after writing, before or while it acts on it.
    TerminalDiesAfterWriting,
    /// F7: the printer: paper, cover, power, link.
    Printer,
    /// F8: an answer arrives at the moment of the time-out, or after the reversal was sent.
    LateAnswer,
    /// F9: the same frame again, soon or much later.
    Duplicate,
    /// F10: a reversal or its answer is lost or late.
    ReversalLost,
    /// F11: a host dies between its booking and telling anybody.
    HostDiesAtFlush,
    /// F12: slow links and slow disks.
    Slow,
    /// F13: wall clocks apart, drifting, jumping; the day cut.
    Clock,
    /// A frame is changed on its way.
    Corruption,
    /// Links cut, one way or both ways, for seconds.
    Partition,
    /// A host is killed or loses power at any time.
    HostDies,
    /// A flush fails: the party stops and replays.
    FlushFails,
    /// A terminal that died never comes back.
    TerminalNeverReturns,
    /// The cashier presses keys nobody asked for, or gives goods away too early.
    Cashier,
    /// The wallet's provider is deaf for a while.
    WalletDeaf,
    /// A till's batch messages say something else than its journal: a wrong total, a record left out, made up or changed.
    Miscount,
    /// A chip is pulled out too early, or hears its issuer's answer changed.
    Chip,
}

impl Fault {
    /// Every class.
    pub const ALL: [Self; 22] = [
        Self::RequestLost,
        Self::IssuerAnswerLost,
        Self::NetworkAnswerLost,
        Self::AcquirerAnswerLost,
        Self::TerminalDiesBeforeWriting,
        Self::TerminalDiesAfterWriting,
        Self::Printer,
        Self::LateAnswer,
        Self::Duplicate,
        Self::ReversalLost,
        Self::HostDiesAtFlush,
        Self::Slow,
        Self::Clock,
        Self::Corruption,
        Self::Partition,
        Self::HostDies,
        Self::FlushFails,
        Self::TerminalNeverReturns,
        Self::Cashier,
        Self::WalletDeaf,
        Self::Miscount,
        Self::Chip,
    ];

    /// Its switch: `F1` to `F13`, then names of our own.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestLost => "F1",
            Self::IssuerAnswerLost => "F2",
            Self::NetworkAnswerLost => "F3",
            Self::AcquirerAnswerLost => "F4",
            Self::TerminalDiesBeforeWriting => "F5",
            Self::TerminalDiesAfterWriting => "F6",
            Self::Printer => "F7",
            Self::LateAnswer => "F8",
            Self::Duplicate => "F9",
            Self::ReversalLost => "F10",
            Self::HostDiesAtFlush => "F11",
            Self::Slow => "F12",
            Self::Clock => "F13",
            Self::Corruption => "corruption",
            Self::Partition => "partition",
            Self::HostDies => "host-dies",
            Self::FlushFails => "flush-fails",
            Self::TerminalNeverReturns => "never-returns",
            Self::Cashier => "cashier",
            Self::WalletDeaf => "wallet-deaf",
            Self::Miscount => "miscount",
            Self::Chip => "chip",
        }
    }

    /// The class of a switch.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// The most it fires when it is on, in ten thousand chances.
    const fn most(self) -> u64 {
        match self {
            Self::RequestLost
            | Self::IssuerAnswerLost
            | Self::NetworkAnswerLost
            | Self::AcquirerAnswerLost => 800,
            Self::TerminalDiesBeforeWriting | Self::TerminalDiesAfterWriting => 250,
            Self::Printer => 1_000,
            Self::LateAnswer => 800,
            Self::Duplicate => 1_200,
            Self::ReversalLost => 3_000,
            Self::HostDiesAtFlush => 100,
            Self::Slow => 1_000,
            Self::Clock => 10_000,
            Self::Corruption => 300,
            Self::Partition => 1_500,
            Self::HostDies => 1_500,
            Self::FlushFails => 30,
            Self::TerminalNeverReturns => 3_000,
            Self::Cashier => 600,
            Self::WalletDeaf => 1_500,
            Self::Miscount => 2_500,
            Self::Chip => 1_500,
        }
    }
}

/// One fault that fired or may fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultName {
    /// Its class.
    pub fault: Fault,
    /// Where: a link, a node, a terminal.
    pub place: u32,
    /// Which message, flush or moment there.
    pub number: u32,
}

impl std::fmt::Display for FaultName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}#{}", self.fault.name(), self.place, self.number)
    }
}

/// The weather of one world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weather {
    /// How often each class fires, in ten thousand chances, in the order of [`Fault::ALL`]; 0 is off.
    pub rates: [u32; Fault::ALL.len()],
    /// Faults go where they hurt: the k-th answer of a terminal, the flush window, the very moment of a time-out.
    pub aimed: bool,
    /// Faults taken away by the shrinker.
    pub without: BTreeSet<FaultName>,
    /// Faults that happen whatever the rates say: a recorded story.
    pub with: BTreeSet<FaultName>,
    /// Classes that strike once, at their first chance after the first transaction began: an experiment.
    pub once: BTreeSet<Fault>,
}

impl Weather {
    /// Nothing goes wrong.
    pub fn clean() -> Self {
        Self {
            rates: [0; Fault::ALL.len()],
            aimed: false,
            without: BTreeSet::new(),
            with: BTreeSet::new(),
            once: BTreeSet::new(),
        }
    }

    /// Only this class, at its highest rate.
    pub fn only(fault: Fault) -> Self {
        let mut weather = Self::clean();
        weather.rates[fault as usize] = fault.most() as u32;
        weather
    }

    /// What a seed draws: each class on with p = 0.6, its rate up to its highest; half of the seeds are aimed.
    pub fn drawn(seed: u64) -> Self {
        let mut prng = Prng::new(seed, 0x7EA7);
        let mut weather = Self::clean();
        weather.aimed = prng.percent(50);
        for fault in Fault::ALL {
            let (on, rate) = (prng.percent(60), prng.within(1, fault.most()));
            weather.rates[fault as usize] = if on { rate as u32 } else { 0 };
        }
        weather
    }

    /// Whether a class is on.
    pub fn is_on(&self, fault: Fault) -> bool {
        self.rates[fault as usize] > 0
    }
}
