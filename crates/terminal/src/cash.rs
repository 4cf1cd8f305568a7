//! Cash at the till, and what stands in place of a card sale whose result is not known.
//!
//! Invariant: before cash is counted in place of a sale, that sale's withdrawal and the link are durable; such cash is
//! taken once, and a sale of this terminal in whose place cash was taken is never shown as approved.

use crate::command::show;
use crate::limits::{ADVICES_MAX, CASH_MAX};
use crate::record::{Cash, Ending, Record};
use crate::state::{Phase, Refused};
use crate::{Busy, Decided, Effect, Screen, Terminal};
use payment::terminal::{Answer, Sale};
use payment::{Amount, Kind, LinkReason, Linked, Now, ResponseCode, SaleKey};
use receipt::{CopyOf, SlipFields, SpoolEffect, SpoolInput, Title};

/// `ESC p`: the drawer on pin 2, on for 50 ms and off for 500 ms (receipts reference, ESC/POS).
const DRAWER_KICK: [u8; 5] = [0x1B, 0x70, 0x00, 25, 250];

impl Terminal {
    /// Takes cash: by itself, or in place of a sale that is not resolved.
    pub(crate) fn cash(
        &self,
        now: Now,
        amount: Amount,
        instead_of: Option<SaleKey>,
        decided: &mut Decided,
    ) {
        let link = match instead_of {
            None => match self.unresolved() {
                Some(_) => return self.wait_first(decided),
                None => None,
            },
            Some(earlier) => match self.link_to(earlier) {
                Ok(link) => link,
                Err(screen) => return show(*screen, decided),
            },
        };
        if link.is_some() && self.state.advices.len() >= ADVICES_MAX {
            return show(Screen::Busy(Busy::AdvicesFirst), decided);
        }
        // The withdrawal first: a link without it could undo a sale that this terminal then shows as approved.
        let open = self.state.open.map(|open| open.sale.key);
        if open.is_some() && open == instead_of {
            self.withdraw(now, decided);
        }
        let mut stan = self.state.next_stan;
        if let Some(sale) = link {
            decided.record(Record::Stored { sale, at: now });
            stan = stan.next();
        }
        let origin = self.origin();
        let cash = Cash {
            key: SaleKey {
                terminal: origin.terminal,
                merchant: origin.merchant,
                batch: origin.batch,
                stan,
            },
            amount,
            instead_of,
            at: now,
        };
        decided.record(Record::CashTaken { cash });
        self.open_drawer(now, &cash, decided);
        show(
            Screen::CashTaken {
                key: cash.key,
                amount,
                instead_of,
            },
            decided,
        );
    }

    fn wait_first(&self, decided: &mut Decided) {
        let busy = match self.state.reversal {
            Some(_) => Busy::ReversalFirst,
            None => Busy::SaleUnresolved,
        };
        show(Screen::Busy(busy), decided);
    }

    /// This terminal's sale that has no result yet.
    fn unresolved(&self) -> Option<Sale> {
        let open = self.state.open.map(|open| open.sale);
        open.or(self.state.reversal.map(|reversal| reversal.sale))
    }

    /// The link to the sale in whose place cash is taken; none when that sale certainly took no money.
    fn link_to(&self, earlier: SaleKey) -> Result<Option<Sale>, Box<Screen>> {
        let again = |cash: &&Cash| cash.instead_of == Some(earlier);
        if self.state.cash.iter().any(|cash| again(&cash)) {
            return Err(Box::new(Screen::Busy(Busy::SaleUnresolved)));
        }
        let own = self.unresolved();
        let refused = self.state.refused.filter(|r| r.earlier == earlier);
        let card_of = match own {
            Some(own) if own.key == earlier => own,
            Some(_) => return Err(Box::new(Screen::Busy(Busy::SaleUnresolved))),
            None => match refused {
                Some(refused) => refused.sale,
                None => return self.ended_without_money(earlier),
            },
        };
        // A terminal that does not speak the extension has its own reversal, and no more.
        Ok(self.config.extended.then(|| self.link(&card_of, earlier)))
    }

    fn ended_without_money(&self, earlier: SaleKey) -> Result<Option<Sale>, Box<Screen>> {
        let own = self.state.completed.iter().rev();
        let ending = own
            .clone()
            .find(|c| c.sale.key == earlier)
            .map(|c| c.ending);
        match ending {
            Some(Ending::Declined(_) | Ending::NotSent | Ending::Reversed { .. }) => Ok(None),
            _ => Err(Box::new(Screen::NoSuchOriginal)),
        }
    }

    fn link(&self, card_of: &Sale, earlier: SaleKey) -> Sale {
        let origin = self.origin();
        Sale {
            key: SaleKey {
                terminal: origin.terminal,
                merchant: origin.merchant,
                batch: origin.batch,
                stan: self.state.next_stan,
            },
            kind: Kind::CashLink,
            amount: Amount::fen(0),
            entry: crate::order::without_pin(card_of.entry),
            original: None,
            tip_minor: None,
            linked: Some(Linked {
                earlier,
                reason: LinkReason::Cash,
            }),
            ..*card_of
        }
    }

