//! The POS centre: terminals, MAC, duplicates, in flight, reversals without end, evidence of paper, the one-sided queue.
//!
//! It never touches a cardholder's account. "Reversed" is said only with the issuer's word; a reversal is never given up.

mod batch;
mod books;
mod certificate;
mod config;
mod declaration;
mod download;
mod edge;
mod guard;
mod limits;
mod network;
mod notice;
mod original;
#[cfg(feature = "planted")]
pub mod planted;
mod query;
mod recall;
mod record;
mod remedy;
mod reversal;
mod sale;
mod scan;
mod session;
mod sign;
mod state;
mod terminal;
mod views;
pub mod wallet;

pub use batch::{Break, BreakItem, ClosedBatch, Settling};
pub use books::{NETWORK_RECEIVABLE, WALLET_RECEIVABLE};
pub use config::{Config, MerchantSetup, TerminalSetup};
pub use limits::{BREAKS_MAX, SALES_MAX, TOMBSTONES_MAX, UPLOADED_MAX};
pub use recall::{Found, Question, Recalled, Wanted};
pub use record::Record;
pub use sale::{FirstAnswer, Reply, SaleRecord};
pub use session::Session;
pub use state::{Counters, State};

use payment::host;
use payment::terminal::{Answer, MacCheck, Sealed};
use payment::{
    Decision, HostKey, LinkId, Machine, Mandate, Mono, Now, Remedy, ResponseCode, SaleKey,
    Statement,
};

/// The acquirer.
#[derive(Debug)]
pub struct Acquirer {
    config: Config,
    state: State,
    /// There is an archive to look into.
    recalls: bool,
    sales_max: Option<usize>,
    #[cfg(feature = "planted")]
    planted: Option<planted::Bug>,
}

/// What an acquirer hears.
#[derive(Debug)]
pub enum Input {
    /// After a replay.
    Resumed,
    /// A deadline passed.
    Tick,
    /// A terminal asks.
    Request {
        /// Where the answer goes.
        reply: Reply,
        /// Field 64.
        mac: MacCheck,
        /// The request, its PIN block already in the network's zone.
        sealed: Box<Sealed>,
        /// The PIN block could not be taken over into the network's zone.
        pin_refused: Option<ResponseCode>,
        /// Fresh working keys and their field 62, for a sign-on.
        keys: Option<Box<(crypto::WorkingKeys, payment::terminal::KeysField)>>,
        /// A fresh link id, for a sale.
        link: Option<LinkId>,
    },
    /// A terminal sent something readable that is not served; this answer says so.
    NotServed {
        /// Where the answer goes.
        reply: Reply,
        /// The answer.
        answer: Box<Answer>,
    },
    /// The network answers.
    Answer {
        /// Field 128.
        mac: MacCheck,
        /// The answer.
        answer: Box<host::Answer>,
        /// Keys of a sign-on answer, already wrapped.
        keys: Option<(crypto::WrappedKey, crypto::WrappedKey)>,
    },
    /// The network asks: echo, sign-off or new keys (already wrapped, or refused).
    NetworkAsks {
        /// The request.
        management: host::Management,
        /// New keys, when it brings some and they check.
        keys: Option<(crypto::WrappedKey, crypto::WrappedKey)>,
    },
    /// This request certainly did not leave for the network.
    NotSent {
        /// The request.
        key: HostKey,
    },
    /// This answer certainly did not reach the terminal.
    Undelivered {
        /// The sale it was about.
        key: SaleKey,
    },
    /// What a look into the archive found.
    Recalled {
        /// The question as it was asked.
        question: Box<Question>,
        /// What was found.
        found: Found,
    },
    /// A wallet's provider says how an order stands.
    Wallet {
        /// The sale of the order.
        key: SaleKey,
        /// The number of the request that it answers.
        ask: u32,
        /// What it says.
        answer: wallet::WalletAnswer,
    },
    /// A cardholder makes a statement about a sale on its page.
    Declare {
        /// The sale.
        key: SaleKey,
        /// What is said.
        statement: Statement,
    },
    /// Staff of the acquirer do something about a transaction.
    Remedy {
        /// The transaction.
        key: SaleKey,
        /// What.
        remedy: Remedy,
        /// On whose word.
        mandate: Box<Mandate>,
    },
    /// The link to the network came up or went down.
    Link {
        /// Up.
        up: bool,
    },
}

