//! What a cashier orders: any kind that a terminal can ask for, new or about an earlier transaction, and now and then wrongly on
//! purpose.
//!
//! Kinds are drawn from the list of all kinds and shaped by their row alone, so that a kind added later is drawn too.

use crate::core::Core;
use crate::oracle::{ADJUST_PERCENT, End, Ordered, Sale, capture_percent};
use crate::setup::CARDS_PER_ISSUER;
use payment::kind::{PinRule, Rail, Reach};
use payment::original::OriginalRule;
use payment::{CNY, Kind, Linked, Original, Posting, Rrn};
use std::ops::Range;
use terminal::Named;

/// No acquirer gives it.
const UNKNOWN_RRN: Rrn = Rrn(*b"999999999999");
/// Of a hundred orders about an earlier transaction.
const WRONG_PERCENT: u64 = 10;
const PURCHASE_PERCENT: u64 = 35;

/// An order, and how it is entered.
pub struct Draft {
    pub ordered: Ordered,
    pub named: Option<Named>,
    /// The card goes through the reader; otherwise the till finds it.
    pub presents: bool,
}

/// What makes a wrong order wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    UnknownReference,
    OtherCard,
    Amount,
    OtherTill,
    TakenBack,
    OtherKind,
}

impl Wrong {
    const ALL: [Self; 6] = [
        Self::UnknownReference,
        Self::OtherCard,
        Self::Amount,
        Self::OtherTill,
        Self::TakenBack,
        Self::OtherKind,
    ];

    /// The documented code first; then what else may speak against the same order by the time it is judged.
    fn codes(self, posting: Posting) -> &'static [&'static str] {
        match (self, posting) {
            (Self::UnknownReference, _) => &["25"],
            (Self::OtherTill, _) => &["58"],
            (Self::OtherCard | Self::OtherKind, _) => &["12", "22", "25"],
            (Self::TakenBack, _) => &["22", "12", "25"],
            (Self::Amount, Posting::Capture | Posting::Adjust) => &["61", "22", "12", "25"],
            (Self::Amount, _) => &["64", "22", "12", "25"],
        }
    }
}

/// Kinds that a terminal can ask for on behalf of a cashier.
pub fn orderable() -> impl Iterator<Item = Kind> {
    let all = Kind::ALL.iter().copied();
    // A script result is the terminal's own errand.
    let ordered = |kind: &Kind| kind.row().moves_money() || kind.row().original.is_none();
    // What has no code at a terminal is the network's own: the legs of a transfer.
    all.filter(|kind| kind.row().processing.is_some())
        .filter(ordered)
}

impl Core {
    /// The next order of a cashier, for one of so many cards.
    pub fn draw_order(&mut self, terminal: u8, cards: usize) -> Draft {
        let units = &self.oracle.units;
        let served = |kind: &Kind| units.contains(&kind.row().unit);
        let kinds: Vec<Kind> = orderable().filter(served).collect();
        let drawn = match self.human.percent(PURCHASE_PERCENT) {
            true => kinds[0],
            false => kinds[self.human.below(kinds.len() as u64) as usize],
        };
        self.order_of(self.only.unwrap_or(drawn), terminal, cards)
    }

    /// An order of this kind; where there is nothing that it could be about, of the kind that it would be about.
    fn order_of(&mut self, kind: Kind, terminal: u8, cards: usize) -> Draft {
        let Some(rule) = kind.row().original else {
            return self.new_order(kind, cards);
        };
        if self.human.percent(WRONG_PERCENT)
            && let Some(draft) = self.wrong_order(kind, &rule, terminal, cards)
        {
            return draft;
        }
        let found = self.candidates(terminal, |core, number, sale| {
            kind.may_be_about(sale.kind)
                && (rule.reach == Reach::SameMerchant || sale.terminal == terminal)
                && (rule.reach == Reach::SameMerchant || core.is_in_open_batch(number))
                && core.is_usable(kind, number)
        });
        match self.one_of(&found) {
            Some(number) => self.order_about(kind, number, terminal),
            None => {
                let kinds: Vec<Kind> = kind.originals().collect();
                let first = self.human.below(kinds.len() as u64) as usize;
                self.order_of(kinds[first], terminal, cards)
            }
        }
    }

