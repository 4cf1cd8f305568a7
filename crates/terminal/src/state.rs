//! The terminal's state: a fold of its records and nothing else.

use crate::ChipKept;
use crate::Downloads;
use crate::batch::Settling;
use crate::limits::COMPLETED_MAX;
use crate::record::{Cash, Ending, Record};
use crate::report::Shift;
use crypto::WorkingKeys;
use payment::batch::UploadPart;
use payment::terminal::{Request, Sale};
use payment::{
    Batch, Flow, LinkId, Mono, Now, QrText, ResponseCode, SaleKey, Sign, SignOutcome, Stan,
};
use receipt::Spool;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The one outstanding exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number.
    pub number: u64,
    /// The request.
    pub request: Request,
    /// Until when its answer is awaited.
    pub deadline: Mono,
}

/// What is being done about the open sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Its answer is awaited.
    Asked,
    /// Unknown: the acquirer is asked what became of it.
    Unknown {
        /// Questions asked in vain.
        queries: u32,
        /// Next question.
        ask_at: Mono,
    },
    /// The acquirer reverses it.
    Following {
        /// Next question.
        ask_at: Mono,
    },
    /// Recovered late: were the goods handed over?
    Question {
        /// What was recovered.
        approval: crate::record::Approval,
        /// No answer until then means no.
        until: Mono,
    },
}

/// The open sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The request without secrets.
    pub sale: Sale,
    /// When it was started.
    pub started: Now,
    /// What is being done about it.
    pub phase: Phase,
}

/// The pending reversal; it goes before anything else that is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReversal {
    /// The sale.
    pub sale: Sale,
    /// When the sale was started.
    pub started: Now,
    /// Field 39.
    pub reason: ResponseCode,
    /// Attempts made.
    pub attempts: u32,
    /// Next attempt.
    pub next: Mono,
    /// The last refusal.
    pub refused: Option<ResponseCode>,
}

/// An advice that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The request.
    pub sale: Sale,
    /// When it was kept.
    pub stored: Now,
    /// Attempts made.
    pub attempts: u32,
    /// Next attempt.
    pub next: Mono,
}

/// A completed sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// The request.
    pub sale: Sale,
    /// How it ended.
    pub ending: Ending,
    /// When.
    pub at: Now,
    /// Where its e-slip is.
    pub link: Option<LinkId>,
    /// Its e-slip was shown.
    pub eslip: bool,
    /// Its batch is closed.
    pub settled: bool,
}

/// A completed sale whose slip is not on paper yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unslipped {
    pub key: SaleKey,
    pub slip_id: u64,
    pub link: LinkId,
    /// When the sale ended.
    pub at: Mono,
}

/// Totals of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Approved debits: purchases, completions, offline sales.
    pub debits: u32,
    /// Their sum in minor units, with adjustments.
    pub debits_minor: u64,
    /// Approved credits: voids, refunds.
    pub credits: u32,
    /// Their sum in minor units.
    pub credits_minor: u64,
    /// Reversed transactions.
    pub reversed: u32,
    /// Advices that were told as done and that the issuer refused.
    pub refused_advices: u32,
    /// Times that cash was taken.
    pub cash: u32,
    /// Its sum in minor units.
    pub cash_minor: u64,
}

/// A charge that was refused because it may repeat an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The refused charge.
    pub sale: Sale,
    /// The unresolved one.
    pub earlier: SaleKey,
}

/// Everything a terminal knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub(crate) keys: Option<WorkingKeys>,
    pub(crate) batch: Batch,
    pub(crate) next_stan: Stan,
    pub(crate) sign_on_at: Option<Mono>,
    pub(crate) exchange: Option<Exchange>,
    pub(crate) next_exchange: u64,
    pub(crate) open: Option<Open>,
    pub(crate) reversal: Option<PendingReversal>,
    pub(crate) advices: VecDeque<Advice>,
    pub(crate) completed: VecDeque<Completed>,
    pub(crate) totals: Totals,
    pub(crate) signed: Option<(Batch, Stan, SignOutcome)>,
    pub(crate) reported: Option<Sign>,
    pub(crate) idle_since: Mono,
    pub(crate) spool: Spool,
    /// Of the open sale, or of the one being reversed.
    pub(crate) link: Option<LinkId>,
    /// What the customer scans to pay the open sale.
    pub(crate) qr: Option<QrText>,
    pub(crate) unslipped: VecDeque<Unslipped>,
    /// By batch and trace number.
    pub(crate) chips: BTreeMap<(Batch, Stan), ChipKept>,
    pub(crate) settling: Option<Settling>,
    pub(crate) shift: Shift,
    pub(crate) cash: VecDeque<Cash>,
    pub(crate) refused: Option<Refused>,
    /// Sales that were taken back, until the acquirer has heard that this terminal knows.
    pub(crate) taken_back: VecDeque<SaleKey>,
    pub(crate) downloads: Downloads,
}

