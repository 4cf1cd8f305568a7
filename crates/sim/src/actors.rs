//! The four parties as the simulator drives them: what their effects are about and what their records mean to the judge.

use crate::core::{Core, Who};
use crate::marks::Mark;
use crate::node::{Actor, AnyInput, Name, Said, Tag};
use acquirer::Acquirer;
use issuer::Issuer;
use network::Network;
use payment::evidence::{Confirmation, Delivery, ReversalCause, Upstream};
use payment::host::{self, AnswerKind};
use payment::terminal::{Origin, Request};
use payment::verdict::{Outcome, Receipt, verdict};
use payment::{Kind, SaleKey};
use terminal::Terminal;

fn host_request(request: &host::Request) -> Tag {
    match request {
        host::Request::Financial(sale) => Tag::Sale(Name::Host(sale.key)),
        host::Request::Reversal(_) => Tag::Reversal,
        host::Request::Management(_) => Tag::Other,
    }
}

fn host_answer(answer: &host::Answer) -> Tag {
    match answer.kind {
        AnswerKind::Financial => Tag::SaleAnswer(Name::Host(answer.key), None),
        AnswerKind::Reversal => Tag::ReversalAnswer,
        AnswerKind::Management => Tag::Other,
    }
}

/// The key of the request that an answer to a terminal names.
fn answered_key(origin: &Origin) -> Option<SaleKey> {
    Some(SaleKey {
        terminal: origin.terminal,
        merchant: origin.merchant,
        batch: origin.batch,
        stan: origin.stan?,
    })
}

impl Actor for Terminal {
    type Config = terminal::Config;

    fn build(config: &Self::Config) -> Self {
        Self::new(config.clone())
    }

    fn wrap(input: terminal::Input) -> AnyInput {
        AnyInput::Terminal(input)
    }

    fn tag(&self, effect: &terminal::Effect) -> Tag {
        match effect {
            terminal::Effect::Send { sealed, .. } => match &sealed.request {
                Request::Financial { sale, .. } => Tag::Sale(Name::Till(sale.key)),
                Request::Reversal { .. } => Tag::Reversal,
                Request::Settle { mac, .. } | Request::Upload { mac, .. } => {
                    Tag::Batch { mac: *mac }
                }
                _ => Tag::Other,
            },
            _ => Tag::Other,
        }
    }

    fn durable(core: &mut Core, who: Who, record: &terminal::Record) {
        let Who::Terminal(at) = who else { return };
        core.till_book(at, record);
        core.till_downloads(at, record);
        match record {
            terminal::Record::Asked { request, .. } => core.terminal_asked(at, request),
            terminal::Record::ReversalPending { .. } => {
                core.mark(Mark::TerminalReverses);
                if let Some(number) = core.oracle.open[usize::from(at)] {
                    core.terminal_reverses(number);
                }
            }
            terminal::Record::Stored { sale, .. } => core.terminal_stored(at, sale),
            terminal::Record::AdviceEnded { ending, .. } => core.advice_ended(at, ending),
            terminal::Record::Chip { key, chip } => core.chip_spoke(key, chip),
            terminal::Record::AskGoods { .. } => core.mark(Mark::GoodsQuestion),
            terminal::Record::Overridden { .. } => {
                core.mark(Mark::Overridden);
                core.terminal_ended(at, &terminal::Ending::Replaced);
            }
            terminal::Record::SignedOn { .. }
                if std::mem::replace(&mut core.oracle.signed_on[usize::from(at)], true) =>
            {
                core.mark(Mark::KeysRenewed);
            }
            terminal::Record::Ended { ending, .. } => {
                match ending {
                    terminal::Ending::Approved(approval) if approval.recovered => {
                        core.mark(Mark::RecoveredByQuery)
                    }
                    terminal::Ending::NotSent => core.mark(Mark::NotSent),
                    _ => {}
                }
                core.terminal_ended(at, ending);
            }
            _ => {}
        }
    }

    fn miscounts(core: &mut Core, who: Who, effect: &mut terminal::Effect) {
        if let (Who::Terminal(at), terminal::Effect::Send { sealed, .. }) = (who, effect) {
            core.miscount(at, sealed);
        }
    }

