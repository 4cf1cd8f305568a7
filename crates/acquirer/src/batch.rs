//! Batches: our own totals of each terminal's batch against the terminal's, record by record where they differ.
//!
//! A batch is closed once; what either side has and the other has not is named as a break with a case, never evened out.

use crate::limits::UPLOADED_MAX;
use crate::record::Record;
use crate::sale::{Reply, SaleRecord};
use crate::session::Session;
use crate::terminal::refuse;
use crate::{Acquirer, Decided, Effect, State};
use iso8583::tlv;
use payment::batch::{
    BatchTotals, BlockCodes, ChipFailure, ChipOutcome, ChipUpload, Reconciled, UploadPart,
    Uploaded, next_batch,
};
use payment::evidence::Confirmation;
use payment::kind::BatchSide;
use payment::terminal::{Answer, Origin, Request};
use payment::{Batch, ChipRequest, Now, ResponseCode, SaleKey, Stan, TerminalId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A settlement under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settling {
    /// What the terminal counts.
    pub claimed: BatchTotals,
    /// What we count.
    pub own: BatchTotals,
    /// What was uploaded, by trace number.
    pub uploaded: BTreeMap<Stan, Uploaded>,
    /// Trace numbers of chips whose last word was uploaded.
    pub chips: BTreeSet<Stan>,
}

/// In what terminal and acquirer disagree about one transaction of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Break {
    /// The terminal has it; we have not, or it does not stand here.
    AcquirerHasNot {
        /// The terminal's amount in minor units.
        claimed_minor: u64,
    },
    /// It stands here; the terminal has not uploaded it.
    TerminalHasNot {
        /// Our amount in minor units.
        own_minor: u64,
    },
    /// Both have it, over different amounts.
    AmountsDiffer {
        /// The terminal's amount in minor units.
        claimed_minor: u64,
        /// Our amount in minor units.
        own_minor: u64,
    },
    /// Both have it, with different cards.
    CardsDiffer,
}

/// A break that people have to clear up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakItem {
    /// The transaction.
    pub key: SaleKey,
    /// What differs.
    pub found: Break,
    /// When its batch was closed.
    pub at: Now,
}

/// A batch that was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedBatch {
    /// What the terminal counted.
    pub claimed: BatchTotals,
    /// What we counted.
    pub own: BatchTotals,
    /// Breaks named.
    pub breaks: u32,
    /// When.
    pub at: Now,
}

impl Acquirer {
    /// 0500: compares the totals. The same question again gets the same answer; after the end of the batch 94.
    pub(crate) fn settle(
        &self,
        now: Now,
        reply: Reply,
        request: &Request,
        claimed: BatchTotals,
        decided: &mut Decided,
    ) {
        let origin = request.origin();
        let mac = request.carries_mac();
        if let Err(code) = self.open_batch(&origin) {
            return refuse(reply, request, code, mac, decided);
        }
        let own = self.state.batch_totals(&origin);
        let codes = own.compare(&claimed);
        decided.record(Record::Compared {
            terminal: origin.terminal,
            batch: origin.batch,
            claimed,
            own,
            at: now,
        });
        for sale in self.state.batch_sales(&origin) {
            if codes.of(&sale.request.card) == Reconciled::Balanced {
                confirm(sale, decided);
            }
        }
        let mut answer = Answer::to(request, ResponseCode::APPROVED);
        answer.local = Some((now.wall.time(), now.wall.date()));
        answer.compared = Some((claimed, codes));
        decided.effect(Effect::Reply {
            reply,
            answer,
            mac,
            about: None,
        });
    }

