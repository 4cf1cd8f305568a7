//! The person at the till: sells, hands goods over when the screen says approved, answers truthfully, loses patience.
//!
//! What the cashier saw is evidence of its own; it comes from screens, never from a party's state.

use crate::core::{Core, Event, Who};
use crate::marks::Mark;
use crate::node::Node;
use crate::oracle::End;
use crate::orders::Draft;
use crate::setup::{PIN, TestCard};
use crate::weather::Fault;
use payment::kind::PinRule;
use payment::{Amount, Machine, Track2};
use terminal::{Command, Input, Order, Screen, Terminal};

/// How long a cashier waits before looking again, in microseconds.
const LOOK_US: u64 = 1_000_000;

/// A cashier.
#[derive(Clone, Debug)]
pub struct Cashier {
    /// Sales still to make.
    left: u32,
    current: Option<u32>,
    look_at: u64,
    asked_goods: bool,
    looks: u32,
    /// Nothing more to do.
    pub done: bool,
}

impl Cashier {
    pub fn new(purchases: u32) -> Self {
        Self {
            left: purchases,
            current: None,
            look_at: u64::MAX,
            asked_goods: false,
            looks: 0,
            done: false,
        }
    }
}

impl Core {
    /// A screen lights up.
    pub fn cashier_sees(&mut self, terminal: u8, screen: Screen) {
        let at = usize::from(terminal);
        if self.traced() {
            self.note(Who::Terminal(terminal), || format!("shows    {screen:?}"));
        }
        match screen {
            Screen::SignedOn => {
                self.look_soon(terminal);
            }
            Screen::Approved { key, amount, .. } => {
                let Some(number) = self.oracle.by_key(&key) else {
                    return self.violate("T3", || {
                        format!("{key} shown approved, and no record of it is durable")
                    });
                };
                let time = self.time;
                let sale = &mut self.oracle.sales[number as usize];
                sale.approved_shown = Some(time);
                sale.goods_gone = true;
                let sale = sale.clone();
                let stands = sale.stands() || sale.is_stored();
                if !stands || amount.minor != sale.minor {
                    self.violate("T1", || {
                        format!(
                            "sale {number}: {} shown approved; at the issuer it stands: {stands}",
                            amount.minor,
                        )
                    });
                }
                // A refusal may have overtaken what was told of a stored advice.
                if sale.end != Some(End::Approved) && !sale.is_stored() {
                    self.violate("T3", || {
                        format!("sale {number}: shown approved before its ending was durable")
                    });
                }
                self.over(terminal, number);
            }
            Screen::Declined { key, .. }
            | Screen::Reversed { key, .. }
            | Screen::NotSent(key)
            | Screen::Case(key) => {
                if let Some(number) = self.oracle.by_key(&key) {
                    self.over(terminal, number);
                }
            }
            Screen::AskGoods(_) => {
                self.cashiers[at].asked_goods = true;
                self.look_soon(terminal);
            }
            _ => {}
        }
    }

    fn over(&mut self, terminal: u8, number: u32) {
        let cashier = &mut self.cashiers[usize::from(terminal)];
        if cashier.current == Some(number) {
            cashier.current = None;
            self.look_soon(terminal);
        }
    }

    fn look_soon(&mut self, terminal: u8) {
        let after = self.human.within(20_000, 900_000);
        self.look_after(terminal, after);
    }

    /// The cashier looks at the till then, if not before.
    pub fn look_after(&mut self, terminal: u8, after_us: u64) {
        let at = self.time + after_us;
        let cashier = &mut self.cashiers[usize::from(terminal)];
        if at < cashier.look_at {
            cashier.look_at = at;
            self.push(at, Event::Cashier(terminal));
        }
    }
}

/// The cashier looks at the till and does what comes next.
pub fn look(core: &mut Core, node: &mut Node<Terminal>, cards: &[TestCard], terminal: u8) {
    let at = usize::from(terminal);
    if core.cashiers[at].look_at != core.time {
        return;
    }
    core.cashiers[at].look_at = u64::MAX;
    if core.cashiers[at].done || !node.alive {
        return;
    }
    core.cashiers[at].looks += 1;
    let number = core.cashiers[at].looks;
    core.look_after(terminal, LOOK_US);
    let state = node.party.state();
    if state.keys().is_none() && state.exchange().is_none() && node.party.deadline().is_none() {
        return node.input(core, Input::Cashier(Command::SignOn));
    }
    if std::mem::take(&mut core.cashiers[at].asked_goods) {
        return answer_goods(core, node, terminal);
    }
    if let Some(sale) = core.cashiers[at].current {
        // The screen may have died with the till: then its last line tells.
        let key = core.oracle.sales[sale as usize].key;
        let state = node.party.state();
        let open = state.open().map(|open| open.sale.key);
        let reversing = state.reversal().map(|reversal| reversal.sale.key);
        let over = key.is_none() || (open != key && reversing != key);
        if over && node.is_idle() {
            core.cashiers[at].current = None;
        } else {
            return fidget(core, node, terminal, number);
        }
    }
    if core.cashiers[at].left == 0 {
        core.cashiers[at].done = true;
        return;
    }
    sell(core, node, cards, terminal);
}

