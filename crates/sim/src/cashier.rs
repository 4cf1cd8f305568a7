//! The person at the till: sells, hands goods over when the screen says approved, answers truthfully, loses patience.
//!
//! What the cashier saw is evidence of its own; it comes from screens, never from a party's state.

use crate::chip::{self, Inserted, Trouble};
use crate::core::{Core, Event, Who};
use crate::marks::Mark;
use crate::node::Node;
use crate::oracle::{End, Ordered, Read};
use crate::orders::Draft;
use crate::setup::TestCard;
use crate::weather::Fault;
use crypto::Pan;
use payment::kind::{PinRule, Rail};
use payment::{Amount, CNY, Kind, LinkReason, Linked, Machine, SaleKey, Track2};
use terminal::kernel::Interface;
use terminal::{Command, Input, Order, Phase, Presentation, Presented, Screen, Terminal};

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
    /// A charge of this sale was refused: it may repeat that one.
    guarded: Option<(u32, SaleKey)>,
    evening: Evening,
    /// Nothing more to do.
    pub done: bool,
}

/// What is left to do after the last sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evening {
    Settle,
    CloseShift,
    Home,
}

impl Cashier {
    pub fn new(purchases: u32) -> Self {
        Self {
            left: purchases,
            current: None,
            look_at: u64::MAX,
            asked_goods: false,
            looks: 0,
            guarded: None,
            evening: Evening::Settle,
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
                // What was paid in its place may have overtaken the answer (C2).
                let stands = sale.stands() || sale.is_stored() || sale.replaced;
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
            Screen::Guard { key, earlier, .. } => {
                let refused = self.oracle.by_key(&key);
                self.cashiers[at].guarded = refused.map(|number| (number, earlier));
                self.look_soon(terminal);
            }
            Screen::ShiftClosed { pending } => self.shift_closed(terminal, pending),
            Screen::Settled { .. } => self.look_soon(terminal),
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
        } else if core.only.is_none() && pay_otherwise(core, node, cards, terminal, sale) {
            return;
        } else {
            return fidget(core, node, terminal, number);
        }
    }
    if let Some((refused, earlier)) = core.cashiers[at].guarded.take() {
        return after_guard(core, node, cards, terminal, (refused, earlier));
    }
    if core.cashiers[at].left == 0 {
        return close_up(core, node, terminal);
    }
    sell(core, node, cards, terminal);
}

/// The result takes too long: now and then the customer pays in cash, or the supervisor lets another charge go.
fn pay_otherwise(
    core: &mut Core,
    node: &mut Node<Terminal>,
    cards: &[TestCard],
    terminal: u8,
    number: u32,
) -> bool {
    let sale = &core.oracle.sales[number as usize];
    let (Some(key), minor) = (sale.key, sale.minor) else {
        return false;
    };
    let row = sale.kind.row();
    let is_charge = row.charges() && row.rail == Rail::Card && row.unit == CNY && !row.receiver;
    let state = node.party.state();
    let phase = state.open().map(|open| open.phase);
    let reversing = state.reversal().is_some();
    let unknown =
        reversing || matches!(phase, Some(Phase::Unknown { .. } | Phase::Following { .. }));
    if !is_charge || !unknown || !core.human.percent(8) {
        return false;
    }
    let reason = LinkReason::Supervisor;
    if matches!(phase, Some(Phase::Following { .. })) && core.human.percent(50) {
        let linked = Linked {
            earlier: key,
            reason,
        };
        let draft = core.repetition(number, Some(linked));
        order(core, node, cards, terminal, draft);
    } else {
        core.cashiers[usize::from(terminal)].current = None;
        take_cash(node, core, minor, Some(key));
    }
    true
}

fn take_cash(node: &mut Node<Terminal>, core: &mut Core, minor: u64, instead_of: Option<SaleKey>) {
    let amount = Amount::fen(minor);
    node.input(core, Input::Cashier(Command::Cash { amount, instead_of }));
}

/// "Do not swipe again": the cashier waits, takes cash, or charges in place of the earlier sale with a reason.
fn after_guard(
    core: &mut Core,
    node: &mut Node<Terminal>,
    cards: &[TestCard],
    terminal: u8,
    (refused, earlier): (u32, SaleKey),
) {
    let minor = core.oracle.sales[refused as usize].minor;
    match core.human.below(10) {
        0..3 => take_cash(node, core, minor, Some(earlier)),
        3..7 => {
            let reasons = &LinkReason::ALL[1..];
            let reason = reasons[core.human.below(reasons.len() as u64) as usize];
            let draft = core.repetition(refused, Some(Linked { earlier, reason }));
            order(core, node, cards, terminal, draft);
        }
        _ => {}
    }
}

