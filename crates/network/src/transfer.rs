//! Transfers between cards of two issuers: two legs, one fate.
//!
//! Invariants: a transfer is approved only when both issuers approved their leg. Whatever else happened, each leg that
//! may have left is reversed until its issuer confirmed, and the acquirer's own advice is confirmed after the last of
//! them. The keys of the legs follow from the acquirer's key, so that nothing forgotten here can move money twice.

use crate::network::Decided;
use crate::{Effect, Network, Oddity, Record, State};
use payment::host::{Answer, Financial, Request, Reversal, ReversalReason, Sealed};
use payment::relay::RelayRecord;
use payment::{
    ApprovalCode, EntryMode, HostKey, Institution, Kind, Mono, Now, Posting, ResponseCode, Secrets,
};
use serde::{Deserialize, Serialize};

/// Of two: the payer's issuer debits.
const DEBIT: usize = 0;
/// Of two: the receiver's issuer credits.
const CREDIT: usize = 1;

/// A transfer between two issuers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transfer {
    /// As the acquirer asked for it.
    pub(crate) sale: Financial,
    /// Whose keys the legs have.
    network: Institution,
    legs: [Leg; 2],
    /// Of both legs together.
    deadline: Mono,
    approval: Option<ApprovalCode>,
    /// The receiver's issuer refused; its code is the answer once the payer has the money again.
    refused: Option<ResponseCode>,
    /// The acquirer's own reversal.
    asked: Option<Reversal>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Leg {
    issuer: Institution,
    /// It may have reached its issuer.
    left: bool,
    reversal: Option<HostKey>,
    confirmed: Option<ResponseCode>,
}

impl Leg {
    fn is_being_reversed(&self) -> bool {
        self.reversal.is_some() && self.confirmed.is_none()
    }
}

impl Transfer {
    pub(crate) fn new(
        sale: &Financial,
        network: Institution,
        issuers: [Institution; 2],
        deadline: Mono,
    ) -> Self {
        let leg = |issuer| Leg {
            issuer,
            left: false,
            reversal: None,
            confirmed: None,
        };
        Self {
            sale: *sale,
            network,
            legs: issuers.map(leg),
            deadline,
            approval: None,
            refused: None,
            asked: None,
        }
    }

    /// The same, forgotten or never seen: both legs may have left.
    fn unknown(sale: &Financial, network: Institution, issuers: [Institution; 2]) -> Self {
        let mut transfer = Self::new(sale, network, issuers, Mono(0));
        transfer.legs.iter_mut().for_each(|leg| leg.left = true);
        transfer
    }

    /// The request of one leg: the acquirer's own for the payer's issuer; for the receiver's the other card, without PIN.
    fn request(&self, leg: usize) -> Option<Financial> {
        let sale = &self.sale;
        let key = leg_keys(&sale.key, self.network)[leg];
        if leg == DEBIT {
            return Some(Financial {
                key,
                kind: Kind::TransferOut,
                ..*sale
            });
        }
        Some(Financial {
            key,
            kind: Kind::TransferIn,
            card: sale.to?,
            entry: EntryMode::KEYED,
            expiry: None,
            to: None,
            ..*sale
        })
    }

    /// What the acquirer's advice is confirmed with: what the payer's issuer said of its leg.
    fn reversed_code(&self) -> ResponseCode {
        let debit = self.legs[DEBIT].confirmed;
        debit.unwrap_or(ResponseCode::ORIGINAL_NOT_FOUND)
    }

    pub(crate) fn is_being_reversed(&self) -> bool {
        self.legs.iter().any(Leg::is_being_reversed)
    }

    /// The answer to the acquirer.
    fn answer(&self, code: ResponseCode) -> Answer {
        Answer {
            approval: self.approval.filter(|_| code.is_success()),
            receiver: Some(self.legs[DEBIT].issuer),
            ..Answer::to(&Request::Financial(self.sale), code)
        }
    }
}

/// The keys of both legs: the network stands in for the forwarder, and for the acquirer.
fn leg_keys(key: &HostKey, network: Institution) -> [HostKey; 2] {
    let debit = HostKey {
        forwarder: network,
        ..*key
    };
    let credit = HostKey {
        acquirer: network,
        forwarder: key.acquirer,
        ..*key
    };
    [debit, credit]
}

