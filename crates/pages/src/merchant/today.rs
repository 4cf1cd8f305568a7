//! Today: what was taken, what is open, what has no slip, what is owed; and where all of today's money is.

use super::{Asked, page};
use crate::chip::Tone;
use crate::language::Words;
use crate::plot::{self, Bar, Head};
use maud::{Markup, html};
use payment::Amount;
use payment::verdict::Position;

/// Today in numbers.
#[derive(Clone, Debug, Default)]
pub struct Today {
    /// `2026-11-22`, China.
    pub date: String,
    /// Sales that stand, and what they add to the merchant's money in minor units.
    pub taken: (u64, i64),
    /// Sales whose end is not known, and their amounts.
    pub unresolved: (u64, u64),
    /// Approved sales without a slip on paper.
    pub no_slip: u64,
    /// What the acquirer owes the merchant now, in minor units.
    pub due_minor: i64,
    /// Amounts of today's sales by where the money is.
    pub positions: Vec<(Position, u64, u64)>,
}

/// An amount that may be below zero.
pub fn signed(minor: i64) -> String {
    let sign = if minor < 0 { "−" } else { "" };
    format!("{sign}{}", Amount::fen(minor.unsigned_abs()))
}

/// The page.
pub fn today(asked: Asked<'_>, today: &Today) -> String {
    let lang = asked.lang;
    let tile = |path: &str, name: Words, value: &Markup, below: &Markup| {
        html! { a.card.tile href=(asked.to(path)) { h2 { (lang.say(name)) } p.value { (value) } p.second.small { (below) } } }
    };
    let count = |n: u64| lang.either(html! { (n) " 笔" }, html! { (n) " sales" });
    let whole: u64 = today.positions.iter().map(|(_, count, _)| count).sum();
    let bars: Vec<Bar> = today
        .positions
        .iter()
        .map(|(position, count, minor)| {
            let (zh, en) = position.words();
            Bar {
                name: (zh.to_owned(), en.to_owned()),
                value: *minor,
                told: format!("{} · {count}", Amount::fen(*minor)),
                tone: tone(*position),
            }
        })
        .collect();
    let head = Head {
        title: ("钱在哪里", "Where the money is"),
        unit: (
            format!("{}（北京时间），金额与笔数", today.date),
            format!("{} (China time), amount and count", today.date),
        ),
        n: whole,
    };
    let body = html! {
        h1 { (lang.say(("今天", "Today"))) " " span.second { (today.date) } }
        div.tiles {
            (tile(&format!("/transactions?outcome=approved&date={}", today.date), ("已收", "Taken"), &html! { (signed(today.taken.1)) }, &count(today.taken.0)))
            (tile("/unresolved", ("待确认", "Unresolved"), &html! { (Amount::fen(today.unresolved.1)) }, &count(today.unresolved.0)))
            (tile(&format!("/transactions?receipt=unprinted&date={}", today.date), ("未出票", "No slip"), &html! { (today.no_slip) small { (lang.say((" 笔", ""))) } },
                &html! { (lang.say(("已收款，纸没有出来", "paid, no paper came out"))) }))
            (tile("/payouts", ("收单应付", "Owed to you"), &html! { (signed(today.due_minor)) },
                &html! { (lang.say(("到账日随清算功能提供", "the payout date comes later, with clearing"))) }))
        }
        section.card { (plot::stack(lang, &head, &bars)) }
    };
    page(asked, ("今天", "Today"), &body)
}

const fn tone(position: Position) -> Tone {
    match position {
        Position::AcquirerPayable => Tone::Closed,
        Position::Suspended | Position::DebitedOrNot | Position::NotKnown | Position::Held => {
            Tone::Wait
        }
        Position::Cardholder
        | Position::Returned
        | Position::Released
        | Position::Original
        | Position::Receiver => Tone::Quiet,
    }
}
