//! Settlement: what is pending first, then the totals, then what must be uploaded, then the end; and a new batch.
//!
//! Every step is a record, so that it goes on where it stood after a restart; nothing is closed that was not answered.

use crate::command::show;
use crate::record::{Ending, Record};
use crate::state::{Completed, Exchange};
use crate::{Decided, Screen, State, Terminal, Waits};
use payment::batch::{
    BATCH_MAX, BatchTotals, BlockCodes, ChipFailure, ChipOutcome, ChipUpload, Reconciled,
    UploadPart, Uploaded, is_foreign,
};
use payment::kind::{BatchSide, Flow};
use payment::terminal::{Answer, MacCheck, Origin, Request};
use payment::{Batch, ChipRequest, Mono, Now, ResponseCode, SaleKey, Secrets};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A settlement under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settling {
    /// Which batch; until the acquirer has compared it, the one that the last sign-on gave.
    pub batch: Batch,
    /// When the cashier asked for it.
    pub asked: Now,
    /// The totals as they were sent; none while something pending goes first.
    pub totals: Option<BatchTotals>,
    /// What the acquirer said of them.
    pub codes: Option<BlockCodes>,
    /// Parts of the upload that were answered.
    pub done: BTreeSet<u16>,
    /// The part that is next in this round.
    pub place: u16,
    /// Rounds, or attempts at the totals, that went unanswered.
    pub round: u32,
    /// The next message; none when it waits for the cashier to ask again.
    pub next: Option<Mono>,
}

/// A part of an upload with its card numbers still sealed.
struct Part {
    part: UploadPart,
    records: Vec<Uploaded>,
    /// Of a chip: which one.
    chip: Option<SaleKey>,
}

impl Part {
    const fn of(part: UploadPart) -> Self {
        Self {
            part,
            records: Vec::new(),
            chip: None,
        }
    }
}

impl Terminal {
    /// Starts the settlement, or goes on with one that waits.
    pub(crate) fn settle(&self, now: Now, decided: &mut Decided) {
        let idles = |exchange: &Exchange| {
            matches!(
                exchange.request,
                Request::IdleReport { .. } | Request::Download(_)
            )
        };
        if self.state.exchange.as_ref().is_some_and(idles) {
            self.leave_exchange(now, decided);
        }
        decided.record(Record::SettleAsked { at: now });
        match self.settlement_waits_for() {
            Some(waits) => show(Screen::SettlementWaits(waits), decided),
            None => show(Screen::Settling(self.settling_batch()), decided),
        }
    }

    /// What is pending and goes before a settlement.
    pub fn settlement_waits_for(&self) -> Option<Waits> {
        let state = &self.state;
        if let Some(reversal) = &state.reversal {
            Some(Waits::Reversal(reversal.sale.key))
        } else if let Some(open) = &state.open {
            Some(Waits::Sale(open.sale.key))
        } else {
            let count = state.advices.len();
            (count > 0).then_some(Waits::Advices(count as u32))
        }
    }

    fn settling_batch(&self) -> Batch {
        let compared = self.state.settling.as_ref().filter(|s| s.codes.is_some());
        compared.map_or(self.state.batch, |settling| settling.batch)
    }

    fn settling_round(&self) -> u32 {
        self.state.settling.as_ref().map_or(0, |s| s.round)
    }

    /// When the next message of a settlement is due.
    pub(crate) fn settlement_at(&self) -> Option<Mono> {
        let settling = self.state.settling.as_ref();
        settling
            .filter(|_| self.state.advices.is_empty())
            .and_then(|settling| settling.next)
    }

    /// Sends the next message of the settlement. Everything pending is gone by now.
    pub(crate) fn go_on_settling(&self, now: Now, decided: &mut Decided) {
        let Some(settling) = &self.state.settling else {
            return;
        };
        let origin = Origin {
            batch: self.settling_batch(),
            ..self.origin()
        };
        let mac = self.config.extended;
        let Some(codes) = settling.codes else {
            let own = self.state.batch_totals();
            #[cfg(feature = "planted")]
            let own = self.without_credits(own);
            let totals = settling.totals.unwrap_or(own);
            let request = Request::Settle {
                origin,
                totals,
                mac,
            };
            return self.ask(now, request, Secrets::default(), decided);
        };
        let mut parts = self.parts(codes);
        let place = usize::from(settling.place).min(parts.len().saturating_sub(1));
        let Part {
            part,
            records,
            chip,
        } = parts.swap_remove(place);
        let known = match &part {
            UploadPart::Advice(sale) => Some(sale.key),
            _ => chip,
        };
        // What is known under a trace number keeps it.
        let origin = Origin {
            stan: known.map_or(origin.stan, |key| Some(key.stan)),
            ..origin
        };
        let evidence = chip.and_then(|key| self.state.chip((key.batch, key.stan)));
        let secrets = Secrets {
            uploaded: records,
            chip: evidence.and_then(|kept| ChipRequest::new(&kept.evidence.data)),
            ..Secrets::default()
        };
        self.ask(now, Request::Upload { origin, part, mac }, secrets, decided);
    }