/// Reversals that are on record now, with who has to confirm.
pub(crate) type Reversals = Vec<(Institution, Reversal)>;

impl Network {
    /// Both issuers of a transfer that takes two legs.
    pub(crate) fn two_issuers(
        &self,
        sale: &Financial,
        payer: Option<Institution>,
        receiver: Option<Institution>,
    ) -> Option<[Institution; 2]> {
        let between = sale.kind.row().posting == Posting::Move && payer != receiver;
        payer
            .zip(receiver)
            .map(|(payer, receiver)| [payer, receiver])
            .filter(|_| between)
    }

    /// Why the second leg could not leave.
    ///
    /// # Errors
    /// 15 nobody issued that card; 91 its issuer is not there; 30 a key that leaves no room for two legs.
    pub(crate) fn admit_receiver(
        &self,
        sale: &Financial,
        receiver: Option<Institution>,
    ) -> Result<(), ResponseCode> {
        if sale.kind.row().posting != Posting::Move {
            return Ok(());
        }
        let receiver = receiver.ok_or(ResponseCode::NO_SUCH_ISSUER)?;
        if sale.key.forwarder != sale.key.acquirer {
            return Err(ResponseCode::FORMAT_ERROR);
        }
        match self.reach(receiver) {
            Some(_) => Ok(()),
            None => Err(ResponseCode::ISSUER_UNAVAILABLE),
        }
    }

    /// The debit leg leaves; everything was admitted.
    pub(crate) fn transfer(
        &self,
        now: Now,
        sale: Financial,
        issuers: [Institution; 2],
        secrets: Secrets,
        decided: &mut Decided,
    ) {
        let deadline = now.mono.plus_ms(self.config.network_timeout_ms);
        decided.record(Record::TransferTaken {
            sale,
            network: self.config.institution,
            issuers,
            deadline,
            at: now,
        });
        let transfer = Transfer::new(&sale, self.config.institution, issuers, deadline);
        self.send_leg(&transfer, DEBIT, secrets, decided);
    }

    fn send_leg(&self, transfer: &Transfer, leg: usize, secrets: Secrets, decided: &mut Decided) {
        let to = transfer.legs[leg].issuer;
        if let Some(request) = transfer.request(leg).map(Request::Financial) {
            decided.effect(Effect::Request {
                to,
                sealed: Box::new(Sealed { request, secrets }),
                mac: self.reach(to),
            });
        }
    }

    /// The transfer whose leg, or whose own key, this is.
    fn transfer_of(&self, key: &HostKey) -> Option<(&Transfer, Option<usize>)> {
        if let Some(transfer) = self.state.transfers.get(key) {
            return Some((transfer, None));
        }
        let (asked, leg) = self.state.leg(key)?;
        Some((self.state.transfers.get(&asked)?, Some(leg)))
    }

    /// True for an answer to a leg that is being taken back, or was.
    pub(crate) fn is_late_leg(&self, key: &HostKey, from: Institution) -> bool {
        let known = self.transfer_of(key);
        known.is_some_and(|(transfer, leg)| {
            leg.is_some_and(|leg| {
                let leg = transfer.legs[leg];
                leg.issuer == from && leg.reversal.is_some()
            })
        })
    }

    /// The answer to a leg in flight; false when the request is no leg.
    pub(crate) fn leg_answered(&self, now: Now, answer: &Answer, decided: &mut Decided) -> bool {
        let Some((transfer, Some(leg))) = self.transfer_of(&answer.key) else {
            return false;
        };
        // Half a transfer is none.
        let approved = answer.code.is_success() && answer.code != ResponseCode::PARTIAL;
        match (leg, approved) {
            (DEBIT, true) => self.send_credit(now, transfer, answer.approval, decided),
            (DEBIT, false) if !answer.code.is_success() => {
                self.end(now, transfer, answer.code, decided);
            }
            (CREDIT, true) => self.end(now, transfer, ResponseCode::APPROVED, decided),
            (CREDIT, false) if !answer.code.is_success() => {
                self.undo(now, transfer, of_receiver(answer.code), &[DEBIT], decided);
            }
            _ => self.undo(
                now,
                transfer,
                ResponseCode::AMOUNT_MISMATCH,
                &[DEBIT, CREDIT][..=leg],
                decided,
            ),
        }
        true
    }