impl State {
    pub(crate) fn new(first_stan: Stan) -> Self {
        Self {
            keys: None,
            batch: Batch(0),
            next_stan: first_stan,
            sign_on_at: None,
            exchange: None,
            next_exchange: 1,
            open: None,
            reversal: None,
            advices: VecDeque::new(),
            completed: VecDeque::new(),
            totals: Totals::default(),
            signed: None,
            reported: None,
            idle_since: Mono(0),
            spool: Spool::default(),
            link: None,
            qr: None,
            unslipped: VecDeque::new(),
            chips: BTreeMap::new(),
            settling: None,
            shift: Shift::default(),
            cash: VecDeque::new(),
            refused: None,
            taken_back: VecDeque::new(),
            downloads: Downloads::default(),
        }
    }

    /// True when it has keys and needs no sign-on.
    pub fn signed_on(&self) -> bool {
        self.keys.is_some() && self.sign_on_at.is_none()
    }

    /// The keys.
    pub fn keys(&self) -> Option<&WorkingKeys> {
        self.keys.as_ref()
    }

    /// The batch.
    pub fn batch(&self) -> Batch {
        self.batch
    }

    /// The next trace number.
    pub fn next_stan(&self) -> Stan {
        self.next_stan
    }

    /// The open sale.
    pub fn open(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// The pending reversal.
    pub fn reversal(&self) -> Option<&PendingReversal> {
        self.reversal.as_ref()
    }

    /// Advices that wait for their answer, oldest first.
    pub fn advices(&self) -> impl ExactSizeIterator<Item = &Advice> {
        self.advices.iter()
    }

    /// Link of the open sale, or of the one being reversed.
    pub fn link(&self) -> Option<LinkId> {
        self.link
    }

    /// What the customer scans to pay the open sale.
    pub fn qr(&self) -> Option<QrText> {
        self.qr
    }

    /// The outstanding exchange.
    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_ref()
    }

    /// Completed sales, oldest first.
    pub fn completed(&self) -> impl DoubleEndedIterator<Item = &Completed> {
        self.completed.iter()
    }

    /// Totals of the batch.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The settlement under way.
    pub fn settling(&self) -> Option<&Settling> {
        self.settling.as_ref()
    }

    /// What the cashier took since the last shift was closed.
    pub fn shift(&self) -> &Shift {
        &self.shift
    }