    /// The drawer opens and a slip says what was taken; paper never decides about money.
    fn open_drawer(&self, now: Now, cash: &Cash, decided: &mut Decided) {
        if !self.config.prints {
            return;
        }
        let kick = SpoolEffect::Command(DRAWER_KICK.to_vec());
        decided.effect(Effect::Printer(kick));
        let config = &self.config;
        let words = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        let remarks = cash.instead_of.map(|earlier| {
            (
                format!("代替刷卡交易 {earlier}"),
                format!("In place of card sale {earlier}"),
            )
        });
        let fields = SlipFields {
            title: Title::Cash,
            merchant_name: config.merchant_name.clone(),
            merchant_id: cash.key.merchant.to_string(),
            terminal_id: cash.key.terminal.to_string(),
            operator: config.operator.clone(),
            issuer: String::new(),
            acquirer: String::new(),
            masked_pan: String::new(),
            entry_letter: ' ',
            transaction: words("现金收款", "CASH"),
            batch: cash.key.batch.0,
            voucher: cash.key.stan.0,
            auth_code: None,
            rrn: None,
            date_time: now.wall.text(),
            amount_minor: cash.amount.minor,
            headline: words("现金已收", "Cash received"),
            remarks: remarks.into_iter().collect(),
            signature_required: false,
            verification: None,
            chip: None,
            link: None,
            training: false,
        };
        let submit = SpoolInput::Submit {
            slip_id: crate::slip_id(cash.key.batch, cash.key.stan),
            fields,
            copy: CopyOf::Cardholder,
            language: config.language,
            paper: config.paper,
        };
        self.printer(now, [submit], decided);
    }

    /// A charge was refused because it may repeat an earlier one: the cashier has three safe ways on.
    pub(crate) fn guarded(&self, sale: &Sale, answer: &Answer, decided: &mut Decided) {
        let Some(earlier) = answer
            .guard
            .filter(|_| answer.code == ResponseCode::DUPLICATE)
        else {
            return;
        };
        decided.record(Record::Guarded {
            sale: *sale,
            earlier,
        });
        show(
            Screen::Guard {
                key: sale.key,
                earlier,
                amount: sale.amount,
            },
            decided,
        );
    }

    /// The acquirer's answer to a link: when it could not take the sale back, people must.
    pub(crate) fn link_answered(&self, sale: &Sale, ending: Ending, decided: &mut Decided) {
        if let (Some(linked), Ending::Declined(code)) = (sale.linked, ending) {
            show(
                Screen::LinkRefused {
                    earlier: linked.earlier,
                    code,
                },
                decided,
            );
        }
    }

    /// Cash was taken in place of this sale.
    pub(crate) fn paid_in_cash(&self, sale: SaleKey) -> bool {
        let cash = &self.state.cash;
        cash.iter().any(|cash| cash.instead_of == Some(sale))
    }

    /// On its own terminal a charge goes in place of a sale that the acquirer already reverses, by the supervisor alone;
    /// the terminal's own reversal always goes first (settled point 7).
    pub(crate) fn overrides(&self, linked: Option<Linked>) -> bool {
        let followed = self
            .state
            .open
            .filter(|open| matches!(open.phase, Phase::Following { .. }));
        linked
            .filter(|_| self.state.signed_on())
            .is_some_and(|linked| {
                linked.reason == LinkReason::Supervisor
                    && followed.is_some_and(|open| open.sale.key == linked.earlier)
            })
    }

    /// Writes down who let a charge go in place of the followed sale, which the acquirer goes on reversing alone.
    pub(crate) fn override_open(&self, now: Now, linked: Linked, decided: &mut Decided) {
        self.leave_exchange(now, decided);
        decided.record(Record::Overridden {
            linked,
            operator: self.config.operator.clone(),
            at: now,
        });
    }
}

impl crate::State {
    /// Cash taken, oldest first.
    pub fn cash(&self) -> impl DoubleEndedIterator<Item = &Cash> {
        self.cash.iter()
    }

    /// The charge that was refused last because it may repeat an earlier one, while nothing else has been paid since.
    pub fn refused(&self) -> Option<&Refused> {
        self.refused.as_ref()
    }

    pub(crate) fn cash_taken(&mut self, cash: &Cash) {
        self.next_stan = cash.key.stan.next();
        self.totals.cash += 1;
        self.totals.cash_minor += cash.amount.minor;
        let (count, sum) = self.shift.cash;
        self.shift.cash = (count + 1, sum.saturating_add(cash.amount.minor));
        self.shift.since.get_or_insert(cash.at);
        self.idle_since = cash.at.mono;
        self.refused = None;
        self.cash.push_back(*cash);
        if self.cash.len() > CASH_MAX {
            self.cash.pop_front();
        }
    }
}