    fn new_order(&mut self, kind: Kind, cards: usize) -> Draft {
        let row = kind.row();
        let minor = row.moves_money().then(|| self.oracle.own_minor());
        let mut wrong: Option<&'static [&'static str]> = None;
        let card = match row.rail {
            Rail::Wallet => self.codes.new_card(),
            Rail::Card => {
                let (own, other) = self.cards_of(kind, cards);
                // Now and then money is asked of quota, or quota of money.
                let mixed = !other.is_empty() && row.moves_money() && self.human.percent(2);
                wrong = mixed.then_some(&["A1"]);
                self.card_in(if mixed { other } else { own })
            }
        };
        let to = row
            .receiver
            .then(|| self.receiving(kind, card, cards, &mut wrong));
        Draft {
            ordered: Ordered {
                kind,
                card,
                minor,
                original: None,
                wrong,
                linked: None,
                to,
            },
            named: None,
            presents: true,
        }
    }

    /// The cards in the unit of a kind, and those in the other one.
    fn cards_of(&self, kind: Kind, cards: usize) -> (Range<usize>, Range<usize>) {
        let units = &self.oracle.units;
        let money = units.iter().filter(|unit| **unit == CNY).count() * CARDS_PER_ISSUER;
        match kind.row().unit {
            CNY => (0..money, money..cards),
            _ => (money..cards, 0..money),
        }
    }

    fn card_in(&mut self, range: Range<usize>) -> usize {
        range.start + self.human.below(range.len().max(1) as u64) as usize
    }

    /// The card that receives: another one of the same unit; now and then a wrong one.
    fn receiving(
        &mut self,
        kind: Kind,
        card: usize,
        cards: usize,
        wrong: &mut Option<&'static [&'static str]>,
    ) -> usize {
        let (own, other) = self.cards_of(kind, cards);
        match self.human.below(100) {
            0..4 => {
                *wrong = Some(&["14"]);
                card
            }
            4..16 if !other.is_empty() => {
                *wrong = Some(&["A1", "14"]);
                self.card_in(other)
            }
            _ => {
                let drawn = self.card_in(own.clone());
                match drawn == card {
                    true => own.start + (card - own.start.min(card) + 1) % own.len().max(1),
                    false => drawn,
                }
            }
        }
    }

    /// A purchase with the card and over the amount of an earlier charge of this merchant of which this till knows no end: the
    /// customer thinks that it did not work.
    pub fn draw_repetition(&mut self, terminal: u8) -> Option<Draft> {
        let shops = &self.oracle.shops;
        let own = shops[usize::from(terminal)];
        let numbered = (0..).zip(&self.oracle.sales);
        let doubtful = numbered.filter(|(_, sale)| {
            sale.begun
                && sale.kind.row().charges()
                && sale.kind.row().rail == Rail::Card
                && sale.kind.row().unit == CNY
                && !sale.kind.row().receiver
                && shops[usize::from(sale.terminal)] == own
                && (sale.terminal != terminal || sale.end != Some(End::Approved))
        });
        let doubtful: Vec<u32> = doubtful.map(|(number, _)| number).collect();
        let latest = doubtful.len().saturating_sub(4);
        let number = self.one_of(&doubtful[latest..])?;
        Some(self.repetition(number, None))
    }

    /// A purchase with the card and over the amount of another one, perhaps in its place.
    pub fn repetition(&self, number: u32, linked: Option<Linked>) -> Draft {
        let sale = &self.oracle.sales[number as usize];
        Draft {
            ordered: Ordered {
                kind: Kind::Purchase,
                card: sale.card,
                minor: Some(sale.minor),
                original: None,
                wrong: None,
                linked,
                to: None,
            },
            named: None,
            presents: true,
        }
    }

    /// Its till has settled nothing since, as far as the till knows.
    fn is_in_open_batch(&self, number: u32) -> bool {
        let sale = &self.oracle.sales[number as usize];
        let open = self.oracle.open_batches[usize::from(sale.terminal)];
        sale.key.is_some_and(|key| Some(key.batch) == open)
    }

    /// Approved transactions that this till can name: its own, and those of its merchant whose slip tells their number.
    fn candidates(&self, terminal: u8, fits: impl Fn(&Self, u32, &Sale) -> bool) -> Vec<u32> {
        let shops = &self.oracle.shops;
        let own = shops[usize::from(terminal)];
        let numbered = (0..).zip(&self.oracle.sales);
        let named = numbered.filter(|(number, sale)| {
            sale.end == Some(End::Approved)
                && sale.kind != Kind::ScriptResult
                && (sale.terminal == terminal || sale.rrn.is_some())
                && shops[usize::from(sale.terminal)] == own
                && fits(self, *number, sale)
        });
        named.map(|(number, _)| number).collect()
    }

    fn one_of(&mut self, found: &[u32]) -> Option<u32> {
        let at = self.human.below(found.len().max(1) as u64) as usize;
        found.get(at).copied()
    }

    /// As far as the judge can see, nothing speaks against an order of this kind about it.
    fn is_usable(&self, kind: Kind, number: u32) -> bool {
        let oracle = &self.oracle;
        let untouched = oracle.refunded(number) == 0;
        !oracle.is_undone(number)
            && match kind.row().posting {
                Posting::Credit => oracle.refunded(number) < oracle.total(number),
                Posting::Hold | Posting::HoldMore | Posting::Release | Posting::Capture => {
                    oracle.captured(number) == 0
                }
                _ => untouched,
            }
    }

    fn order_about(&mut self, kind: Kind, number: u32, terminal: u8) -> Draft {
        let sale = &self.oracle.sales[number as usize];
        let card = sale.card;
        let own = sale.terminal == terminal && self.human.percent(70);
        let named = self.named(number, own);
        let whole = matches!(
            kind.row().posting,
            Posting::Undo | Posting::Release | Posting::Uncapture
        );
        let minor = (!own || !whole).then(|| self.amount_about(kind, number));
        Draft {
            ordered: Ordered {
                kind,
                card,
                minor,
                original: Some(number),
                wrong: None,
                linked: None,
                to: None,
            },
            named: Some(named),
            presents: !own || kind.row().pin == PinRule::Always || self.human.percent(30),
        }
    }

    fn named(&self, number: u32, own: bool) -> Named {
        let sale = &self.oracle.sales[number as usize];
        let key = sale.key.expect("an approved transaction was asked for");
        match own {
            true => Named::Own(key.stan),
            false => Named::Typed(Original {
                batch: key.batch,
                stan: key.stan,
                date: 0,
                rrn: sale.rrn,
                approval: sale.code,
            }),
        }
    }

    fn amount_about(&mut self, kind: Kind, number: u32) -> u64 {
        let total = self.oracle.total(number);
        let own = self.oracle.sales[number as usize].minor;
        let most = own * ADJUST_PERCENT / 100;
        match kind.row().posting {
            Posting::None
            | Posting::Debit
            | Posting::Hold
            | Posting::HoldMore
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => self.oracle.own_minor(),
            Posting::Undo | Posting::Release | Posting::Uncapture => total,
            Posting::Credit => {
                let left = total - self.oracle.refunded(number).min(total - 1);
                match self.human.percent(40) {
                    true => left,
                    false => self.human.within(1, left),
                }
            }
            Posting::Capture => {
                let most = total * capture_percent(kind) / 100;
                self.human.within(total / 2, most)
            }
            Posting::Adjust if kind == Kind::TipAdjustment => {
                self.human.within(total, most.max(total))
            }
            Posting::Adjust => self.human.within(own / 2, most),
        }
    }

    fn wrong_order(
        &mut self,
        kind: Kind,
        rule: &OriginalRule,
        terminal: u8,
        cards: usize,
    ) -> Option<Draft> {
        let wrong = Wrong::ALL[self.human.below(Wrong::ALL.len() as u64) as usize];
        let found = self.candidates(terminal, |core, number, sale| {
            let other_kind = matches!(wrong, Wrong::OtherKind);
            let other_till = matches!(wrong, Wrong::OtherTill);
            let taken_back = matches!(wrong, Wrong::TakenBack);
            kind.may_be_about(sale.kind) != other_kind
                && sale.kind.row().rail == kind.row().rail
                && (sale.terminal != terminal) == other_till
                && (!other_till || rule.reach == Reach::SameBatch)
                && (!taken_back || core.is_taken_back(number))
        });
        let number = self.one_of(&found)?;
        let mut draft = self.order_about(kind, number, terminal);
        draft.ordered.wrong = Some(wrong.codes(kind.row().posting));
        draft.ordered.minor = Some(self.amount_about(kind, number));
        match wrong {
            Wrong::UnknownReference => {
                draft.named = Some(self.named(number, false));
                if let Some(Named::Typed(original)) = &mut draft.named {
                    original.rrn = Some(UNKNOWN_RRN);
                }
                draft.presents = true;
            }
            Wrong::OtherCard => {
                draft.ordered.card = match kind.row().rail {
                    Rail::Card => {
                        let (own, _) = self.cards_of(kind, cards);
                        let next = draft.ordered.card + 1;
                        if next < own.end { next } else { own.start }
                    }
                    Rail::Wallet => self.codes.new_card(),
                };
                draft.presents = true;
            }
            Wrong::Amount => draft.ordered.minor = Some(self.amount_beyond(kind, number)?),
            Wrong::OtherKind => {
                draft.named = Some(self.named(number, false));
                draft.presents = true;
            }
            Wrong::OtherTill | Wrong::TakenBack => {}
        }
        Some(draft)
    }

    /// Taken back for good, as its till has seen.
    fn is_taken_back(&self, number: u32) -> bool {
        let later = &self.oracle.sales[number as usize].later;
        later.iter().any(|number| {
            let sale = &self.oracle.sales[*number as usize];
            let undoes = matches!(
                sale.kind.row().posting,
                Posting::Undo | Posting::Release | Posting::Uncapture
            );
            undoes && sale.end == Some(End::Approved)
        })
    }

    /// More than can ever be claimed of it, whatever is still on its way; none where every amount is right.
    fn amount_beyond(&mut self, kind: Kind, number: u32) -> Option<u64> {
        let sale = &self.oracle.sales[number as usize];
        let later = sale.later.iter();
        let more: u64 = later
            .map(|number| self.oracle.sales[*number as usize].minor)
            .sum();
        let beyond = self.human.within(1, 500);
        let sale = &self.oracle.sales[number as usize];
        match kind.row().posting {
            Posting::None
            | Posting::Debit
            | Posting::Hold
            | Posting::HoldMore
            | Posting::Move
            | Posting::MoveOut
            | Posting::MoveIn => None,
            Posting::Capture => Some((sale.minor + more) * capture_percent(kind) / 100 + beyond),
            Posting::Adjust => Some(sale.minor * ADJUST_PERCENT / 100 + beyond),
            Posting::Credit | Posting::Undo | Posting::Release | Posting::Uncapture => {
                Some(sale.minor * ADJUST_PERCENT / 100 + more + beyond)
            }
        }
    }
}