    /// The answer to 0500.
    pub(crate) fn totals_answered(
        &self,
        now: Now,
        answer: &Answer,
        mac: MacCheck,
        decided: &mut Decided,
    ) {
        if !self.is_heard(mac) {
            return self.settlement_unanswered(now, decided);
        }
        match (answer.code, &answer.compared) {
            (ResponseCode::APPROVED, Some((_, codes))) => {
                decided.record(Record::Compared {
                    codes: *codes,
                    at: now,
                });
            }
            // The batch is closed there already; or the number of the last sign-on was garbled: a fresh one tells.
            (ResponseCode::DUPLICATE, _) if self.settling_round() > 0 => {
                self.batch_ended(now, BlockCodes::FAILED, decided);
            }
            (ResponseCode::DUPLICATE, _) => {
                decided.record(Record::SignOnNeeded { retry_at: now.mono });
                self.settlement_unanswered(now, decided);
            }
            (ResponseCode::BATCH_MISMATCH, _) => self.settlement_refused(now, decided),
            _ => self.settlement_unanswered(now, decided),
        }
    }

    /// The answer to 0320: 00 and 94, which says that it was there already, both count.
    pub(crate) fn upload_answered(
        &self,
        now: Now,
        part: &UploadPart,
        answer: &Answer,
        mac: MacCheck,
        decided: &mut Decided,
    ) {
        let taken = matches!(
            answer.code,
            ResponseCode::APPROVED | ResponseCode::DUPLICATE
        );
        let codes = self.state.settling.as_ref().and_then(|s| s.codes);
        if answer.code == ResponseCode::BATCH_MISMATCH && self.is_heard(mac) {
            return self.settlement_refused(now, decided);
        }
        let (Some(codes), true) = (codes, self.is_heard(mac)) else {
            return self.settlement_unanswered(now, decided);
        };
        match (part, taken) {
            (UploadPart::End { .. }, true) => self.batch_ended(now, codes, decided),
            // The acquirer misses something: everything once more, in a further round.
            (UploadPart::End { .. }, false) => self.next_round(now, true, decided),
            (_, true) => self.part_over(now, true, decided),
            (_, false) => self.part_over(now, false, decided),
        }
    }

    /// The acquirer does not know this batch, and asking again would not change that: the till sells on, and what it has
    /// taken is settled with the batch that the next sign-on gives.
    fn settlement_refused(&self, now: Now, decided: &mut Decided) {
        let batch = self.settling_batch();
        decided.record(Record::SettleRefused { at: now });
        show(Screen::SettlementRefused(batch), decided);
    }

    /// Terminals of the extension hear batches and downloads only under a right MAC; the plain dialect carries none.
    pub(crate) fn is_heard(&self, mac: MacCheck) -> bool {
        mac == MacCheck::Right || (!self.config.extended && mac == MacCheck::Absent)
    }

    /// Nobody answered the last message of the settlement.
    pub(crate) fn settlement_unanswered(&self, now: Now, decided: &mut Decided) {
        match self.state.settling.as_ref().map(|s| s.codes) {
            None => {}
            Some(None) => self.next_round(now, false, decided),
            Some(Some(_)) => self.part_over(now, false, decided),
        }
    }

    /// A part was answered or not: the round goes on, the missing ones have another one, and then comes the end.
    fn part_over(&self, now: Now, taken: bool, decided: &mut Decided) {
        let Some(settling) = &self.state.settling else {
            return;
        };
        let Some(codes) = settling.codes else { return };
        let end = self.parts(codes).len() as u16 - 1;
        let place = settling.place;
        let missing = |n: &u16| !(settling.done.contains(n) || taken && *n == place);
        let ahead = (place + 1..end).find(|n| missing(n));
        let anywhere = (0..end).find(|n| missing(n));
        match ahead.or(anywhere) {
            Some(next) if ahead.is_none() => {
                self.round_over(now, taken.then_some(place), next, decided);
            }
            // The end itself went unanswered.
            None if place == end => self.round_over(now, None, end, decided),
            next => {
                decided.record(Record::SettleAgain {
                    done: taken.then_some(place),
                    place: next.unwrap_or(end),
                    round: settling.round,
                    next: Some(now.mono),
                    anew: false,
                });
            }
        }
    }