    fn send_credit(
        &self,
        now: Now,
        transfer: &Transfer,
        approval: Option<ApprovalCode>,
        decided: &mut Decided,
    ) {
        let issuer = transfer.legs[CREDIT].issuer;
        if self.reach(issuer).is_none() {
            let code = ResponseCode::ISSUER_UNAVAILABLE;
            return self.undo(now, transfer, code, &[DEBIT], decided);
        }
        decided.record(Record::CreditSent {
            key: transfer.sale.key,
            approval,
            at: now,
        });
        self.send_leg(transfer, CREDIT, Secrets::default(), decided);
    }

    /// The frame of a leg certainly did not leave; false when the request is no leg.
    pub(crate) fn leg_not_sent(&self, now: Now, key: &HostKey, decided: &mut Decided) -> bool {
        let code = ResponseCode::ISSUER_UNAVAILABLE;
        match self.transfer_of(key) {
            Some((transfer, Some(DEBIT))) => self.end(now, transfer, code, decided),
            Some((transfer, Some(_))) => self.undo(now, transfer, code, &[DEBIT], decided),
            _ => return false,
        }
        true
    }

    /// Time is up for a leg, or for the answer that waits for a reversal; `None` when it is neither.
    pub(crate) fn leg_silent(
        &self,
        now: Now,
        key: &HostKey,
        decided: &mut Decided,
    ) -> Option<Reversals> {
        let (transfer, leg) = self.transfer_of(key)?;
        let legs: &[usize] = match leg {
            None => &[],
            Some(DEBIT) => &[DEBIT],
            Some(_) => &[DEBIT, CREDIT],
        };
        Some(self.give_up_legs(now, transfer, ResponseCode::ISSUER_TIMEOUT, legs, decided))
    }

    /// Answers the acquirer; no leg is left to reverse.
    fn end(&self, now: Now, transfer: &Transfer, code: ResponseCode, decided: &mut Decided) {
        self.give_up_legs(now, transfer, code, &[], decided);
    }

    /// Answers the acquirer, and reverses `legs`.
    fn give_up_legs(
        &self,
        now: Now,
        transfer: &Transfer,
        code: ResponseCode,
        legs: &[usize],
        decided: &mut Decided,
    ) -> Reversals {
        let reversals = self.reversals(now, transfer, legs, decided);
        let key = transfer.sale.key;
        decided.record(Record::TransferEnded {
            key,
            code,
            reversals: reversals.iter().map(|(_, reversal)| *reversal).collect(),
            at: now,
        });
        self.answer(transfer.answer(code), key.acquirer, decided);
        reversals
    }

    /// Reverses `legs`; the acquirer is answered `code` once that is confirmed, or 98 when time is up before.
    fn undo(
        &self,
        now: Now,
        transfer: &Transfer,
        code: ResponseCode,
        legs: &[usize],
        decided: &mut Decided,
    ) {
        let reversals = self.reversals(now, transfer, legs, decided);
        decided.record(Record::TransferUndone {
            key: transfer.sale.key,
            code,
            reversals: reversals.iter().map(|(_, reversal)| *reversal).collect(),
            at: now,
        });
        self.attempt_all(now, reversals, decided);
    }

    /// New reversals of `legs`.
    fn reversals(
        &self,
        now: Now,
        transfer: &Transfer,
        legs: &[usize],
        decided: &Decided,
    ) -> Reversals {
        let mut stan = self.last_stan(decided);
        let requests = legs
            .iter()
            .filter_map(|leg| Some((transfer.legs[*leg].issuer, transfer.request(*leg)?)));
        requests
            .map(|(issuer, sale)| {
                let key = self.own_key(now.wall, transfer.sale.key.acquirer, stan);
                stan = key.stan.0;
                let flight = self.state.flights.get(&sale.key);
                let reason = match flight {
                    Some(flight) if flight.wrong_mac => ReversalReason::NETWORK_MAC,
                    Some(_) => ReversalReason::NETWORK_TIMEOUT,
                    None => ReversalReason::NETWORK_CANNOT_FORWARD,
                };
                let reversal = Reversal {
                    key,
                    original: sale.key,
                    reason,
                    sale,
                };
                (issuer, reversal)
            })
            .collect()
    }