/// After the last sale: most settle, half close their shift, and nobody goes home before the settlement is over.
fn close_up(core: &mut Core, node: &mut Node<Terminal>, terminal: u8) {
    let at = usize::from(terminal);
    let all = core.only.is_none();
    if goes_on_settling(core, node) || node.party.state().settling().is_some() {
        return;
    }
    match core.cashiers[at].evening {
        Evening::Settle => {
            core.cashiers[at].evening = Evening::CloseShift;
            if all && core.human.percent(75) {
                node.input(core, Input::Cashier(Command::Settle));
            }
        }
        Evening::CloseShift => {
            core.cashiers[at].evening = Evening::Home;
            if all && core.human.percent(50) {
                node.input(core, Input::Cashier(Command::CloseShift));
            }
        }
        Evening::Home => core.cashiers[at].done = true,
    }
}

/// A settlement that waits for the cashier is asked for again.
fn goes_on_settling(core: &mut Core, node: &mut Node<Terminal>) -> bool {
    let waits = node
        .party
        .state()
        .settling()
        .is_some_and(|settling| settling.next.is_none());
    let again = waits && core.human.percent(40);
    if again {
        node.input(core, Input::Cashier(Command::Settle));
    }
    again
}

/// What a cashier does between two sales.
fn other_work(core: &mut Core, node: &mut Node<Terminal>, terminal: u8) -> bool {
    if goes_on_settling(core, node) {
        return true;
    }
    match core.human.below(100) {
        0..4 => node.input(core, Input::Cashier(Command::Settle)),
        4..6 => node.input(core, Input::Cashier(Command::CloseShift)),
        8 => node.input(core, Input::Cashier(Command::Download(None))),
        6..8 if node.party.busy().is_none() => {
            let minor = core.oracle.own_minor() + u64::from(terminal);
            take_cash(node, core, minor, None);
        }
        _ => return false,
    }
    true
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
    if core.only.is_none() && other_work(core, node, terminal) {
        return;
    }
    if node.party.busy().is_some() && core.human.percent(90) {
        // The till says so itself; pressing the key only makes it hurry. One in ten does not read.
        if core.human.percent(30) {
            node.input(core, Input::Cashier(Command::Flush));
        }
        return;
    }
    let again = core.only.is_none() && core.human.percent(6);
    let repetition = again.then(|| core.draw_repetition(terminal)).flatten();
    let draft = repetition.unwrap_or_else(|| core.draw_order(terminal, cards.len()));
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
    let Ok(Brought {
        presented,
        wrong_pin,
        read,
    }) = present(core, node, cards, &ordered, (terminal, presents))
    else {
        return;
    };
    let row = ordered.kind.row();
    let sale = core.oracle.order(terminal, &ordered);
    let own = &mut core.oracle.sales[sale as usize];
    (own.wrong_pin, own.read) = (wrong_pin, read);
    core.cashiers[at].left = core.cashiers[at].left.saturating_sub(1);
    core.cashiers[at].current = Some(sale);
    core.note(Who::Terminal(terminal), || {
        let minor = ordered.minor.map_or("all".to_owned(), |m| m.to_string());
        let about = ordered.original.map(|n| format!(" about sale {n}"));
        let wrong = ordered.wrong.map(|codes| format!(", wrongly: {codes:?}"));
        let (about, wrong) = (about.unwrap_or_default(), wrong.unwrap_or_default());
        let linked = ordered
            .linked
            .map(|linked| format!(" in place of {}", linked.earlier));
        let linked = linked.unwrap_or_default();
        format!(
            "cashier  sale {sale}: {} of {minor}{about}{linked}{wrong}",
            row.en
        )
    });
    let unit = row.unit;
    let amount = |minor| Amount {
        minor,
        currency: unit,
    };
    let to = ordered.to.and_then(|to| {
        let number = Pan::parse(&cards[to].pan).expect("digits");
        node.around(core.time, |_, around| {
            around.module.card(&number, around.now.wall.day()).ok()
        })
    });
    let order = Order {
        kind: ordered.kind,
        amount: ordered.minor.map(amount),
        presented,
        original: named,
        linked: ordered.linked,
        to,
    };
    node.input(core, Input::Cashier(Command::Transact(Box::new(order))));
}