    fn next_round(&self, now: Now, anew: bool, decided: &mut Decided) {
        let place = self.state.settling.as_ref().map_or(0, |s| s.place);
        let place = if anew { 0 } else { place };
        self.another_round(now, (None, place, anew), decided);
    }

    fn round_over(&self, now: Now, done: Option<u16>, place: u16, decided: &mut Decided) {
        self.another_round(now, (done, place, false), decided);
    }

    /// Not at once, and not without end: after the configured rounds it waits for the cashier.
    fn another_round(
        &self,
        now: Now,
        (done, place, anew): (Option<u16>, u16, bool),
        decided: &mut Decided,
    ) {
        let round = self.settling_round() + 1;
        let goes_on = round <= self.batch_resends();
        let next = goes_on.then(|| now.mono.plus_ms(self.config.gaps.after(round)));
        decided.record(Record::SettleAgain {
            done,
            place,
            round,
            next,
            anew,
        });
        if !goes_on {
            show(Screen::SettlementWaits(Waits::Host), decided);
        }
    }

    /// The acquirer has closed the batch: the slip first, so that a restart in between cannot lose it.
    fn batch_ended(&self, now: Now, codes: BlockCodes, decided: &mut Decided) {
        let batch = self.settling_batch();
        self.print_settlement(now, batch, codes, decided);
        decided.record(Record::BatchClosed { at: now });
        show(Screen::Settled { batch, codes }, decided);
    }

    fn parts(&self, codes: BlockCodes) -> Vec<Part> {
        let parts = self.state.parts(codes);
        #[cfg(feature = "planted")]
        let parts = self.without_chips(parts, |part| matches!(part.part, UploadPart::Chip(_)));
        parts
    }
}

impl State {
    /// What counts in the open batch: approved transactions that were not settled yet, oldest first.
    pub(crate) fn batch_journal(&self) -> impl Iterator<Item = &Completed> {
        self.completed
            .iter()
            .filter(|completed| completed.counts_in_batch())
    }

    /// The open batch is full: it is settled before anything more.
    pub(crate) fn batch_is_full(&self) -> bool {
        let kept = self.completed.iter().filter(|c| !self.may_be_forgotten(c));
        kept.count() + self.advices.len() >= BATCH_MAX
    }

    /// May be forgotten when memory is short: it counts in no open batch and goes up with none.
    pub(crate) fn may_be_forgotten(&self, completed: &Completed) -> bool {
        !completed.counts_in_batch() && self.chip_outcome(completed).is_none()
    }

    /// What goes up of the chip of a transaction of the open batch (reference §3.8, groups 5 to 7).
    fn chip_outcome(&self, completed: &Completed) -> Option<ChipOutcome> {
        let sale = &completed.sale;
        if completed.settled || !sale.entry.is_chip() || !sale.kind.row().charges() {
            return None;
        }
        let kept = self.chip((sale.key.batch, sale.key.stan))?;
        let approved = completed.approval().is_some();
        let issuer_wrong = kept.evidence.issuer_wrong();
        match (approved, kept.evidence.get(0x9F27)) {
            (true, _) if issuer_wrong => {
                let failure = ChipFailure::IssuerWrong;
                Some(ChipOutcome::Failed(sale.kind, failure))
            }
            (true, _) => Some(ChipOutcome::Approved(sale.card)),
            // The host approved, the card did not, and the sale was taken back for it.
            (false, Some([0x00])) if matches!(completed.ending, Ending::Reversed { .. }) => {
                Some(ChipOutcome::Failed(sale.kind, ChipFailure::Declined))
            }
            _ => None,
        }
    }

    /// The chips of the open batch: what they approved first, then what they did not.
    fn chip_parts(&self, balanced: bool) -> Vec<Part> {
        let part = |completed: &Completed| {
            let sale = &completed.sale;
            let amount = completed.approval().map_or(sale.amount, |a| a.amount);
            Some(Part {
                part: UploadPart::Chip(ChipUpload {
                    balanced,
                    entry: sale.entry,
                    card_sequence: sale.card_sequence,
                    amount_minor: amount.minor,
                    foreign: is_foreign(&sale.card),
                    outcome: self.chip_outcome(completed)?,
                }),
                records: Vec::new(),
                chip: Some(sale.key),
            })
        };
        let mut parts: Vec<Part> = self.completed.iter().filter_map(part).collect();
        parts.sort_by_key(|part| part.part.network_code());
        parts
    }