    /// 0320: keeps what is uploaded, and closes the batch at its end.
    pub(crate) fn upload(
        &self,
        now: Now,
        reply: Reply,
        request: &Request,
        ((part, records), chip): ((&UploadPart, &[Uploaded]), Option<&ChipRequest>),
        decided: &mut Decided,
    ) {
        let origin = request.origin();
        let code = match self.open_batch(&origin) {
            Err(code) => code,
            Ok(session) => match (&session.settling, part) {
                // Nobody has compared anything yet.
                (None, _) => ResponseCode::INVALID_RELATED,
                (Some(settling), UploadPart::Sales(_)) => keep(&origin, settling, records, decided),
                (Some(settling), UploadPart::Advice(sale)) => {
                    #[cfg(feature = "planted")]
                    self.books_again(sale, decided);
                    let one = Uploaded {
                        stan: sale.key.stan,
                        card: sale.card,
                        amount_minor: sale.amount.minor,
                    };
                    keep(&origin, settling, &[one], decided)
                }
                (Some(settling), UploadPart::Chip(upload)) => {
                    self.keep_chip(&origin, settling, upload, chip, decided)
                }
                (Some(settling), UploadPart::End { records, .. }) => {
                    if usize::from(*records) == settling.records() {
                        self.close(now, &origin, session, settling, decided);
                        ResponseCode::APPROVED
                    } else {
                        // Something of the upload is missing, or left from another one: it starts anew rather than
                        // become breaks.
                        if !settling.uploaded.is_empty() {
                            decided.record(Record::UploadAnew {
                                terminal: origin.terminal,
                            });
                        }
                        ResponseCode::INVALID_RELATED
                    }
                }
            },
        };
        refuse(reply, request, code, request.carries_mac(), decided);
    }

    /// Keeps the last word of a chip; what was approved counts as uploaded too.
    fn keep_chip(
        &self,
        origin: &Origin,
        settling: &Settling,
        upload: &ChipUpload,
        chip: Option<&ChipRequest>,
        decided: &mut Decided,
    ) -> ResponseCode {
        let (Some(stan), Some(chip)) = (origin.stan, chip) else {
            return ResponseCode::FORMAT_ERROR;
        };
        if settling.chips.contains(&stan) {
            return ResponseCode::APPROVED;
        }
        if settling.chips.len() >= UPLOADED_MAX {
            return ResponseCode::SYSTEM_ERROR;
        }
        let key = SaleKey {
            terminal: origin.terminal,
            merchant: origin.merchant,
            batch: origin.batch,
            stan,
        };
        decided.record(Record::ChipUploaded {
            key,
            upload: *upload,
            evidence: evidence(chip.expose()),
        });
        let sale = self.state.sale(&key);
        // What counts in no total is no part of the comparison.
        if sale.is_some_and(|sale| side(sale) == BatchSide::Neither) {
            return ResponseCode::APPROVED;
        }
        let card = match upload.outcome {
            ChipOutcome::Approved(card) => Some(card),
            ChipOutcome::Failed(_, ChipFailure::IssuerWrong) => sale.map(|s| s.request.card),
            ChipOutcome::Failed(_, ChipFailure::Declined) => None,
        };
        let amount_minor = upload.amount_minor;
        let one = card.map(|card| Uploaded {
            stan,
            card,
            amount_minor,
        });
        keep(origin, settling, one.as_slice(), decided)
    }

    /// The open batch of this terminal.
    ///
    /// # Errors
    /// 94 that batch is closed already; 77 it was never this terminal's.
    fn open_batch(&self, origin: &Origin) -> Result<&Session, ResponseCode> {
        let session = self
            .state
            .session(&origin.terminal)
            .ok_or(ResponseCode::BATCH_MISMATCH)?;
        if session.batch == origin.batch && !session.closed {
            return Ok(session);
        }
        let was_open = (session.first_batch..=session.batch).contains(&origin.batch);
        Err(match was_open {
            true => ResponseCode::DUPLICATE,
            false => ResponseCode::BATCH_MISMATCH,
        })
    }

    /// The batch that a sign-on gives: the next one when the last is closed.
    pub(crate) fn batch_of(&self, session: Option<&Session>) -> Batch {
        match session {
            None => Batch(self.state.next_batch.max(1)),
            Some(session) if session.closed => next_batch(session.batch),
            Some(session) => session.batch,
        }
    }

