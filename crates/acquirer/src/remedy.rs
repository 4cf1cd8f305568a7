//! Remedies of staff: to ask again at once, and to give back what stands.
//!
//! Invariants: what is given back goes back whole, once, by the reversal that every other cause uses; what was claimed of a
//! sale already is never given back besides. A remedy that is refused leaves no trace here; the reason has a name.

use crate::record::Record;
use crate::sale::SaleRecord;
use crate::scan::is_scanned;
use crate::{Acquirer, Decided};
use payment::evidence::{Reversal, ReversalCause, ReversalProgress, Upstream};
use payment::host::ReversalReason;
use payment::remedy::may_be_given_back;
use payment::{Mandate, Now, Remedy, SaleKey, Unremedied};

impl Acquirer {
    /// Whether a remedy would be done now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_remedy(&self, now: Now, key: &SaleKey, remedy: Remedy) -> Result<(), Unremedied> {
        let sale = self.state.sale(key).ok_or(Unremedied::Unknown)?;
        match remedy {
            Remedy::AskNow => self.may_ask_now(now, sale),
            Remedy::GiveBack => self.may_give_back(sale),
        }
    }

    pub(crate) fn remedy(
        &self,
        now: Now,
        key: SaleKey,
        remedy: Remedy,
        mandate: Mandate,
        decided: &mut Decided,
    ) {
        let allowed = mandate.suffices(remedy) && self.may_remedy(now, &key, remedy).is_ok();
        let Some(sale) = self.state.sale(&key).filter(|_| allowed) else {
            return;
        };
        let cause = ReversalCause::Staff(mandate.proposal);
        decided.record(Record::Remedied {
            key,
            remedy,
            mandate,
            at: now.wall,
        });
        match remedy {
            Remedy::AskNow => self.ask_now(now, sale, decided),
            Remedy::GiveBack => self.give_back(now, sale, cause, decided),
        }
    }

    /// An advice or a reversal that nobody has answered, or a wallet's order or refund that is open.
    fn may_ask_now(&self, now: Now, sale: &SaleRecord) -> Result<(), Unremedied> {
        if is_scanned(&sale.request) {
            let asks = !self.hurried(now, sale).effects.is_empty();
            return asks.then_some(()).ok_or(Unremedied::NothingToAsk);
        }
        let waits = |key| self.state.relay.forwards(&key);
        match (sale.reversal, sale.evidence.upstream) {
            (Some(reversal), _) if waits(reversal.advice) => Ok(()),
            (None, _) if sale.host.is_some_and(waits) => Ok(()),
            (None, Upstream::Waiting) => Err(Unremedied::InProgress),
            _ => Err(Unremedied::NothingToAsk),
        }
    }

    fn ask_now(&self, now: Now, sale: &SaleRecord, decided: &mut Decided) {
        if is_scanned(&sale.request) {
            let step = self.hurried(now, sale);
            return self.carry(now, step, decided);
        }
        match (sale.reversal, sale.host) {
            (Some(reversal), _) => {
                self.send_advice(now, sale, reversal.advice, reversal.reason, decided);
            }
            (None, Some(host)) => self.deliver_advice(now, sale, host, decided),
            (None, None) => {}
        }
    }

    /// Of a wallet's refund the order that it is about.
    fn hurried(&self, now: Now, sale: &SaleRecord) -> crate::scan::Step {
        let order = sale.original.unwrap_or(sale.key());
        let wallets = &self.state.wallets;
        wallets.hurry(now.mono, self.rules(), order)
    }

    fn may_give_back(&self, sale: &SaleRecord) -> Result<(), Unremedied> {
        if !may_be_given_back(sale.request.kind) {
            return Err(Unremedied::NoSale);
        }
        #[cfg(feature = "planted")]
        if self.has(crate::planted::Bug::GivesBackTwice)
            && sale.evidence.upstream == Upstream::Approved
        {
            return Ok(());
        }
        match (sale.evidence.reversal, sale.evidence.upstream) {
            (Some(reversal), _) => Err(already(reversal)),
            (None, Upstream::Approved) => self.is_whole(sale),
            (None, Upstream::Declined(_) | Upstream::NotSent(_)) => Err(Unremedied::NothingTaken),
            (None, _) => Err(Unremedied::InProgress),
        }
    }

    /// Nothing was claimed of it, and its till has not settled it.
    fn is_whole(&self, sale: &SaleRecord) -> Result<(), Unremedied> {
        if sale.is_claimed() {
            return Err(Unremedied::Claimed);
        }
        let key = sale.key();
        let session = self.state.session(&key.terminal);
        let closed = session.is_none_or(|own| own.batch != key.batch || own.closed);
        match closed && sale.has_confirmed_approval() {
            true => Err(Unremedied::Settled),
            false => Ok(()),
        }
    }

    fn give_back(&self, now: Now, sale: &SaleRecord, cause: ReversalCause, decided: &mut Decided) {
        let key = sale.key();
        let setup = self.config.terminals.get(&key.terminal);
        // A terminal that does not speak our extension could never say that it knows.
        if setup.is_some_and(|setup| setup.extended) {
            decided.record(Record::NoticeOwed { key, by: key });
        }
        let reason = ReversalReason::TERMINAL_CANCELS;
        self.reverse(now, sale, cause, Upstream::Approved, reason, decided);
    }
}

/// How far the reversal is that a sale has already.
const fn already(reversal: Reversal) -> Unremedied {
    match reversal.progress {
        ReversalProgress::Open => Unremedied::BeingReversed,
        ReversalProgress::Confirmed(_) => Unremedied::WentBack,
        ReversalProgress::Refused(_) => Unremedied::IssuerRefuses,
    }
}
