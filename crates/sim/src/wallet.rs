//! The wallet's provider and its customers, and the way there and back on which requests and answers get lost.
//!
//! It keeps what an adapter owes (docs/wallet.md) and nothing more: it decides late, forgets orders that it was never asked
//! for, resists refunds; it takes the money of an order once, and its final words stay.

use crate::core::{Core, Event, Who};
use crate::marks::Mark;
use crate::node::AnyInput;
use crate::prng::{mix, named};
use crate::weather::Fault;
use acquirer::wallet::{Ask, Refusal, Voucher, WalletAnswer, WalletRequest};
use payment::{Amount, QrText, Rrn, SaleKey};
use std::collections::BTreeMap;

/// The name of an order for ever: its sale, and that sale's reference number.
pub type OrderName = (SaleKey, Rrn);

/// A request this old is refused, in microseconds.
pub const STALE_US: u64 = 60_000_000;
/// Names of the faults' places.
const ASKED: u32 = 500;
const ANSWERED: u32 = 501;
const GUST: u32 = 510;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Asked {
    from: Who,
    request: WalletRequest<SaleKey>,
    rrn: Rrn,
    sent_at: u64,
}

/// The provider.
#[derive(Clone, Debug)]
pub struct Provider {
    orders: BTreeMap<OrderName, Placed>,
    asked: u32,
    answered: u32,
    /// Nothing gets through, or it hears nothing, until then.
    deaf_until: u64,
    /// It does not remember the close or revoke of an order that it has never seen.
    forgets: bool,
}

#[derive(Clone, Debug)]
struct Placed {
    /// The sale as the judge numbers it.
    sale: u32,
    amount: Amount,
    state: State,
    refunds: BTreeMap<u8, Refund>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Refund {
    asked: u32,
    done: bool,
    minor: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Shown,
    Paying,
    Paid,
    Closed,
    Declined(Refusal),
    Revoked { gave_back: bool },
}

/// What a customer does about an order.
enum Customer {
    Pays,
    /// So many microseconds later: pays, or refuses.
    Later(u64, bool),
    Refused(Refusal),
    Never,
}

impl Provider {
    pub fn new(seed: u64) -> Self {
        Self {
            orders: BTreeMap::new(),
            asked: 0,
            answered: 0,
            deaf_until: 0,
            forgets: named(seed, 0x3A, 0, 0).is_multiple_of(3),
        }
    }

    pub fn mend(&mut self) {
        self.deaf_until = 0;
    }

    /// Paid and not given back of all orders, in minor units.
    pub fn kept_minor(&self) -> i64 {
        self.orders.values().map(Placed::kept_minor).sum()
    }

    /// Paid and not given back of the orders of one sale, in minor units.
    pub fn kept_of(&self, key: &SaleKey) -> i64 {
        let own = self.orders.iter().filter(|((of, _), _)| of == key);
        own.map(|(_, placed)| placed.kept_minor()).sum()
    }
}

impl Placed {
    fn kept_minor(&self) -> i64 {
        let back = self.refunds.values().filter(|refund| refund.done);
        match self.state {
            State::Paid => self.amount.minor as i64 - back.map(|r| r.minor as i64).sum::<i64>(),
            _ => 0,
        }
    }

    fn word(&self) -> WalletAnswer {
        match self.state {
            State::Shown => WalletAnswer::Unpaid,
            State::Paying => WalletAnswer::UserPaying,
            State::Paid => WalletAnswer::Paid {
                amount: self.amount,
                voucher: Voucher([b'0' + (self.sale % 10) as u8; 20]),
            },
            State::Closed => WalletAnswer::Closed,
            State::Declined(why) => WalletAnswer::Declined(why),
            State::Revoked { gave_back } => WalletAnswer::Revoked { gave_back },
        }
    }
}

impl Core {
    /// A request leaves the acquirer.
    pub fn wallet_ask(&mut self, from: Who, request: WalletRequest<SaleKey>, rrn: Rrn) {
        self.frames += 1;
        self.note(from, || format!("asks     the wallet: {request:?}"));
        self.provider.asked += 1;
        let number = self.provider.asked;
        let asked = Asked {
            from,
            request,
            rrn,
            sent_at: self.time,
        };
        // Whatever is changed on its way is not signed any more.
        let lost = self.fires(Fault::RequestLost, ASKED, number).is_some()
            || self.fires(Fault::Corruption, ASKED, number).is_some();
        if lost || self.provider.deaf_until > self.time {
            return self.mark(Mark::WalletAskLost);
        }
        for delay in self.wallet_delays(ASKED, number) {
            let at = self.time + delay;
            self.push(at, Event::WalletHears(Box::new(asked.clone())));
        }
    }

