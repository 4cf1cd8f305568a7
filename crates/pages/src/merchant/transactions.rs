//! The merchant's transactions: filters, rows, and the same as a file.

use super::{Asked, page};
use crate::chip;
use crate::console::board::{Listed, list};
use crate::language::Words;
use maud::{Markup, html};
use payment::verdict::{Outcome, Position};

/// What is asked for; an empty text asks for everything.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// `card` or `wallet`.
    pub tender: String,
    /// A till's number.
    pub till: String,
    /// An outcome's name.
    pub outcome: String,
    /// `printed` or `unprinted`.
    pub receipt: String,
    /// A position's name.
    pub position: String,
    /// `2026-11-22`, China.
    pub date: String,
}

impl Filters {
    /// The filters as a query, without `?`.
    pub fn query(&self) -> String {
        let pairs = [
            ("tender", &self.tender),
            ("till", &self.till),
            ("outcome", &self.outcome),
            ("receipt", &self.receipt),
            ("position", &self.position),
            ("date", &self.date),
        ];
        // Only what needs no escaping is kept: names, numbers and dates.
        let plain = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        let kept = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty() && plain(value));
        let kept: Vec<String> = kept
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        kept.join("&")
    }
}

/// What may be chosen of outcomes, by name.
pub const OUTCOMES: [(&str, Outcome); 6] = [
    ("approved", Outcome::Approved),
    ("declined", Outcome::Declined),
    ("unknown", Outcome::Unknown),
    ("reversing", Outcome::Reversing),
    ("reversed", Outcome::Reversed),
    ("reversal_refused", Outcome::ReversalRefused),
];

/// What may be chosen of positions, by name.
pub const POSITIONS: [(&str, Position); 10] = [
    ("cardholder", Position::Cardholder),
    ("suspended", Position::Suspended),
    ("debited_or_not", Position::DebitedOrNot),
    ("acquirer_payable", Position::AcquirerPayable),
    ("returned", Position::Returned),
    ("held", Position::Held),
    ("released", Position::Released),
    ("original", Position::Original),
    ("receiver", Position::Receiver),
    ("not_known", Position::NotKnown),
];

/// A page of transactions.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    /// What was asked for.
    pub filters: Filters,
    /// The tills that may be chosen.
    pub tills: Vec<String>,
    /// The rows, newest first.
    pub rows: Vec<Listed>,
    /// Where the next page begins.
    pub next: Option<i64>,
}

/// The page.
pub fn transactions(asked: Asked<'_>, view: &Transactions) -> String {
    let lang = asked.lang;
    let query = view.filters.query();
    let rows: Vec<&Listed> = view.rows.iter().collect();
    let base = "/merchant";
    let body = html! {
        h1 { (lang.say(("交易", "Transactions"))) }
        section.card { (filters(asked, view)) }
        section.card {
            @if rows.is_empty() {
                p.second { (lang.say(("没有符合条件的交易。", "No transaction matches."))) }
            } @else {
                (list(lang, &rows, base))
            }
            p.row {
                @if let Some(next) = view.next {
                    @let joint = if query.is_empty() { "" } else { "&" };
                    a.button href=(asked.to(&format!("/transactions?{query}{joint}before={next}"))) { (lang.say(("更早的", "Earlier"))) }
                }
                a.button href=(asked.to(&format!("/transactions.csv?{query}"))) { (lang.say(("下载 CSV", "Download CSV"))) }
            }
        }
    };
    page(asked, ("交易", "Transactions"), &body)
}

fn filters(asked: Asked<'_>, view: &Transactions) -> Markup {
    let lang = asked.lang;
    let Filters {
        tender,
        till,
        outcome,
        receipt,
        position,
        date,
    } = &view.filters;
    let choose = |name: &str, label: Words, chosen: &str, options: &[(String, String)]| {
        html! { p { label for=(name) { (lang.say(label)) }
        select id=(name) name=(name) {
            option value="" { (lang.say(("全部", "all"))) }
            @for (value, words) in options { option value=(value) selected[value == chosen] { (words) } }
        } } }
    };
    let said = |value: &str, words: Words| (value.to_owned(), lang.say(words).to_owned());
    let outcomes = OUTCOMES.map(|(name, outcome)| said(name, chip::outcome_words(outcome)));
    let positions = POSITIONS.map(|(name, position)| said(name, position.words()));
    let tills: Vec<_> = view
        .tills
        .iter()
        .map(|till| (till.clone(), till.clone()))
        .collect();
    html! {
        form method="get" action="/merchant/transactions" {
            (asked.kept())
            div.fields6 {
                (choose("tender", ("支付方式", "Tender"), tender, &[said("card", ("银行卡", "card")), said("wallet", ("扫码", "wallet"))]))
                (choose("till", ("终端", "Till"), till, &tills))
                (choose("outcome", ("结果", "Outcome"), outcome, &outcomes))
                (choose("receipt", ("小票", "Slip"), receipt, &[said("printed", ("已打印", "printed")), said("unprinted", ("未出票", "no slip"))]))
                (choose("position", ("钱在哪里", "Where the money is"), position, &positions))
                p { label for="date" { (lang.say(("日期", "Date"))) } input id="date" name="date" type="date" value=(date); }
            }
            p.row { button type="submit" { (lang.say(("筛选", "Filter"))) } a href=(asked.to("/transactions")) { (lang.say(("清除", "Clear"))) } }
        }
    }
}

/// A table as CSV (RFC 4180): every cell quoted; a cell that a spreadsheet would run is made text.
pub fn csv(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    // The mark tells spreadsheets that it is UTF-8.
    let mut text = String::from('\u{FEFF}');
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        for (n, cell) in cells.enumerate() {
            text.push_str(if n == 0 { "\"" } else { ",\"" });
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                text.push('\'');
            }
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        }
        text.push_str("\r\n");
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_to_every_spreadsheet() {
        let rows = [
            vec!["=1+1".to_owned(), "a\"b,c".to_owned()],
            vec!["-3".into(), "@x".into()],
        ];
        assert_eq!(
            csv(&["何时", "什么"], rows.into_iter()),
            "\u{FEFF}\"何时\",\"什么\"\r\n\"'=1+1\",\"a\"\"b,c\"\r\n\"'-3\",\"'@x\"\r\n"
        );
    }

    #[test]
    fn a_query_keeps_only_plain_values() {
        let filters = Filters {
            till: "T0000001".into(),
            outcome: "x&y=<".into(),
            date: "2026-11-22".into(),
            ..Filters::default()
        };
        assert_eq!(filters.query(), "till=T0000001&date=2026-11-22");
    }
}