    fn local(core: &mut Core, who: Who, effect: terminal::Effect) {
        let Who::Terminal(at) = who else { return };
        match effect {
            terminal::Effect::Show(screen) => core.cashier_sees(at, screen),
            terminal::Effect::Printer(effect) => core.printer_effect(at, effect),
            // The world looks at the terminal's open exchange after every input.
            terminal::Effect::HangUp { .. } | terminal::Effect::Send { .. } => {}
        }
    }

    fn counts(record: &terminal::Record) -> bool {
        matches!(
            record,
            terminal::Record::Ended {
                ending: terminal::Ending::Approved(_) | terminal::Ending::Reversed { .. },
                ..
            } | terminal::Record::AdviceEnded { .. }
        )
    }

    #[cfg(feature = "planted")]
    fn plant(&mut self, bug: crate::planted::Bug) {
        if let crate::planted::Bug::Terminal(bug) = bug {
            self.plant(bug);
        }
    }

    fn line(record: &terminal::Record) -> String {
        format!("{record:?}")
    }
}

impl Actor for Acquirer {
    type Config = acquirer::Config;

    fn build(config: &Self::Config) -> Self {
        Self::new(config.clone())
    }

    fn wrap(input: acquirer::Input) -> AnyInput {
        AnyInput::Acquirer(input)
    }

    fn tag(&self, effect: &acquirer::Effect) -> Tag {
        match effect {
            acquirer::Effect::Reply { answer, mac, .. } => match answer.kind {
                Kind::Reversal => Tag::ReversalAnswer,
                Kind::Settlement | Kind::BatchUpload => Tag::Batch { mac: *mac },
                kind if kind.row().processing.is_some() => {
                    let said = mac.then(|| Said {
                        success: answer.code.is_success(),
                        code: answer.code.0,
                        approval: answer.approval.map(|code| code.0),
                        rrn: answer.rrn.map(|rrn| rrn.0),
                    });
                    let key = answered_key(&answer.origin);
                    key.map_or(Tag::Other, |key| Tag::SaleAnswer(Name::Till(key), said))
                }
                _ => Tag::Other,
            },
            acquirer::Effect::Forward(sealed) => host_request(&sealed.request),
            acquirer::Effect::NetworkReply(answer) => host_answer(answer),
            acquirer::Effect::CaseOpened { .. }
            | acquirer::Effect::Recall { .. }
            | acquirer::Effect::Wallet { .. } => Tag::Other,
        }
    }

    fn durable(core: &mut Core, who: Who, record: &acquirer::Record) {
        use acquirer::Record;
        core.acquirer_book(record);
        match record {
            Record::Ordered {
                sale,
                rrn,
                original,
                refund,
                ..
            } => {
                core.rrn_taken(who, rrn.0);
                core.acquirer_ordered(sale, *original, *refund);
            }
            Record::Wallet(record) => core.order_changed(record),
            Record::Guarded { .. } => core.mark(Mark::ChargeGuarded),
            Record::Remedied {
                key,
                remedy,
                mandate,
                ..
            } => core.staff_did(key, *remedy, mandate),
            Record::Forwarded {
                sale, rrn, host, ..
            } => {
                core.rrn_taken(who, rrn.0);
                core.acquirer_forwarded(sale, *host);
            }
            Record::Deferred { .. } => core.mark(Mark::AdviceDeferred),
            Record::Refused { rrn, .. } => core.rrn_taken(who, rrn.0),
            Record::Answered { key, answer, .. } => core.acquirer_answered(key, answer),
            Record::NotSent { key, .. } => core.acquirer_not_sent(key),
            Record::Repeated { .. } => core.mark(Mark::RequestRepeated),
            Record::Reversing {
                key,
                cause,
                upstream,
                advice,
                ..
            } => {
                if *cause == ReversalCause::Upstream {
                    core.mark(Mark::AcquirerReverses);
                }
                match upstream {
                    Upstream::Interrupted => core.mark(Mark::InterruptedByRestart),
                    Upstream::NetworkGaveUp => core.mark(Mark::NetworkGaveUp),
                    _ => {}
                }
                let elsewhere = matches!(cause, ReversalCause::Replaced | ReversalCause::Staff(_));
                core.acquirer_reverses(key, elsewhere);
                core.reversal_begun(*advice, key);
            }
            Record::LateApproval { .. } => core.mark(Mark::LateApproval),
            Record::Relay(payment::relay::RelayRecord::Delivered { key }) => {
                core.advice_over(key, who)
            }
            Record::Relay(payment::relay::RelayRecord::Tried { .. }) => {
                core.mark(Mark::ReversalRepeated)
            }
            Record::ReversalAnswered { key, code, .. } => {
                core.acquirer_reversed(key, code.reversal_done())
            }
            Record::Delivered {
                delivery: Delivery::HungUp,
                ..
            } => core.mark(Mark::Undelivered),
            Record::OneSided { key, .. } => {
                core.mark(Mark::OneSidedOpened);
                if let Some(number) = core.oracle.by_key(key) {
                    core.oracle.sales[number as usize].one_sided = true;
                }
            }
            Record::Confirmed { key, .. } => {
                if let Some(number) = core.oracle.by_key(key)
                    && core.oracle.sales[number as usize].one_sided
                {
                    core.mark(Mark::OneSidedConfirmedLater);
                }
            }
            _ => {}
        }
    }