    /// How long a message is on its way, and its copy.
    fn wallet_delays(&mut self, place: u32, number: u32) -> Vec<u64> {
        let mut delay = 5_000 + self.net.below(60_000);
        if let Some(draw) = self.fires(Fault::Slow, place, number) {
            delay +=
                [200_000, 3_000_000, self.answer_us][draw as usize % 3] * (draw / 3 % 100) / 50;
        }
        let copy = self.fires(Fault::Duplicate, place, number);
        let copy = copy
            .map(|draw| delay + 1 + draw / 4 % [60_000, 5_000_000, 50_000_000][draw as usize % 3]);
        [Some(delay), copy].into_iter().flatten().collect()
    }

    /// A request arrives, and is answered.
    pub fn wallet_hears(&mut self, asked: &Asked) {
        let stale = self.time > asked.sent_at + STALE_US;
        if stale || self.provider.deaf_until > self.time {
            return self.mark(Mark::WalletAskLost);
        }
        let Some(sale) = self.oracle.by_key(&asked.request.key) else {
            let key = asked.request.key;
            return self.violate("T3", || {
                format!("{key}: an order, and its till has not written the sale down")
            });
        };
        let answer = self.wallet_acts(asked, sale);
        self.note_world(|| format!("the wallet, of sale {sale}: {answer:?}"));
        self.provider.answered += 1;
        let number = self.provider.answered;
        let lost = self
            .fires(Fault::IssuerAnswerLost, ANSWERED, number)
            .is_some()
            || self.fires(Fault::Corruption, ANSWERED, number).is_some();
        if lost {
            return self.mark(Mark::WalletAnswerLost);
        }
        let late = self.fires(Fault::LateAnswer, ANSWERED, number);
        let late = late.map_or(0, |draw| draw % 40_000_000);
        for delay in self.wallet_delays(ANSWERED, number) {
            let input = acquirer::Input::Wallet {
                key: asked.request.key,
                ask: asked.request.ask,
                answer: answer.clone(),
            };
            self.push_input(delay + late, asked.from, AnyInput::Acquirer(input));
        }
    }

    fn wallet_acts(&mut self, asked: &Asked, sale: u32) -> WalletAnswer {
        let name = (asked.request.key, asked.rrn);
        let Some(placed) = self.provider.orders.get(&name) else {
            return self.wallet_places(name, &asked.request, sale);
        };
        let (state, word) = (placed.state, placed.word());
        let open = matches!(state, State::Shown | State::Paying);
        match asked.request.what {
            Ask::Refund { number, amount } => self.wallet_refunds(name, number, amount),
            Ask::Order if open => shown(sale),
            Ask::Close if open => self.wallet_ends(name, State::Closed),
            Ask::Revoke if open => self.wallet_ends(name, State::Revoked { gave_back: false }),
            Ask::Revoke if state == State::Paid => {
                let minor = self.provider.orders[&name].kept_minor();
                self.mark(Mark::WalletRevokedPaid);
                self.wallet_gave_back(sale, minor);
                self.wallet_ends(name, State::Revoked { gave_back: true })
            }
            Ask::Close if state == State::Paid => {
                self.mark(Mark::WalletPaidAtClose);
                word
            }
            _ => word,
        }
    }

    /// The first that the provider hears of an order.
    fn wallet_places(
        &mut self,
        name: OrderName,
        request: &WalletRequest<SaleKey>,
        sale: u32,
    ) -> WalletAnswer {
        let state = match request.what {
            Ask::Order => State::Shown,
            Ask::Pay => State::Paying,
            Ask::Close if !self.provider.forgets => State::Closed,
            Ask::Revoke if !self.provider.forgets => State::Revoked { gave_back: false },
            _ => return WalletAnswer::NoSuchOrder,
        };
        let placed = Placed {
            sale,
            amount: request.amount,
            state,
            refunds: BTreeMap::new(),
        };
        self.provider.orders.insert(name, placed);
        if matches!(state, State::Closed | State::Revoked { .. }) {
            return self.wallet_ends(name, state);
        }
        match self.customer(sale, state == State::Shown) {
            Customer::Pays => self.customer_pays(name),
            Customer::Refused(why) => return self.wallet_ends(name, State::Declined(why)),
            Customer::Later(after_us, pays) => {
                let at = self.time + after_us;
                self.push(at, Event::CustomerDecides(name, pays));
            }
            Customer::Never => {}
        }
        match request.what {
            Ask::Order => shown(sale),
            _ => self.provider.orders[&name].word(),
        }
    }

