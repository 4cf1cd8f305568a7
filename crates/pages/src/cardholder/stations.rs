//! The stations of the money as a bus line, with a coin where it is and an arrow where it goes.
//!
//! Invariant: the picture and the sentence below it come from the same position; where nobody can know, the coin says "?".

use super::MoneyView;
use crate::language::{Lang, Words, drawn};
use maud::{Markup, html};
use payment::kind::Rail;
use payment::verdict::{Family, Outcome, Position};
use std::fmt::Write;

/// The stations of a card sale.
const CARD: &[Words] = &[
    ("您的卡", "Your card"),
    ("发卡行", "Your bank"),
    ("银联", "UnionPay"),
    ("收单", "Acquirer"),
    ("商户", "Shop"),
];
/// The stations of a wallet sale.
const WALLET: &[Words] = &[
    ("您", "You"),
    ("钱包", "Wallet"),
    ("收单", "Acquirer"),
    ("商户", "Shop"),
];

/// The stations of what goes from one card to another.
const MOVE: &[Words] = &[
    ("您的卡", "Your card"),
    ("发卡行", "Your bank"),
    ("银联", "UnionPay"),
    ("对方银行", "Their bank"),
    ("对方", "Receiver"),
];

/// Distance of the ends from the edge, width of the line, and its height.
const LEFT: usize = 32;
const WIDTH: usize = 280;
const LINE: usize = 58;

/// Where the coin stands, in halves of the way between two stations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coin {
    /// At this station.
    At(usize),
    /// In the first or the second; nobody here knows.
    Between,
    /// Nothing here knows.
    Nowhere,
}

/// Where the money goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It stays.
    Stays,
    /// On to the shop.
    On,
    /// Back to the card, not arrived.
    Back,
    /// Back, and arrived.
    Arrived,
}

/// The picture and its sentence.
pub(super) fn figure(lang: Lang, view: &MoneyView) -> Markup {
    let stops = match (view.status.rail, view.family) {
        (Rail::Wallet, _) => WALLET,
        (Rail::Card, Some(Family::Move)) => MOVE,
        (Rail::Card, _) => CARD,
    };
    let (coin, way) = place(view, stops.len());
    html! {
        (drawn(line(lang, stops, coin, way)))
        figcaption id="where-words" { (caption(lang, view, way)) }
    }
}

fn place(view: &MoneyView, stops: usize) -> (Coin, Way) {
    let back = match view.status.outcome {
        Outcome::Reversing | Outcome::ReversalRefused => Way::Back,
        _ => Way::Stays,
    };
    match view.status.position {
        Position::Cardholder | Position::Released => (Coin::At(0), Way::Stays),
        Position::Suspended | Position::Held => (Coin::At(1), back),
        Position::DebitedOrNot => (Coin::Between, back),
        Position::AcquirerPayable => (Coin::At(stops - 2), Way::On),
        Position::Returned => (Coin::At(0), Way::Arrived),
        Position::Receiver => (Coin::At(stops - 1), Way::Stays),
        Position::Original | Position::NotKnown => (Coin::Nowhere, Way::Stays),
    }
}

fn caption(lang: Lang, view: &MoneyView, way: Way) -> Markup {
    let (zh, en) = view.status.position.words();
    let (zh_way, en_way) = match way {
        Way::Back if view.takes_money() && view.status.position == Position::DebitedOrNot => (
            "；若已扣款，正在退回您的卡",
            "; if it was debited, it is on its way back to your card",
        ),
        Way::Back if view.takes_money() => {
            ("，正在退回您的卡", "; it is on its way back to your card")
        }
        Way::Back => ("，正在冲正", "; being reversed"),
        Way::On => (
            "，按结算周期付给商户",
            "; the shop is paid with its next settlement",
        ),
        Way::Arrived | Way::Stays => ("", ""),
    };
    lang.either(
        html! { "钱在哪里：" b { (zh) } (zh_way) "。" },
        html! { "Where the money is: " b { (en) } (en_way) "." },
    )
}

fn line(lang: Lang, stops: &[Words], coin: Coin, way: Way) -> String {
    let last = stops.len() - 1;
    let x = |stop: usize| LEFT + WIDTH * stop / last;
    let coin_x = match coin {
        Coin::At(stop) => Some(x(stop)),
        Coin::Between => Some((x(0) + x(1)) / 2),
        Coin::Nowhere => None,
    };
    let gone = match coin {
        Coin::At(stop) if way != Way::Arrived => x(stop),
        _ => x(0),
    };
    let mut svg = String::from(
        r#"<svg class="stations" viewBox="0 0 344 112" role="img" aria-labelledby="where-words">"#,
    );
    let _ = write!(
        svg,
        r#"<path class="rail" d="M{} {LINE}H{}"/><path class="rail gone" d="M{} {LINE}H{gone}"/>"#,
        x(0),
        x(last),
        x(0)
    );
    for (stop, name) in stops.iter().enumerate() {
        let here = coin == Coin::At(stop);
        let class = match stop {
            _ if here => "stop here",
            _ if x(stop) <= gone => "stop gone",
            _ => "stop",
        };
        let _ = write!(
            svg,
            r#"<circle class="{class}" cx="{0}" cy="{LINE}" r="8"/><text class="{class}" x="{0}" y="102" text-anchor="middle">{1}</text>"#,
            x(stop),
            lang.say(*name)
        );
    }
    match way {
        Way::Back => arrow(&mut svg, "back", coin_x.unwrap_or(x(1)), x(0)),
        Way::Arrived => arrow(&mut svg, "back arrived", x(1), x(0)),
        Way::On => arrow(&mut svg, "on", coin_x.unwrap_or(x(last - 1)), x(last)),
        Way::Stays => {}
    }
    if let Some(x) = coin_x {
        let (class, sign) = match coin {
            Coin::Between => ("coin unknown", "?"),
            _ => ("coin", "¥"),
        };
        let _ = write!(
            svg,
            r#"<circle class="{class}" cx="{x}" cy="{LINE}" r="17"/><text class="sign" x="{x}" y="{}" text-anchor="middle">{sign}</text>"#,
            LINE + 7
        );
    }
    svg.push_str("</svg>");
    svg
}

/// From one place to another, above the line, with a head.
fn arrow(svg: &mut String, class: &str, from: usize, to: usize) {
    let (top, end) = (LINE - 46, LINE - 24);
    let middle = (from + to) / 2;
    let near = LINE - 20;
    let _ = write!(
        svg,
        r#"<path class="arrow {class}" d="M{from} {near}Q{middle} {top} {to} {end}"/><path class="head {class}" d="M{to} {}l-7 -10h14z"/>"#,
        LINE - 15
    );
}