    fn close(
        &self,
        now: Now,
        origin: &Origin,
        session: &Session,
        settling: &Settling,
        decided: &mut Decided,
    ) {
        let codes = settling.own.compare(&settling.claimed);
        let mut breaks = 0;
        for (stan, found) in self.breaks(origin, session, settling, codes) {
            let key = SaleKey {
                terminal: origin.terminal,
                merchant: origin.merchant,
                batch: origin.batch,
                stan,
            };
            let known = self.state.sale(&key).and_then(|sale| sale.evidence.case);
            let case = known.unwrap_or_else(|| self.state.counters.cases + 1 + fresh(decided));
            decided.record(Record::BatchBreak {
                key,
                found,
                case,
                at: now,
            });
            breaks += 1;
            if known.is_none() {
                decided.effect(Effect::CaseOpened { case, key });
            }
        }
        for sale in self.state.batch_sales(origin) {
            if settling
                .uploaded
                .get(&sale.key().stan)
                .is_some_and(|uploaded| differs(sale, uploaded).is_none())
            {
                confirm(sale, decided);
            }
        }
        decided.record(Record::BatchClosed {
            terminal: origin.terminal,
            batch: origin.batch,
            breaks,
            at: now,
        });
    }

    /// Every break of the blocks that do not balance, by trace number.
    fn breaks(
        &self,
        origin: &Origin,
        session: &Session,
        settling: &Settling,
        codes: BlockCodes,
    ) -> Vec<(Stan, Break)> {
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Bug::NamesNoBreaks) {
            return Vec::new();
        }
        let uneven = |card: &crypto::Card| codes.of(card) != Reconciled::Balanced;
        let own: BTreeMap<Stan, &SaleRecord> = self
            .state
            .batch_sales(origin)
            .filter(|sale| uneven(&sale.request.card))
            .map(|sale| (sale.key().stan, sale))
            .collect();
        let theirs = settling.uploaded.values().filter(|one| uneven(&one.card));
        let claimed = theirs.filter_map(|one| match own.get(&one.stan) {
            Some(sale) => Some((one.stan, differs(sale, one)?)),
            // What was forgotten for lack of memory cannot be judged.
            None if session.forgotten.is_some_and(|highest| one.stan <= highest) => None,
            None => Some((
                one.stan,
                Break::AcquirerHasNot {
                    claimed_minor: one.amount_minor,
                },
            )),
        });
        let unclaimed = own
            .iter()
            .filter(|(stan, _)| !settling.uploaded.contains_key(stan));
        let unclaimed = unclaimed.map(|(stan, sale)| {
            let own_minor = sale.request.amount.minor;
            (*stan, Break::TerminalHasNot { own_minor })
        });
        let mut breaks: Vec<_> = claimed.chain(unclaimed).collect();
        breaks.sort_by_key(|(stan, _)| *stan);
        breaks
    }
}

impl Settling {
    /// Transactions uploaded so far.
    fn records(&self) -> usize {
        let chips_only = |stan: &&Stan| !self.uploaded.contains_key(stan);
        self.uploaded.len() + self.chips.iter().filter(chips_only).count()
    }
}

/// Tags of an uploaded chip transaction that are kept: none of them names the card (reference §2.7).
const EVIDENCE: [u32; 21] = [
    0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03,
    0x9F33, 0x9F34, 0x9F35, 0x9F1E, 0x84, 0x9F09, 0x9F41, 0xDF31,
];

fn evidence(field55: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for tag in EVIDENCE {
        if let Ok(Some(value)) = tlv::find(field55, tag) {
            tlv::write(&mut out, tag, value);
        }
    }
    out
}

/// Keeps what is new of an upload.
fn keep(
    origin: &Origin,
    settling: &Settling,
    records: &[Uploaded],
    decided: &mut Decided,
) -> ResponseCode {
    let mut new = records.to_vec();
    new.retain(|one| settling.uploaded.get(&one.stan) != Some(one));
    if settling.uploaded.len() + new.len() > UPLOADED_MAX {
        return ResponseCode::SYSTEM_ERROR;
    }
    if !new.is_empty() {
        decided.record(Record::Uploaded {
            terminal: origin.terminal,
            records: new,
        });
    }
    ResponseCode::APPROVED
}

/// In what a sale of ours and its upload differ.
fn differs(sale: &SaleRecord, uploaded: &Uploaded) -> Option<Break> {
    let own_minor = sale.request.amount.minor;
    if sale.request.card.token != uploaded.card.token {
        Some(Break::CardsDiffer)
    } else if own_minor != uploaded.amount_minor {
        Some(Break::AmountsDiffer {
            claimed_minor: uploaded.amount_minor,
            own_minor,
        })
    } else {
        None
    }
}

