//! What the cashier asks for, and when it must wait.

use crate::record::{Ending, Record};
use crate::state::Phase;
use crate::{Busy, Command, Decided, Effect, Screen, Terminal};
use payment::terminal::Request;
use payment::{Flow, Kind, Now, ResponseCode, Secrets};
use receipt::SpoolInput;

impl Terminal {
    pub(crate) fn command(&self, now: Now, command: Command, decided: &mut Decided) {
        match command {
            Command::SignOn => match &self.state.exchange {
                Some(exchange) if !may_be_left(&exchange.request) => {
                    show(Screen::Busy(Busy::Exchanging), decided);
                }
                _ => {
                    self.leave_exchange(now, decided);
                    decided.record(Record::SignOnNeeded { retry_at: now.mono });
                }
            },
            Command::SignOff => self.manage(now, Kind::SignOff, decided),
            Command::Echo => self.manage(now, Kind::Echo, decided),
            Command::Transact(order) => self.order(now, *order, decided),
            Command::Cash { amount, instead_of } => self.cash(now, amount, instead_of, decided),
            Command::Flush => self.flush(now, decided),
            Command::Withdraw => self.withdraw(now, decided),
            Command::GoodsHandedOver(handed) => self.goods(now, handed, decided),
            Command::Reprint(stan) => self.reprint(now, stan, decided),
            Command::Settle => self.settle(now, decided),
            Command::CloseShift => self.close_shift(now, decided),
            Command::ESlip(stan) => self.eslip(stan, decided),
            Command::Paper(stan, seen) => self.paper_seen(now, stan, seen, decided),
            Command::Printing(on) => self.switch_printing(now, on, decided),
            Command::ResumePrinter => self.printer(now, [SpoolInput::Resume], decided),
            Command::ClearPrinter => self.printer(now, [SpoolInput::Clear], decided),
            Command::Download(download) => self.order_download(now, download, decided),
        }
    }

    fn manage(&self, now: Now, kind: Kind, decided: &mut Decided) {
        if !self.put_download_aside(now, decided) {
            return show(Screen::Busy(Busy::Exchanging), decided);
        }
        let mut origin = self.origin();
        if !kind.row().is_numbered() {
            origin.stan = None;
        }
        self.ask(
            now,
            Request::Management { kind, origin },
            Secrets::default(),
            decided,
        );
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
        } else if state.settling.as_ref().is_some_and(|s| s.totals.is_some()) {
            Some(Busy::Settling)
        } else if !state.signed_on() {
            Some(Busy::SignOnFirst)
        } else if state
            .exchange
            .as_ref()
            .is_some_and(|e| !may_be_left(&e.request))
        {
            Some(Busy::Exchanging)
        } else {
            None
        }
    }

    /// Ends an exchange that may be left alone at any time.
    pub(crate) fn leave_exchange(&self, now: Now, decided: &mut Decided) {
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

    /// False when something else than a download is on the wire.
    pub(crate) fn put_download_aside(&self, now: Now, decided: &mut Decided) -> bool {
        match &self.state.exchange {
            Some(exchange) if is_download(&exchange.request) => self.leave_exchange(now, decided),
            Some(_) => return false,
            None => {}
        }
        true
    }

    /// Sends what is pending now. It charges nothing (hazard H3).
    fn flush(&self, now: Now, decided: &mut Decided) {
        let state = &self.state;
        if !self.put_download_aside(now, decided) {
            return show(Screen::Busy(Busy::Exchanging), decided);
        }
        let reported = self.unreported().is_none() && self.download_at().is_none();
        if state.is_settled() && state.advices.is_empty() && reported {
            return show(Screen::NothingPending, decided);
        }
        self.start_errand(now, decided);
    }

    /// Takes the open sale back instead of waiting (A28). What the acquirer already reverses is only followed.
    pub(crate) fn withdraw(&self, now: Now, decided: &mut Decided) {
        let pending = self.state.reversal.map(|reversal| reversal.sale);
        match self.state.open.map(|open| (open.sale, open.phase)) {
            None => show(
                pending.map_or(Screen::NothingPending, |sale| Screen::Reversing {
                    key: sale.key,
                    kind: sale.kind,
                    by_acquirer: false,
                }),
                decided,
            ),
            Some((sale, Phase::Following { .. })) => show(
                Screen::Reversing {
                    key: sale.key,
                    kind: sale.kind,
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

/// The sign of an idle report travels in the next request, an advice is sent again, and a download goes on.
fn may_be_left(request: &Request) -> bool {
    let row = request.kind().row();
    row.flow == Flow::Report || row.is_advice() || is_download(request)
}

fn is_download(request: &Request) -> bool {
    matches!(request, Request::Download(_))
}

pub(crate) fn show(screen: Screen, decided: &mut Decided) {
    decided.effect(Effect::Show(screen));
}