    fn settled(&self, core: &mut Core, _who: Who, records: &[acquirer::Record]) {
        for key in records.iter().filter_map(decisive) {
            self.judge(core, key);
        }
    }

    fn local(core: &mut Core, who: Who, effect: acquirer::Effect) {
        if let acquirer::Effect::Wallet { request, rrn, .. } = effect {
            core.wallet_ask(who, request, rrn);
        }
    }

    fn counts(record: &acquirer::Record) -> bool {
        use acquirer::Record;
        matches!(
            record,
            Record::Forwarded { .. }
                | Record::Answered { .. }
                | Record::Reversing { .. }
                | Record::ReversalAnswered { .. }
                | Record::Confirmed { .. }
        )
    }

    #[cfg(feature = "planted")]
    fn plant(&mut self, bug: crate::planted::Bug) {
        use crate::planted::Bug;
        if let Bug::Acquirer(bug) | Bug::Hosts(bug, _) = bug {
            self.plant(bug);
        }
    }

    fn line(record: &acquirer::Record) -> String {
        format!("{record:?}")
    }
}

/// Records after which the verdict on a sale may be another one.
fn decisive(record: &acquirer::Record) -> Option<&SaleKey> {
    use acquirer::Record;
    match record {
        Record::Answered { key, .. }
        | Record::ReversalAnswered { key, .. }
        | Record::Confirmed { key, .. }
        | Record::LateApproval { key }
        | Record::NotSent { key, .. } => Some(key),
        _ => None,
    }
}

trait Judged {
    fn judge(&self, core: &mut Core, key: &SaleKey);
}

impl Judged for Acquirer {
    /// V1: the verdict is never ahead of the books, and "printed" never ahead of the paper.
    fn judge(&self, core: &mut Core, key: &SaleKey) {
        let Some(number) = core.oracle.by_key(key) else {
            return;
        };
        let kept = self.state().sale(key);
        let Some(kept) = kept.filter(|kept| kept.request.kind.row().moves_money()) else {
            return;
        };
        let verdict = verdict(kept.request.kind, &kept.evidence);
        let sale = &core.oracle.sales[number as usize];
        let (stands, closed) = (sale.stands(), sale.closed);
        let left = if stands { 0 } else { sale.moved.all() };
        let wrong = match verdict.outcome {
            // A wallet that never heard of an order has nothing to confirm.
            Outcome::Reversed => stands || !(closed || core.oracle.is_scanned(number)),
            Outcome::Declined => stands,
            Outcome::Approved => !stands,
            Outcome::Unknown | Outcome::Reversing | Outcome::ReversalRefused => false,
        };
        if wrong {
            let row = verdict.row;
            core.violate("V1", || {
                format!("sale {number}: the verdict is {row}; at the issuer it stands: {stands}, {left} left of it")
            });
        }
        let printed = matches!(kept.evidence.confirmation, Confirmation::Signed(..))
            && verdict.receipt == Receipt::Printed;
        if printed && !core.is_on_paper(number) {
            core.violate("V1", || {
                format!("sale {number}: called printed, and the paper does not show it")
            });
        }
    }
}

impl Actor for Network {
    type Config = network::Config;