    /// The acquirer takes a transfer back, known or not: every leg that may have left is reversed.
    pub(crate) fn transfer_advice(
        &self,
        now: Now,
        reversal: Reversal,
        issuers: [Institution; 2],
        decided: &mut Decided,
    ) {
        let unknown = Transfer::unknown(&reversal.sale, self.config.institution, issuers);
        let transfer = self.state.transfers.get(&reversal.original);
        let transfer = transfer.unwrap_or(&unknown);
        if transfer.asked.is_some() && transfer.is_being_reversed() {
            // It is confirmed with the last leg; another advice of the same is for later.
            decided.record(Record::Noticed {
                key: reversal.key,
                what: Oddity::Repeat,
                at: now,
            });
            return;
        }
        let left: Vec<usize> = [DEBIT, CREDIT]
            .into_iter()
            .filter(|leg| transfer.legs[*leg].left && transfer.legs[*leg].reversal.is_none())
            .collect();
        let reversals = self.reversals(now, transfer, &left, decided);
        decided.record(Record::TransferReversed {
            reversal,
            network: transfer.network,
            issuers: transfer.legs.map(|leg| leg.issuer),
            legs: reversals.iter().map(|(_, reversal)| *reversal).collect(),
            at: now,
        });
        if reversals.is_empty() && !transfer.is_being_reversed() {
            self.confirm_transfer(now, transfer, &reversal, decided);
        }
        self.attempt_all(now, reversals, decided);
    }

    /// The reversal of a leg is confirmed by this decision; with the last one the acquirer hears of it.
    pub(crate) fn leg_reversed(
        &self,
        now: Now,
        advice: &Reversal,
        code: ResponseCode,
        decided: &mut Decided,
    ) {
        let Some((transfer, Some(this))) = self.transfer_of(&advice.original) else {
            return;
        };
        let mut transfer = transfer.clone();
        transfer.legs[this].confirmed = Some(code);
        if transfer.is_being_reversed() {
            return;
        }
        let key = transfer.sale.key;
        match (transfer.asked, transfer.refused) {
            (Some(asked), _) => self.confirm_transfer(now, &transfer, &asked, decided),
            (None, Some(refused)) if !self.state.closed.contains_key(&key) => {
                self.end(now, &transfer, refused, decided);
            }
            _ => {}
        }
    }

    fn confirm_transfer(
        &self,
        now: Now,
        transfer: &Transfer,
        asked: &Reversal,
        decided: &mut Decided,
    ) {
        let (issuer, code) = (transfer.legs[DEBIT].issuer, transfer.reversed_code());
        let (key, at) = (asked.key, now);
        decided.record(Record::AdviceConfirmed { key, code, at });
        self.confirm(asked, Some(issuer), code, decided);
    }
}

/// A refusal for the sake of the receiver's card, as the payer's till may hear it: nobody keeps the card at the till.
fn of_receiver(code: ResponseCode) -> ResponseCode {
    match code.row() {
        Some(row) if row.capture => ResponseCode::INVALID_CARD,
        _ => code,
    }
}

impl State {
    /// The acquirer's key of a leg, and which leg it is.
    fn leg(&self, key: &HostKey) -> Option<(HostKey, usize)> {
        let asked = |acquirer| HostKey {
            acquirer,
            forwarder: acquirer,
            ..*key
        };
        [asked(key.acquirer), asked(key.forwarder)]
            .into_iter()
            .find_map(|asked| {
                let transfer = self.transfers.get(&asked)?;
                let keys = leg_keys(&asked, transfer.network);
                Some((asked, keys.iter().position(|leg| leg == key)?))
            })
    }

    pub(crate) fn transfer_taken(&mut self, transfer: Transfer) {
        let (key, deadline) = (transfer.sale.key, transfer.deadline);
        let (issuer, request) = (transfer.legs[DEBIT].issuer, transfer.request(DEBIT));
        self.transfers.insert(key, transfer);
        self.leg_left(&key, DEBIT);
        if let Some(request) = request {
            self.forwarded(&request, issuer, deadline);
        }
    }