/// What a customer brings for an order.
#[derive(Default)]
struct Brought {
    presented: Option<Presented>,
    /// A wrong PIN was entered.
    wrong_pin: bool,
    read: Option<Read>,
}

/// A card and its PIN, or a code, where the order needs one.
fn present(
    core: &mut Core,
    node: &mut Node<Terminal>,
    cards: &[TestCard],
    ordered: &Ordered,
    (terminal, presents): (u8, bool),
) -> Result<Brought, Unpresented> {
    if !presents {
        return Ok(Brought::default());
    }
    if ordered.kind == Kind::WalletOrder
        && let Some(number) = node.party.order_number()
    {
        core.codes.shown(ordered.card, number.expose());
    }
    if let Some(digits) = core.codes.digits(ordered.card) {
        let code = Pan::parse(digits).expect("digits");
        let scanned = node.around(core.time, |till, around| till.scan(around, code))?;
        return Ok(Brought {
            presented: Some(scanned),
            ..Brought::default()
        });
    }
    let number = ordered.card;
    let card = &cards[number];
    let asks_pin = card.has_pin && ordered.kind.row().pin != PinRule::Never;
    let patience = match ordered.kind.row().pin {
        PinRule::Always => 90,
        _ => 60,
    };
    let enters_pin = asks_pin && core.human.percent(patience);
    // A wrong PIN now and then, never on the cards that must not be blocked.
    let wrong_pin = enters_pin && number.is_multiple_of(4) && core.human.percent(3);
    let row = ordered.kind.row();
    let pin = enters_pin.then(|| chip::pin(wrong_pin));
    if let Some(chip) = card.chip.clone()
        && !row.keyed
    {
        let trouble = core.chip_trouble(terminal);
        let tapped = core.human.percent(50);
        let read = if tapped { Read::Tapped } else { Read::Inserted };
        let inserted = match trouble {
            Some(Trouble::Copy) => Inserted {
                chip: chip::copy(card),
                fault: None,
            },
            Some(Trouble::Fault(fault)) => Inserted {
                chip,
                fault: Some(fault),
            },
            None => Inserted { chip, fault: None },
        };
        let presented = read_chip(core, node, ordered, (inserted, read), pin.as_ref())?;
        // A tap of little asks for none.
        let asked = presented.secrets.pin.is_some();
        return Ok(Brought {
            presented: Some(presented),
            wrong_pin: wrong_pin && asked,
            // What is about an earlier transaction is no matter of its chip.
            read: Some(read).filter(|_| row.original.is_none()),
        });
    }
    let track2 = Track2::parse(&card.track2).expect("a test card");
    let presented = node.around(core.time, |till, around| match row.keyed {
        true => {
            let pan = track2.pan().expect("a test card");
            till.key_in(around, pan, track2.expiry())
        }
        false => till.present(around, track2, pin.as_ref()),
    })?;
    Ok(Brought {
        presented: Some(presented),
        wrong_pin,
        read: None,
    })
}

/// The card could not be read; the cashier tries something else.
struct Unpresented;

impl From<payment::EdgeError> for Unpresented {
    fn from(_: payment::EdgeError) -> Self {
        Self
    }
}

/// A chip is read for an order, and signs it.
fn read_chip(
    core: &mut Core,
    node: &mut Node<Terminal>,
    ordered: &Ordered,
    (inserted, read): (Inserted, Read),
    pin: Option<&crypto::Pin>,
) -> Result<Presented, Unpresented> {
    let amount = Amount {
        minor: ordered.minor.unwrap_or(0),
        currency: ordered.kind.row().unit,
    };
    let presentation = Presentation {
        interface: match read {
            Read::Tapped => Interface::Contactless,
            Read::Inserted => Interface::Contact,
        },
        kind: ordered.kind,
        amount,
        pin,
    };
    let presented = node.around(core.time, |till, around| {
        till.present_chip(around, Box::new(inserted), presentation)
    });
    core.mark(match read {
        Read::Tapped => Mark::ChipTapped,
        Read::Inserted => Mark::ChipInserted,
    });
    presented.map_err(|_| Unpresented)
}