/// What an acquirer does.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // an effect lives until its frame is written
pub enum Effect {
    /// Answers a terminal.
    Reply {
        /// Where it goes.
        reply: Reply,
        /// The answer.
        answer: Answer,
        /// Carries a MAC under the terminal's current key.
        mac: bool,
        /// The sale whose delivery this is.
        about: Option<SaleKey>,
    },
    /// Sends a request to the network.
    Forward(Box<host::Sealed>),
    /// Asks a wallet's provider.
    Wallet {
        /// The request.
        request: wallet::WalletRequest<SaleKey>,
        /// Reference number of the order's sale: with its key it names the order for ever.
        rrn: payment::Rrn,
        /// The scanned code, sealed.
        card: crypto::Card,
    },
    /// Answers the network.
    NetworkReply(host::Answer),
    /// Looks for a forgotten original outside, and answers with [`Input::Recalled`].
    Recall {
        /// Which.
        wanted: Wanted,
        /// Comes back with the answer.
        question: Box<Question>,
    },
    /// A sale entered the one-sided queue, or a reversal was refused: people must look.
    CaseOpened {
        /// Its number.
        case: u32,
        /// The sale.
        key: SaleKey,
    },
}

type Decided = Decision<Record, Effect>;

impl Acquirer {
    /// An acquirer with an empty state.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            state: State::default(),
            recalls: false,
            sales_max: None,
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The state, read only.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Machine for Acquirer {
    type Input = Input;
    type Record = Record;
    type Effect = Effect;

    fn decide(&self, now: Now, input: Input) -> Decided {
        let mut decided = Decided::nothing();
        match input {
            Input::Resumed => self.resumed(now, &mut decided),
            Input::Tick => self.tick(now, &mut decided),
            Input::Request {
                reply,
                mac,
                sealed,
                pin_refused,
                keys,
                link,
            } => {
                self.request(
                    now,
                    terminal::Heard {
                        reply,
                        mac,
                        sealed: *sealed,
                        pin_refused,
                        keys,
                        link,
                    },
                    &mut decided,
                );
            }
            Input::NotServed { reply, answer } => {
                decided.effect(Effect::Reply {
                    reply,
                    answer: *answer,
                    mac: false,
                    about: None,
                });
            }
            Input::Answer { mac, answer, keys } => {
                self.network_answer(now, mac, &answer, keys, &mut decided)
            }
            Input::NetworkAsks { management, keys } => {
                self.network_asks(management, keys, &mut decided)
            }
            Input::NotSent { key } => self.not_sent(now, key, &mut decided),
            Input::Undelivered { key } => self.undelivered(key, &mut decided),
            Input::Recalled { question, found } => {
                self.recalled(now, *question, found, &mut decided)
            }
            Input::Wallet { key, ask, answer } => {
                self.wallet_heard(now, key, ask, &answer, &mut decided)
            }
            Input::Declare { key, statement } => self.declare(now, key, statement, &mut decided),
            Input::Remedy {
                key,
                remedy,
                mandate,
            } => self.remedy(now, key, remedy, *mandate, &mut decided),
            Input::Link { up } => self.link(now, up, &mut decided),
        }
        self.add_notices(&mut decided);
        decided
    }

    fn apply(&mut self, record: &Record) {
        self.state.apply(record);
    }

    fn deadline(&self) -> Option<Mono> {
        self.state.deadline()
    }
}