    fn leg_left(&mut self, key: &HostKey, leg: usize) {
        if let Some(transfer) = self.transfers.get_mut(key) {
            transfer.legs[leg].left = true;
        }
    }

    pub(crate) fn credit_sent(&mut self, key: &HostKey, approval: Option<ApprovalCode>) {
        self.land_legs(key);
        let Some(transfer) = self.transfers.get_mut(key) else {
            return;
        };
        transfer.approval = approval;
        transfer.legs[CREDIT].left = true;
        let (issuer, deadline) = (transfer.legs[CREDIT].issuer, transfer.deadline);
        if let Some(request) = transfer.request(CREDIT) {
            self.forwarded(&request, issuer, deadline);
        }
    }

    /// Nothing of a transfer is awaited any more, nor the answer to it.
    fn land_legs(&mut self, key: &HostKey) {
        let network = self.transfers.get(key).map(|transfer| transfer.network);
        for leg in network.iter().flat_map(|network| leg_keys(key, *network)) {
            self.land(&leg);
        }
        self.relay.apply(&RelayRecord::Closed { key: *key });
    }

    pub(crate) fn transfer_undone(
        &mut self,
        key: &HostKey,
        code: ResponseCode,
        reversals: &[Reversal],
        at: Mono,
    ) {
        self.land_legs(key);
        self.queue_legs(reversals, at);
        if let Some(transfer) = self.transfers.get_mut(key) {
            transfer.refused = Some(code);
            let (key, deadline) = (*key, transfer.deadline);
            self.relay.apply(&RelayRecord::Sent { key, deadline });
        }
    }

    pub(crate) fn transfer_ended(
        &mut self,
        key: &HostKey,
        code: ResponseCode,
        reversals: &[Reversal],
        at: Mono,
    ) {
        self.land_legs(key);
        self.queue_legs(reversals, at);
        self.counters.answered += u64::from(code != ResponseCode::ISSUER_TIMEOUT);
        self.counters.timed_out += u64::from(code == ResponseCode::ISSUER_TIMEOUT);
        self.counters.approved += u64::from(code.is_success());
        if let Some(transfer) = self.transfers.get(key) {
            let (issuer, answer) = (transfer.legs[DEBIT].issuer, transfer.answer(code));
            self.close(*key, Some(issuer), Some(answer));
        }
    }

    pub(crate) fn transfer_reversed(
        &mut self,
        reversal: &Reversal,
        network: Institution,
        issuers: [Institution; 2],
        legs: &[Reversal],
        at: Mono,
    ) {
        self.counters.advices += 1;
        let key = reversal.original;
        self.land_legs(&key);
        self.forbid(key, Some(issuers[DEBIT]));
        let known = self.transfers.entry(key);
        let transfer = known.or_insert_with(|| Transfer::unknown(&reversal.sale, network, issuers));
        transfer.asked = Some(*reversal);
        self.queue_legs(legs, at);
        self.confirm_if_reversed(&key);
    }

    fn queue_legs(&mut self, reversals: &[Reversal], at: Mono) {
        for reversal in reversals {
            let Some((asked, leg)) = self.leg(&reversal.original) else {
                continue;
            };
            self.counters.own_reversals += 1;
            self.stan = reversal.key.stan.0;
            let Some(transfer) = self.transfers.get_mut(&asked) else {
                continue;
            };
            transfer.legs[leg].reversal = Some(reversal.key);
            let issuer = transfer.legs[leg].issuer;
            self.queue(reversal, issuer, at);
        }
    }

    /// The reversal of `original` is confirmed; it may be a leg's.
    pub(crate) fn leg_confirmed(&mut self, original: &HostKey, code: ResponseCode) {
        if let Some((asked, leg)) = self.leg(original)
            && let Some(transfer) = self.transfers.get_mut(&asked)
        {
            transfer.legs[leg].confirmed = Some(code);
            self.confirm_if_reversed(&asked);
        }
    }

    fn confirm_if_reversed(&mut self, key: &HostKey) {
        let done = self.transfers.get(key).filter(|t| !t.is_being_reversed());
        if let Some(transfer) = done
            && let Some(asked) = transfer.asked
        {
            let (issuer, code) = (transfer.legs[DEBIT].issuer, transfer.reversed_code());
            self.confirm(&asked, Some(issuer), code);
        }
    }
}