    fn build(config: &Self::Config) -> Self {
        Self::new(config.clone())
    }

    fn wrap(input: network::Input) -> AnyInput {
        AnyInput::Network(input)
    }

    fn tag(&self, effect: &network::Effect) -> Tag {
        match effect {
            network::Effect::Request { sealed, .. } => host_request(&sealed.request),
            network::Effect::Answer { answer, .. } => host_answer(answer),
        }
    }

    fn durable(core: &mut Core, who: Who, record: &network::Record) {
        use network::Record;
        match record {
            Record::Forwarded { sale, .. } => core.network_forwarded(&sale.key),
            Record::TransferTaken { sale, network, .. } => {
                core.mark(Mark::TransferSplit);
                core.network_splits(&sale.key, *network, true);
            }
            Record::CreditSent { key, .. } => core.credit_sent(key),
            Record::TransferUndone { reversals, .. } | Record::TransferEnded { reversals, .. } => {
                for reversal in reversals {
                    core.advice_begun(reversal.key, &reversal.original);
                }
            }
            Record::TransferReversed {
                reversal,
                network,
                legs,
                ..
            } => {
                core.network_splits(&reversal.original, *network, false);
                for reversal in legs.iter().chain([reversal]) {
                    core.advice_begun(reversal.key, &reversal.original);
                }
            }
            Record::TimedOut {
                key,
                reversal: None,
                ..
            } => core.network_left(key),
            Record::TimedOut {
                reversal: Some(reversal),
                ..
            } => core.advice_begun(reversal.key, &reversal.original),
            Record::AdviceTaken { reversal, .. } => {
                core.advice_begun(reversal.key, &reversal.original)
            }
            Record::AdviceConfirmed { key, .. } => core.advice_over(key, who),
            _ => {}
        }
    }

    fn local(_core: &mut Core, _who: Who, _effect: network::Effect) {}

    fn counts(record: &network::Record) -> bool {
        use network::Record;
        matches!(
            record,
            Record::Forwarded { .. }
                | Record::TransferTaken { .. }
                | Record::CreditSent { .. }
                | Record::TransferUndone { .. }
                | Record::TransferEnded { .. }
                | Record::TransferReversed { .. }
                | Record::Answered { .. }
                | Record::AdviceTaken { .. }
                | Record::AdviceConfirmed { .. }
        )
    }

    #[cfg(feature = "planted")]
    fn plant(&mut self, bug: crate::planted::Bug) {
        if let crate::planted::Bug::Network(bug) = bug {
            self.plant(bug);
        }
    }

    fn line(record: &network::Record) -> String {
        format!("{record:?}")
    }
}

impl Actor for Issuer {
    type Config = issuer::Config;

    fn build(config: &Self::Config) -> Self {
        Self::new(config.clone())
    }

    fn wrap(input: issuer::Input) -> AnyInput {
        AnyInput::Issuer(input)
    }

    fn tag(&self, effect: &issuer::Effect) -> Tag {
        match effect {
            issuer::Effect::Answer(answer) => host_answer(answer),
            issuer::Effect::SignOn(_) | issuer::Effect::Notice(_) => Tag::Other,
        }
    }

    fn durable(core: &mut Core, who: Who, record: &issuer::Record) {
        let Who::Issuer(bank) = who else { return };
        match record {
            issuer::Record::Answered(answered) => core.issuer_answered(bank, answered),
            issuer::Record::Returned(returned) => core.issuer_returned(bank, returned),
            issuer::Record::Expired { key, entries } => core.issuer_expired(bank, key, entries),
            _ => {}
        }
    }

    fn local(core: &mut Core, _who: Who, effect: issuer::Effect) {
        if let issuer::Effect::Notice(notice) = effect {
            core.noticed(&notice);
        }
    }

    fn counts(record: &issuer::Record) -> bool {
        matches!(
            record,
            issuer::Record::Answered(_) | issuer::Record::Returned(_)
        )
    }

    #[cfg(feature = "planted")]
    fn plant(&mut self, bug: crate::planted::Bug) {
        use crate::planted::Bug;
        if let Bug::Issuer(bug) | Bug::Hosts(_, bug) = bug {
            self.plant(bug);
        }
    }

    fn line(record: &issuer::Record) -> String {
        format!("{record:?}")
    }
}