    fn customer(&self, sale: u32, scans: bool) -> Customer {
        let draw = named(self.seed, 0xC057, u64::from(sale), 0);
        let after_us =
            500_000 + mix(draw) % [4_000_000, 20_000_000, 60_000_000][draw as usize / 128 % 3];
        let why = [
            Refusal::Code,
            Refusal::Funds,
            Refusal::Limit,
            Refusal::Other,
        ];
        match (draw % 100, scans) {
            (0..75, true) | (50..70, false) => Customer::Later(after_us, true),
            (75.., true) | (86.., false) => Customer::Never,
            (0..50, false) => Customer::Pays,
            (70..78, false) => Customer::Later(after_us, false),
            (_, false) => Customer::Refused(why[draw as usize / 128 % 4]),
        }
    }

    /// The customer confirms the payment, or says no; too late when the order is over.
    pub fn customer_decides(&mut self, name: OrderName, pays: bool) {
        let placed = &self.provider.orders[&name];
        if !matches!(placed.state, State::Shown | State::Paying) {
            return;
        }
        let sale = placed.sale;
        self.note_world(|| format!("the customer of sale {sale} pays: {pays}"));
        match pays {
            true => self.customer_pays(name),
            false => {
                self.wallet_ends(name, State::Declined(Refusal::Payer));
            }
        }
    }

    fn customer_pays(&mut self, name: OrderName) {
        let Some(placed) = self.provider.orders.get_mut(&name) else {
            return;
        };
        placed.state = State::Paid;
        let (sale, minor) = (placed.sale, placed.amount.minor);
        self.wallet_paid(sale, minor);
    }

    fn wallet_ends(&mut self, name: OrderName, state: State) -> WalletAnswer {
        let Some(placed) = self.provider.orders.get_mut(&name) else {
            return WalletAnswer::NoSuchOrder;
        };
        placed.state = state;
        let (sale, word) = (placed.sale, placed.word());
        self.oracle.sales[sale as usize].closed = true;
        word
    }

    /// One in ten refunds is refused: for good when the shop asked for it, for a while when nobody did.
    fn wallet_refunds(&mut self, name: OrderName, number: u8, amount: Amount) -> WalletAnswer {
        let asked_by = self.oracle.refund_of(&name.0, number);
        let draw = named(
            self.seed,
            0x4EF,
            asked_by.map_or(0, u64::from),
            u64::from(number) << 32 | u64::from(name.0.stan.0),
        );
        let resists = draw.is_multiple_of(10);
        let Some(placed) = self.provider.orders.get_mut(&name) else {
            return WalletAnswer::NoSuchOrder;
        };
        let (sale, left) = (placed.sale, placed.kept_minor());
        let refund = placed.refunds.entry(number).or_default();
        if refund.done {
            return WalletAnswer::Refunded { number };
        }
        refund.asked += 1;
        let patient = asked_by.is_some() || u64::from(refund.asked) <= 1 + draw / 16 % 3;
        if (resists && patient) || amount.minor as i64 > left {
            self.mark(Mark::WalletRefundResisted);
            return WalletAnswer::RefundRefused { number };
        }
        (refund.done, refund.minor) = (true, amount.minor);
        match asked_by {
            Some(refund) => self.wallet_refunded(refund, amount.minor),
            None => {
                self.wallet_gave_back(sale, amount.minor as i64);
                self.oracle.sales[sale as usize].closed = true;
            }
        }
        WalletAnswer::Refunded { number }
    }

    /// Chances for the provider to be deaf, or cut off.
    pub fn wallet_gust(&mut self, number: u32) {
        for (fault, place) in [(Fault::WalletDeaf, GUST), (Fault::Partition, GUST + 1)] {
            if let Some(draw) = self.fires(fault, place, number) {
                let until = self.time + 100_000 + draw % 20_000_000;
                self.provider.deaf_until = self.provider.deaf_until.max(until);
            }
        }
    }
}

fn shown(sale: u32) -> WalletAnswer {
    let text = format!("https://wallet.example/pay/{sale}");
    WalletAnswer::Shown(QrText::parse(text.as_bytes()).expect("printable characters"))
}
