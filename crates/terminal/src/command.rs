//! What the cashier asks for, and when it must wait.

use crate::record::{Ending, Record};
use crate::state::Phase;
use crate::{Busy, Command, Decided, Effect, Presented, Screen, Terminal};
use payment::terminal::{Request, Sale};
use payment::{Amount, Kind, Now, ResponseCode, SaleKey, Secrets};
use receipt::SpoolInput;

impl Terminal {
    pub(crate) fn command(&self, now: Now, command: Command, decided: &mut Decided) {
        match command {
            Command::SignOn => match &self.state.exchange {
                Some(exchange) if exchange.request.kind() != Kind::IdleReport => {
                    show(Screen::Busy(Busy::Exchanging), decided);
                }
                _ => {
                    self.leave_idle_report(now, decided);
                    decided.record(Record::SignOnNeeded { retry_at: now.mono });
                }
            },
            Command::SignOff => self.manage(now, Kind::SignOff, decided),
            Command::Echo => self.manage(now, Kind::Echo, decided),
            Command::Sale { amount, presented } => {
                self.sell(now, Kind::Purchase, amount, *presented, decided)
            }
            Command::Balance { presented } => {
                self.sell(
                    now,
                    Kind::BalanceInquiry,
                    Amount::fen(0),
                    *presented,
                    decided,
                );
            }
            Command::Flush => self.flush(now, decided),
            Command::Withdraw => self.withdraw(now, decided),
            Command::GoodsHandedOver(handed) => self.goods(now, handed, decided),
            Command::Reprint(stan) => self.reprint(now, stan, decided),
            Command::ESlip(stan) => self.eslip(stan, decided),
            Command::Paper(stan, seen) => self.paper_seen(now, stan, seen, decided),
            Command::Printing(on) => self.switch_printing(now, on, decided),
            Command::ResumePrinter => self.printer(now, [SpoolInput::Resume], decided),
            Command::ClearPrinter => self.printer(now, [SpoolInput::Clear], decided),
        }
    }

    fn manage(&self, now: Now, kind: Kind, decided: &mut Decided) {
        if self.state.exchange.is_some() {
            return show(Screen::Busy(Busy::Exchanging), decided);
        }
        let mut origin = self.origin();
        if kind == Kind::Echo {
            origin.stan = None;
        }
        self.ask(
            now,
            Request::Management { kind, origin },
            Secrets::default(),
            decided,
        );
    }

    /// Starts a sale or an inquiry, unless something must go first (T2, settled point 7).
    fn sell(
        &self,
        now: Now,
        kind: Kind,
        amount: Amount,
        presented: Presented,
        decided: &mut Decided,
    ) {
        if let Some(busy) = self.busy() {
            if self.state.exchange.is_none() {
                self.start_errand(now, decided);
            }
            return show(Screen::Busy(busy), decided);
        }
        self.leave_idle_report(now, decided);
        let origin = self.origin();
        let sale = Sale {
            key: SaleKey {
                terminal: origin.terminal,
                merchant: origin.merchant,
                batch: origin.batch,
                stan: self.state.next_stan,
            },
            kind,
            amount,
            card: presented.card,
            entry: presented.entry,
            expiry: presented.expiry,
            card_sequence: None,
        };
        self.ask(
            now,
            Request::Financial {
                sale,
                sign: self.sign(),
            },
            presented.secrets,
            decided,
        );
        show(Screen::Confirming(sale.key), decided);
    }

    /// What must go before a sale.
    pub fn busy(&self) -> Option<Busy> {
        let state = &self.state;
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::SellsWithPendingReversal) && state.signed_on()
        {
            return state.exchange.is_some().then_some(Busy::Exchanging);
        }
        if state.reversal.is_some() {
            Some(Busy::ReversalFirst)
        } else if state.open.is_some() {
            Some(Busy::SaleUnresolved)
        } else if !state.signed_on() {
            Some(Busy::SignOnFirst)
        } else if state
            .exchange
            .as_ref()
            .is_some_and(|e| e.request.kind() != Kind::IdleReport)
        {
            Some(Busy::Exchanging)
        } else {
            None
        }
    }

    /// An idle report may be left alone at any time: its sign travels in the next request.
    fn leave_idle_report(&self, now: Now, decided: &mut Decided) {
        if let Some(exchange) = &self.state.exchange {
            decided.effect(Effect::HangUp {
                exchange: exchange.number,
            });
            decided.record(Record::ExchangeEnded {
                at: now,
                reported: None,
            });
        }
    }

    /// Sends what is pending now. It charges nothing (hazard H3).
    fn flush(&self, now: Now, decided: &mut Decided) {
        let state = &self.state;
        if state.exchange.is_some() {
            return show(Screen::Busy(Busy::Exchanging), decided);
        }
        if state.is_settled() && self.unreported().is_none() {
            return show(Screen::NothingPending, decided);
        }
        self.start_errand(now, decided);
    }

    /// Takes the open sale back instead of waiting (A28). What the acquirer already reverses is only followed.
    fn withdraw(&self, now: Now, decided: &mut Decided) {
        let pending = self.state.reversal.map(|reversal| reversal.sale.key);
        match self.state.open.map(|open| (open.sale.key, open.phase)) {
            None => show(
                pending.map_or(Screen::NothingPending, |key| Screen::Reversing {
                    key,
                    by_acquirer: false,
                }),
                decided,
            ),
            Some((key, Phase::Following { .. })) => show(
                Screen::Reversing {
                    key,
                    by_acquirer: true,
                },
                decided,
            ),
            Some(_) => {
                if let Some(exchange) = &self.state.exchange {
                    decided.effect(Effect::HangUp {
                        exchange: exchange.number,
                    });
                    decided.record(Record::ExchangeEnded {
                        at: now,
                        reported: None,
                    });
                }
                self.reverse(now, ResponseCode::REASON_OTHER, decided);
            }
        }
    }

    /// The answer to "were the goods handed over?"; silence is no (settled point 6).
    pub(crate) fn goods(&self, now: Now, handed: bool, decided: &mut Decided) {
        let Some(Phase::Question { approval, .. }) =
            self.state.open.as_ref().map(|open| open.phase)
        else {
            return show(Screen::NothingPending, decided);
        };
        if handed {
            self.end(now, Ending::Approved(approval), decided);
        } else {
            self.reverse(now, ResponseCode::REASON_OTHER, decided);
        }
    }

    fn reprint(&self, now: Now, stan: Option<payment::Stan>, decided: &mut Decided) {
        let found = self.slip_with(|c| {
            stan.map_or(
                matches!(c.ending, Ending::Approved(_) | Ending::Reversed { .. }),
                |s| c.sale.key.stan == s,
            )
        });
        // The spool keeps more slips than the terminal keeps sales.
        let kept = || {
            let search = receipt::Search {
                voucher: Some(stan?.0),
                ..receipt::Search::default()
            };
            let found = self.state.spool.search(&search);
            found.first().map(|slip| slip.slip_id)
        };
        match found.or_else(kept) {
            Some(slip_id) => self.printer(now, [SpoolInput::Reprint { slip_id }], decided),
            None => show(Screen::NoSuchSlip, decided),
        }
    }
}

pub(crate) fn show(screen: Screen, decided: &mut Decided) {
    decided.effect(Effect::Show(screen));
}