    /// The spool.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Nothing is open, pending or on the wire.
    pub fn is_settled(&self) -> bool {
        self.open.is_none() && self.reversal.is_none()
    }

    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::Asked {
                exchange,
                request,
                at,
                deadline,
            } => self.asked(*exchange, request, *at, *deadline),
            Record::ExchangeEnded { at, reported } => {
                self.exchange = None;
                self.idle_since = at.mono;
                if let Some(sign) = reported {
                    self.heard(*sign);
                }
            }
            Record::SignedOn { keys, batch } => {
                self.keys = Some(*keys);
                self.batch = *batch;
                self.sign_on_at = None;
                self.try_downloads_again();
            }
            Record::SignedOff => {
                self.keys = None;
                self.sign_on_at = None;
            }
            Record::SignOnNeeded { retry_at } => self.sign_on_at = Some(*retry_at),
            Record::Unknown { queries, ask_at } => {
                if let Some(open) = &mut self.open {
                    open.phase = Phase::Unknown {
                        queries: *queries,
                        ask_at: *ask_at,
                    };
                }
            }
            Record::Following {
                sale,
                started,
                ask_at,
            } => {
                self.reversal = None;
                self.open = Some(Open {
                    sale: *sale,
                    started: *started,
                    phase: Phase::Following { ask_at: *ask_at },
                });
            }
            Record::AskGoods { approval, until } => {
                if let Some(open) = &mut self.open {
                    open.phase = Phase::Question {
                        approval: *approval,
                        until: *until,
                    };
                }
            }
            Record::ReversalPending { reason, next } => {
                if let Some(Open { sale, started, .. }) = self.open.take() {
                    self.reversal = Some(PendingReversal {
                        sale,
                        started,
                        reason: *reason,
                        attempts: 0,
                        next: *next,
                        refused: None,
                    });
                }
            }
            Record::ReversalAgain { next, refused } => {
                if let Some(reversal) = &mut self.reversal {
                    reversal.next = *next;
                    if refused.is_some() {
                        reversal.refused = *refused;
                    }
                }
            }
            Record::Ended { ending, at } => self.ended(*ending, *at),
            Record::Spool(record) => {
                self.spool.apply(record);
                if !self.unslipped.is_empty() {
                    self.paper_came();
                }
            }
            Record::Linked { link } => self.link = Some(*link),
            Record::Scan { qr } => self.qr = Some(*qr),
            Record::ESlipShown { key } => self.eslip_shown(*key),
            Record::Stored { sale, at } => self.stored(sale, *at),
            Record::AdviceAgain { next } => {
                if let Some(advice) = self.advices.front_mut() {
                    advice.next = *next;
                }
            }
            Record::Chip { key, chip } => self.keep_chip(key, chip),
            Record::AdviceEnded { ending, at, link } => self.advice_ended(*ending, *at, *link),
            Record::SettleAsked { at } => self.settle_asked(*at),
            Record::Compared { codes, at } => self.compared(*codes, *at),
            Record::SettleAgain {
                done,
                place,
                round,
                next,
                anew,
            } => self.settle_again(*done, *place, (*round, *next), *anew),
            Record::BatchClosed { at } => self.batch_closed(*at),
            Record::SettleRefused { at } => self.settle_refused(*at),
            Record::ShiftClosed { at } => {
                self.shift = Shift {
                    since: Some(*at),
                    ..Shift::default()
                };
            }
            Record::CashTaken { cash } => self.cash_taken(cash),
            Record::Guarded { sale, earlier } => {
                self.refused = Some(Refused {
                    sale: *sale,
                    earlier: *earlier,
                });
            }
            Record::Overridden { at, .. } => self.ended(Ending::Replaced, *at),
            Record::TakenBack { sale, ending, .. } => self.taken_back(*sale, *ending),
            download @ (Record::DownloadsWanted { .. }
            | Record::DownloadListed { .. }
            | Record::DownloadTaken { .. }
            | Record::DownloadEnded { .. }
            | Record::DownloadAgain { .. }
            | Record::DownloadGivenUp { .. }) => self.apply_download(download),
        }
    }

    fn asked(&mut self, number: u64, request: &Request, at: Now, deadline: Mono) {
        self.exchange = Some(Exchange {
            number,
            request: *request,
            deadline,
        });
        self.next_exchange = number + 1;
        self.shift.since.get_or_insert(at);
        if let Some(sign) = request.sign() {
            self.said(sign);
        }
        match request {
            Request::Financial { sale, .. } if sale.kind.row().is_advice() => {
                if let Some(advice) = self.advices.front_mut() {
                    advice.attempts = advice.attempts.saturating_add(1);
                }
            }
            Request::Financial { sale, .. } if sale.kind.row().reversible() => {
                self.open = Some(Open {
                    sale: *sale,
                    started: at,
                    phase: Phase::Asked,
                });
                self.link = None;
                self.qr = None;
                self.refused = None;
            }
            Request::Query { .. } => {
                if let Some(Open {
                    phase: Phase::Unknown { queries, .. },
                    ..
                }) = &mut self.open
                {
                    *queries += 1;
                }
            }
            Request::Reversal { .. } => {
                if let Some(reversal) = &mut self.reversal {
                    reversal.attempts = reversal.attempts.saturating_add(1);
                }
            }
            Request::Settle { totals, .. } => {
                if let Some(settling) = &mut self.settling {
                    settling.totals = Some(*totals);
                }
            }
            _ => {}
        }
        // A reversal repeats its original's number, an advice took its own when it was kept, and some have none;
        // everything else takes a new one.
        let kind = request.kind();
        let uploads_one = matches!(
            request,
            Request::Upload {
                part: UploadPart::Advice(_) | UploadPart::Chip(_),
                ..
            }
        );
        let row = kind.row();
        let takes_one =
            row.is_numbered() && row.flow != Flow::Reversal && !row.is_advice() && !uploads_one;
        if takes_one {
            self.next_stan = self.next_stan.next();
        }
    }

    fn ended(&mut self, ending: Ending, at: Now) {
        let sale = self
            .open
            .take()
            .map(|open| open.sale)
            .or(self.reversal.take().map(|reversal| reversal.sale));
        let Some(sale) = sale else { return };
        let outcome = match ending {
            Ending::Approved(approval) => {
                self.count(&sale, approval.amount);
                Some(SignOutcome::Approved)
            }
            Ending::Reversed { .. } => {
                self.totals.reversed += 1;
                Some(SignOutcome::Reversed)
            }
            Ending::Declined(_) | Ending::NotSent | Ending::Case | Ending::Replaced => None,
        };
        // Only an outcome that the acquirer waits for replaces the sign: a decline must not hide an unreported approval.
        if let Some(outcome) = outcome {
            self.signed = Some((sale.key.batch, sale.key.stan, outcome));
        }
        self.idle_since = at.mono;
        let link = self.link.take();
        self.complete(sale, ending, at, link);
    }

    pub(crate) fn complete(&mut self, sale: Sale, ending: Ending, at: Now, link: Option<LinkId>) {
        let completed = Completed {
            sale,
            ending,
            at,
            link,
            eslip: false,
            settled: false,
        };
        self.await_paper(&completed);
        self.completed.push_back(completed);
        if self.completed.len() > COMPLETED_MAX {
            // What counts in the open batch stays; there is less of it than room.
            let forgettable = |completed: &Completed| self.may_be_forgotten(completed);
            let oldest = self.completed.iter().position(forgettable);
            self.completed.remove(oldest.unwrap_or(0));
        }
    }
}