    /// The totals of the open batch by kind of card, from its journal.
    pub fn batch_totals(&self) -> BatchTotals {
        let mut totals = BatchTotals::default();
        for completed in self.batch_journal() {
            let side = completed.sale.kind.row().totals;
            // Adjustments are in the standing amount of what they adjust.
            if side != BatchSide::Adjust {
                let minor = self.standing_amount(completed).minor;
                totals.count(&completed.sale.card, side, minor, 0);
            }
        }
        totals
    }

    /// The upload in the order of reference §3.8, limited to the kinds of cards that do not balance; the end is last.
    fn parts(&self, codes: BlockCodes) -> Vec<Part> {
        let uneven = |c: &&Completed| codes.of(&c.sale.card) != Reconciled::Balanced;
        let of = |flow: Flow| {
            self.batch_journal()
                .filter(uneven)
                .filter(move |c| c.sale.kind.row().flow == flow)
        };
        // It may have been sold under a number of the batch that was garbled in a sign-on.
        let batch = self.settling.as_ref().map_or(self.batch, |s| s.batch);
        let advice = |completed: &Completed| {
            let mut sale = completed.sale;
            sale.key.batch = batch;
            Part::of(UploadPart::Advice(sale))
        };
        // What has a chip's word goes up with it, balanced or not.
        let stripe = |c: &&Completed| self.chip_outcome(c).is_none();
        let online: Vec<Uploaded> = of(Flow::Online).filter(stripe).map(uploaded).collect();
        let sales = online
            .chunks(iso8583::field48::RECORDS_MAX)
            .map(|records| Part {
                records: records.to_vec(),
                ..Part::of(UploadPart::Sales(records.len() as u8))
            });
        let (before, after) = (of(Flow::Stored).map(advice), of(Flow::Advice).map(advice));
        let chips = self.chip_parts(codes.balanced());
        let parts = before.chain(sales).chain(after).chain(chips);
        let mut parts: Vec<Part> = parts.collect();
        let records = parts
            .iter()
            .map(|part| part.records.len().max(1))
            .sum::<usize>();
        parts.push(Part::of(UploadPart::End {
            records: records as u16,
            balanced: codes.balanced(),
        }));
        parts
    }

    pub(crate) fn settle_asked(&mut self, at: Now) {
        // What is pending is tried at once.
        if let Some(reversal) = &mut self.reversal {
            reversal.next = at.mono;
        }
        if let Some(advice) = self.advices.front_mut() {
            advice.next = at.mono;
        }
        let settling = self.settling.get_or_insert_with(|| Settling {
            batch: self.batch,
            asked: at,
            totals: None,
            codes: None,
            done: BTreeSet::new(),
            place: 0,
            round: 0,
            next: None,
        });
        settling.round = 0;
        settling.next = Some(at.mono);
    }

    pub(crate) fn compared(&mut self, codes: BlockCodes, at: Now) {
        if let Some(settling) = &mut self.settling {
            settling.codes = Some(codes);
            settling.batch = self.batch;
            settling.place = 0;
            settling.round = 0;
            settling.next = Some(at.mono);
        }
    }

    pub(crate) fn settle_again(
        &mut self,
        done: Option<u16>,
        place: u16,
        (round, next): (u32, Option<Mono>),
        anew: bool,
    ) {
        if let Some(settling) = &mut self.settling {
            if anew {
                settling.done.clear();
            }
            settling.done.extend(done);
            settling.place = place;
            settling.round = round;
            settling.next = next;
        }
    }

    pub(crate) fn settle_refused(&mut self, at: Now) {
        self.settling = None;
        self.sign_on_at = Some(at.mono);
    }

    /// The journal of the batch is cleared: its transactions stay to be found, and count no more.
    pub(crate) fn batch_closed(&mut self, at: Now) {
        self.settling = None;
        self.totals = crate::Totals::default();
        for completed in &mut self.completed {
            completed.settled = true;
        }
        self.sign_on_at = Some(at.mono);
    }
}

impl Completed {
    fn counts_in_batch(&self) -> bool {
        !self.settled
            && self.approval().is_some()
            && self.sale.kind.row().totals != BatchSide::Neither
    }
}

fn uploaded(completed: &Completed) -> Uploaded {
    let amount = completed
        .approval()
        .map_or(completed.sale.amount, |a| a.amount);
    Uploaded {
        stan: completed.sale.key.stan,
        card: completed.sale.card,
        amount_minor: amount.minor,
    }
}