/// The terminal's batch holds it too: nothing more has to be waited for.
fn confirm(sale: &SaleRecord, decided: &mut Decided) {
    if sale.awaits_confirmation() {
        decided.record(Record::Confirmed {
            key: sale.key(),
            confirmation: Confirmation::Settled,
        });
    }
}

/// Cases that this decision has opened already.
fn fresh(decided: &Decided) -> u32 {
    let opened = |effect: &&Effect| matches!(effect, Effect::CaseOpened { .. });
    decided.effects.iter().filter(opened).count() as u32
}

impl State {
    /// What stands of a terminal's batch and counts in its totals.
    fn batch_sales(&self, origin: &Origin) -> impl Iterator<Item = &SaleRecord> {
        let key = |stan| SaleKey {
            terminal: origin.terminal,
            merchant: origin.merchant,
            batch: origin.batch,
            stan: Stan(stan),
        };
        let all = self.sales.range(key(0)..=key(u32::MAX));
        all.map(|(_, sale)| sale)
            .filter(|sale| sale.stands() && side(sale) != BatchSide::Neither)
    }

    fn batch_totals(&self, origin: &Origin) -> BatchTotals {
        let forgotten = self
            .session(&origin.terminal)
            .map(|session| session.forgotten_totals);
        let mut totals = forgotten.unwrap_or_default();
        // What an adjustment takes off must be there by then, and trace numbers go round.
        for adjusts in [false, true] {
            let some = |sale: &&SaleRecord| (side(sale) == BatchSide::Adjust) == adjusts;
            self.batch_sales(origin)
                .filter(some)
                .for_each(|sale| count(&mut totals, sale));
        }
        totals
    }

    pub(crate) fn compared(
        &mut self,
        terminal: TerminalId,
        claimed: BatchTotals,
        own: BatchTotals,
    ) {
        if let Some(session) = self.sessions.get_mut(&terminal) {
            let settling = session.settling.get_or_insert_default();
            (settling.claimed, settling.own) = (claimed, own);
        }
    }

    pub(crate) fn uploaded(&mut self, terminal: TerminalId, records: &[Uploaded]) {
        let session = self.sessions.get_mut(&terminal);
        if let Some(settling) = session.and_then(|session| session.settling.as_mut()) {
            settling
                .uploaded
                .extend(records.iter().map(|one| (one.stan, *one)));
        }
    }

    pub(crate) fn upload_anew(&mut self, terminal: TerminalId) {
        let session = self.sessions.get_mut(&terminal);
        if let Some(settling) = session.and_then(|session| session.settling.as_mut()) {
            settling.uploaded.clear();
            settling.chips.clear();
        }
    }

    pub(crate) fn chip_uploaded(&mut self, key: &SaleKey) {
        let session = self.sessions.get_mut(&key.terminal);
        if let Some(settling) = session.and_then(|session| session.settling.as_mut()) {
            settling.chips.insert(key.stan);
        }
    }

    pub(crate) fn broken(&mut self, key: &SaleKey, found: Break, case: u32, at: Now) {
        self.counters.cases = self.counters.cases.max(case);
        self.breaks.insert(
            case,
            BreakItem {
                key: *key,
                found,
                at,
            },
        );
        if self.breaks.len() > crate::limits::BREAKS_MAX {
            self.breaks.pop_first();
        }
        if self.sales.contains_key(key) {
            self.one_sided_item(key, case, at);
        }
    }

    pub(crate) fn closed_batch(&mut self, terminal: TerminalId, breaks: u32, at: Now) {
        let Some(session) = self.sessions.get_mut(&terminal) else {
            return;
        };
        session.closed = true;
        if let Some(settling) = session.settling.take() {
            session.last_closed = Some(ClosedBatch {
                claimed: settling.claimed,
                own: settling.own,
                breaks,
                at,
            });
        }
    }

    /// Breaks by case number, oldest first.
    pub fn breaks(&self) -> impl Iterator<Item = (u32, &BreakItem)> {
        self.breaks.iter().map(|(case, item)| (*case, item))
    }
}

/// Counts a sale that stands.
pub(crate) fn count(totals: &mut BatchTotals, sale: &SaleRecord) {
    let request = &sale.request;
    totals.count(
        &request.card,
        side(sale),
        request.amount.minor,
        sale.moved_minor,
    );
}

fn side(sale: &SaleRecord) -> BatchSide {
    sale.request.kind.row().totals
}