fn answer_goods(core: &mut Core, node: &mut Node<Terminal>, terminal: u8) {
    // One in eight does not answer: silence is no.
    let draw = core.human.below(8);
    let Some(sale) = core.cashiers[usize::from(terminal)].current else {
        return;
    };
    let gone = core.oracle.sales[sale as usize].goods_gone;
    if gone {
        core.mark(Mark::GoodsHandedOver);
    }
    if draw > 0 || gone {
        node.input(core, Input::Cashier(Command::GoodsHandedOver(gone)));
    }
}

/// Impatience: a withdrawal, a flush, goods given away on trust.
fn fidget(core: &mut Core, node: &mut Node<Terminal>, terminal: u8, number: u32) {
    let Some(draw) = core.fires(Fault::Cashier, 40 + u32::from(terminal), number) else {
        return;
    };
    match draw % 5 {
        0 => {
            core.mark(Mark::Withdrawn);
            node.input(core, Input::Cashier(Command::Withdraw));
        }
        1 => node.input(core, Input::Cashier(Command::Flush)),
        2 => node.input(core, Input::Cashier(Command::Echo)),
        _ => {
            if let Some(sale) = core.cashiers[usize::from(terminal)].current {
                core.oracle.sales[sale as usize].goods_gone = true;
            }
        }
    }
}

fn sell(core: &mut Core, node: &mut Node<Terminal>, cards: &[TestCard], terminal: u8) {
    let at = usize::from(terminal);
    if let Some(draw) = core.fires(
        Fault::Cashier,
        50 + u32::from(terminal),
        core.cashiers[at].looks,
    ) && draw % 2 == 0
    {
        core.mark(Mark::Reprinted);
        node.input(core, Input::Cashier(Command::Reprint(None)));
    }
    if node.party.busy().is_some() && core.human.percent(90) {
        // The till says so itself; pressing the key only makes it hurry. One in ten does not read.
        if core.human.percent(30) {
            node.input(core, Input::Cashier(Command::Flush));
        }
        return;
    }
    let draft = core.draw_order(terminal, cards.len());
    order(core, node, cards, terminal, draft);
}

/// Presents the card where the order needs one, and presses the key.
fn order(
    core: &mut Core,
    node: &mut Node<Terminal>,
    cards: &[TestCard],
    terminal: u8,
    draft: Draft,
) {
    let at = usize::from(terminal);
    let Draft {
        ordered,
        named,
        presents,
    } = draft;
    let number = ordered.card;
    let card = &cards[number];
    let row = ordered.kind.row();
    let asks_pin = card.has_pin && presents && row.pin != PinRule::Never;
    let enters_pin = asks_pin && core.human.percent(60);
    // A wrong PIN now and then, never on the cards that must not be blocked.
    let wrong_pin = enters_pin && number.is_multiple_of(4) && core.human.percent(3);
    let track2 = Track2::parse(&card.track2).expect("a test card");
    let pin = enters_pin
        .then(|| crypto::Pin::parse(if wrong_pin { b"654321" } else { PIN }).expect("digits"));
    let presented = presents.then(|| {
        node.around(core.time, |till, around| match row.keyed {
            true => {
                let pan = track2.pan().expect("a test card");
                till.key_in(around, pan, track2.expiry())
            }
            false => till.present(around, track2, pin.as_ref()),
        })
    });
    let Ok(presented) = presented.transpose() else {
        return;
    };
    let sale = core.oracle.order(terminal, &ordered);
    core.oracle.sales[sale as usize].wrong_pin = wrong_pin;
    core.cashiers[at].left -= 1;
    core.cashiers[at].current = Some(sale);
    core.note(Who::Terminal(terminal), || {
        let minor = ordered.minor.map_or("all".to_owned(), |m| m.to_string());
        let about = ordered.original.map(|n| format!(" about sale {n}"));
        let wrong = ordered.wrong.map(|codes| format!(", wrongly: {codes:?}"));
        let (about, wrong) = (about.unwrap_or_default(), wrong.unwrap_or_default());
        format!("cashier  sale {sale}: {} of {minor}{about}{wrong}", row.en)
    });
    let order = Order {
        kind: ordered.kind,
        amount: ordered.minor.map(Amount::fen),
        presented,
        original: named,
        linked: None,
        to: None,
    };
    node.input(core, Input::Cashier(Command::Transact(Box::new(order))));
}
