//! What all nodes share: time, the queue of events, the faults, the oracle, the timeline.
//!
//! Whatever happens, happens in the order of (time, number), so that one seed is one history.

use crate::cashier::Cashier;
use crate::codes::Codes;
use crate::disk::Tail;
use crate::links::Links;
use crate::marks::{Mark, Marks};
use crate::node::AnyInput;
use crate::oracle::Oracle;
use crate::prng::{Prng, named};
use crate::scenario::Scenario;
use crate::till::Till;
use crate::wallet::{Asked, Provider};
use crate::weather::{Fault, FaultName, Weather};
use payment::Peer;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A node's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A POS centre.
    Acquirer(u8),
    /// The switch.
    Network,
    /// A bank.
    Issuer(u8),
    /// A till.
    Terminal(u8),
}

impl Who {
    /// A number for names of faults.
    pub const fn place(self) -> u32 {
        match self {
            Self::Acquirer(n) => [0, 5][n as usize],
            Self::Network => 1,
            Self::Issuer(n) => [2, 3, 4, 6][n as usize],
            Self::Terminal(n) => 8 + n as u32,
        }
    }
}

/// Places of nodes, terminals last.
pub const PLACES: usize = 16;

/// A frame on its way.
#[derive(Debug)]
pub struct Flying {
    /// Where to.
    pub to: Who,
    /// As the receiver sees the sender.
    pub from: Peer,
    /// The life of the connection it is on: the receiver's epoch, or the link's generation.
    pub life: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// It was changed where its MAC covers it.
    pub tampered: bool,
}

/// Something that happens at a moment.
#[derive(Debug)]
pub enum Event {
    /// A party's deadline.
    Tick(Who, u32),
    /// A flush is done.
    Flushed(Who, u32),
    /// A node dies, with this tail or a drawn one.
    Crash(Who, u32, Option<Tail>),
    /// A node comes back.
    Restart(Who),
    /// A frame arrives.
    Frame(Box<Flying>),
    /// An input of another kind arrives.
    Input(Who, u32, Box<AnyInput>),
    /// Somebody connects a member link.
    Dial(u8),
    /// One end learns of its link.
    LinkSeen(Who, u8, bool),
    /// A request reaches the wallet's provider.
    WalletHears(Box<Asked>),
    /// A customer has decided about an order of the provider.
    CustomerDecides(crate::wallet::OrderName, bool),
    /// The cashier looks at the till.
    Cashier(u8),
    /// The printer hears bytes on this connection.
    PrinterHears(u8, u32, Vec<u8>),
    /// A person puts the printer right.
    PrinterMended(u8),
    /// Staff look at a sale.
    Staff(u32),
    /// Every few seconds: chances for crashes, cuts and clock steps.
    Gust(u32),
    /// The storm is over.
    Heal,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Name of the invariant (reliability reference §2.4).
    pub invariant: &'static str,
    /// What was seen.
    pub text: String,
    /// When, in microseconds of the world.
    pub time_us: u64,
}

struct Entry {
    key: Reverse<(u64, u64)>,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Violations kept; one is enough to fail.
const VIOLATIONS_MAX: usize = 8;

/// The shared part of the world.
pub struct Core {
    pub time: u64,
    pub seed: u64,
    pub weather: Weather,
    pub stormy: bool,
    pub healed_at: u64,
    pub answer_us: u64,
    pub ladder: payment::timeouts::Ladder,
    queue: BinaryHeap<Entry>,
    number: u64,
    pub events: u64,
    pub oracle: Oracle,
    pub links: Links,
    pub cashiers: Vec<Cashier>,
    /// The only kind that cashiers start with.
    pub only: Option<payment::Kind>,
    pub tills: Vec<Till>,
    pub provider: Provider,
    pub codes: Codes,
    pub net: Prng,
    pub human: Prng,
    pub crash: Prng,
    pub alive: [bool; PLACES],
    /// Tills with a download that ended and was not judged yet.
    pub downloaded: std::collections::BTreeSet<u8>,
    pub epochs: [u32; PLACES],
    pub marks: Marks,
    pub fired: Vec<FaultName>,
    pub violations: Vec<Violation>,
    pub trace: Option<Vec<String>>,
    pub records: u64,
    pub bytes: u64,
    pub frames: u64,
    pub counted_frames: u64,
    pub refused_frames: u64,
    pub unwritten: u64,
    pub crashes: u64,
    #[cfg(feature = "planted")]
    pub planted: Option<crate::planted::Bug>,
}

impl Core {
    pub fn new(scenario: &Scenario, oracle: Oracle, tills: Vec<Till>, trace: bool) -> Self {
        let seed = scenario.seed;
        let ladder = scenario.ladder();
        let (terminals, banks) = (scenario.terminals as usize, oracle.units.len());
        Self {
            time: 0,
            seed,
            weather: scenario.weather.clone(),
            stormy: true,
            healed_at: u64::MAX,
            answer_us: ladder.terminal_ms * 1_000,
            ladder,
            queue: BinaryHeap::with_capacity(256),
            number: 0,
            events: 0,
            oracle,
            links: Links::new(scenario.acquirers as usize, banks, terminals),
            cashiers: (0..terminals)
                .map(|_| Cashier::new(scenario.purchases))
                .collect(),
            only: scenario.kind,
            tills,
            provider: Provider::new(seed),
            codes: Codes::default(),
            net: Prng::new(seed, 0x4E7),
            human: Prng::new(seed, 0x40),
            crash: Prng::new(seed, 0xC4A5),
            alive: [true; PLACES],
            downloaded: Default::default(),
            epochs: [0; PLACES],
            marks: Marks::default(),
            fired: Vec::new(),
            violations: Vec::new(),
            trace: trace.then(Vec::new),
            records: 0,
            bytes: 0,
            frames: 0,
            counted_frames: 0,
            refused_frames: 0,
            unwritten: 0,
            crashes: 0,
            #[cfg(feature = "planted")]
            planted: scenario.planted,
        }
    }

    /// Something will happen.
    pub fn push(&mut self, at: u64, event: Event) {
        self.number += 1;
        self.queue.push(Entry {
            key: Reverse((at.max(self.time), self.number)),
            event,
        });
    }

    /// An input will reach a node, unless it dies before.
    pub fn push_input(&mut self, after_us: u64, who: Who, input: AnyInput) {
        let epoch = self.epochs[who.place() as usize];
        self.push(
            self.time + after_us,
            Event::Input(who, epoch, Box::new(input)),
        );
    }

    /// Nothing is to come but what `fits`.
    pub fn rests(&self, fits: impl Fn(u64, &Event) -> bool) -> bool {
        let mut queue = self.queue.iter();
        queue.all(|entry| fits(entry.key.0.0, &entry.event))
    }

    /// The next thing that happens before `end`.
    pub fn next(&mut self, end: u64) -> Option<Event> {
        if self.queue.peek()?.key.0.0 > end {
            return None;
        }
        let entry = self.queue.pop()?;
        self.time = entry.key.0.0;
        self.events += 1;
        Some(entry.event)
    }

    /// Whether this fault happens here and now, and a number to shape it.
    pub fn fires(&mut self, fault: Fault, place: u32, number: u32) -> Option<u64> {
        let rate = u64::from(self.weather.rates[fault as usize]);
        let due = self.is_due(fault);
        if !self.stormy || (rate == 0 && !due && self.weather.with.is_empty()) {
            return None;
        }
        let name = FaultName {
            fault,
            place,
            number,
        };
        let draw = named(
            self.seed,
            fault as u64 + 1,
            u64::from(place),
            u64::from(number),
        );
        let aimed = rate > 0
            && self.weather.aimed
            && is_aimed(fault)
            && number % 16 == self.target(fault, place);
        if !aimed && !due && draw % 10_000 >= rate && !self.weather.with.contains(&name) {
            return None;
        }
        if self.weather.without.contains(&name) {
            return None;
        }
        self.fired.push(name);
        if self.traced() {
            self.note_world(|| format!("FAULT    {name}"));
        }
        Some(crate::prng::mix(draw))
    }

    /// An experiment's fault that has not struck yet, and there is something to strike.
    fn is_due(&self, fault: Fault) -> bool {
        self.weather.once.contains(&fault)
            && self.fired.iter().all(|fired| fired.fault != fault)
            && self.oracle.sales.iter().any(|sale| sale.begun)
    }

    /// Of sixteen messages at a place, the one that an aimed fault hits.
    fn target(&self, fault: Fault, place: u32) -> u32 {
        (named(self.seed, 0xA1, fault as u64, u64::from(place)) % 16) as u32
    }

    pub fn violate(&mut self, invariant: &'static str, text: impl FnOnce() -> String) {
        if self.violations.len() < VIOLATIONS_MAX {
            let violation = Violation {
                invariant,
                text: text(),
                time_us: self.time,
            };
            self.note_world(|| format!("VIOLATED {invariant}: {}", violation.text));
            self.violations.push(violation);
        }
    }

    pub fn mark(&mut self, mark: Mark) {
        self.marks.hit(mark);
    }

    pub fn traced(&self) -> bool {
        self.trace.is_some()
    }

    pub fn note(&mut self, who: Who, line: impl FnOnce() -> String) {
        let time = self.time;
        if let Some(trace) = &mut self.trace {
            let name = match who {
                Who::Acquirer(0) => "acquirer".to_owned(),
                Who::Acquirer(n) => format!("acquirer{n}"),
                Who::Network => "network".to_owned(),
                Who::Issuer(n) => format!("issuer {n}"),
                Who::Terminal(n) => format!("till {n}"),
            };
            trace.push(format!("{:>12}  {name:<9} {}", Seconds(time), line()));
        }
    }

    pub fn note_world(&mut self, line: impl FnOnce() -> String) {
        let time = self.time;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>12}  {:<9} {}", Seconds(time), "*", line()));
        }
    }

    pub fn skips_a_record(&self) -> bool {
        #[cfg(feature = "planted")]
        return self.planted
            == Some(crate::planted::Bug::Driver(
                crate::planted::Driver::RecoverySkips,
            ));
        #[cfg(not(feature = "planted"))]
        false
    }

    pub fn takes_torn_tails(&self) -> bool {
        #[cfg(feature = "planted")]
        return self.planted
            == Some(crate::planted::Bug::Driver(
                crate::planted::Driver::TakesTornTail,
            ));
        #[cfg(not(feature = "planted"))]
        false
    }
}

const fn is_aimed(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::RequestLost
            | Fault::IssuerAnswerLost
            | Fault::NetworkAnswerLost
            | Fault::AcquirerAnswerLost
            | Fault::ReversalLost
            | Fault::LateAnswer
    )
}

/// Microseconds shown as seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000))
    }
}
