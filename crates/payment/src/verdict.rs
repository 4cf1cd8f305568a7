//! The verdict: one row of one table says what is true of a sale, to everyone, in both languages.
//!
//! A pure function of evidence. It is never ahead of the ledger: "reversed" needs the issuer's word, "printed" the device's.

mod rows;

use crate::evidence::{
    Confirmation, Delivery, Evidence, Loop, ReversalCause, ReversalProgress, Upstream,
};
use crate::sign::{SignOutcome, Trouble};
use crate::{ResponseCode, Wall};
use serde::Serialize;

pub use rows::ROWS;

/// What became of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The sale stands.
    Approved,
    /// The sale did not happen.
    Declined,
    /// Not known yet.
    Unknown,
    /// Being taken back.
    Reversing,
    /// Taken back, confirmed by the issuer.
    Reversed,
    /// The issuer refused to take it back; people must.
    ReversalRefused,
}

/// What became of the paper. Never mixed with the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// There is none and none is due.
    None,
    /// The device said that it was printed (E4 or better).
    Printed,
    /// Sent to the printer, not confirmed (E1 to E3).
    SentNotConfirmed,
    /// Not printed, with the cause where it is known.
    Failed(Trouble),
    /// Not on paper, and the till has shown the e-slip instead.
    ESlip(Trouble),
    /// The terminal has not told.
    Unknown,
}

impl Receipt {
    /// The words, with the cause where there is one.
    pub fn words(self) -> (String, String) {
        let (zh, en) = match self {
            Self::None => ("无需小票", "none is due"),
            Self::Printed => ("已打印", "printed"),
            Self::SentNotConfirmed => ("已发送，未确认印出", "sent, not confirmed"),
            Self::Failed(_) => ("未打印", "not printed"),
            Self::ESlip(_) => ("电子小票已提供", "e-slip given"),
            Self::Unknown => ("终端尚未报告", "the terminal has not told yet"),
        };
        match self {
            Self::Failed(cause) | Self::ESlip(cause) if cause != Trouble::None => {
                let (zh_cause, en_cause) = cause.words();
                (format!("{zh}（{zh_cause}）"), format!("{en} ({en_cause})"))
            }
            _ => (zh.to_owned(), en.to_owned()),
        }
    }
}

/// Where the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// With the cardholder; nothing was debited.
    Cardholder,
    /// Debited and suspended at the issuer (挂账).
    Suspended,
    /// Debited or not: this party cannot know yet.
    DebitedOrNot,
    /// With the acquirer, due to the merchant.
    AcquirerPayable,
    /// Given back to the cardholder.
    Returned,
}

impl Position {
    /// The words.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cardholder => ("持卡人账户", "with the cardholder"),
            Self::Suspended => ("发卡行已扣·挂账", "debited, suspended at the issuer"),
            Self::DebitedOrNot => ("是否扣款尚不可知", "debited or not: not known yet"),
            Self::AcquirerPayable => ("收单待结算", "with the acquirer, due to the merchant"),
            Self::Returned => ("已退回", "returned to the cardholder"),
        }
    }
}

/// What the cashier does with the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// 交货.
    Deliver,
    /// 稍候.
    Hold,
    /// 勿交货.
    DoNotDeliver,
}

impl Goods {
    /// The words in large type.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Deliver => ("交货", "Deliver"),
            Self::Hold => ("稍候", "Wait"),
            Self::DoNotDeliver => ("勿交货", "Do not deliver"),
        }
    }
}

/// Who owes the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Nobody: the loop is closed.
    Nobody,
    /// The acquirer's system, by itself.
    Acquirer,
    /// The terminal, by itself.
    Terminal,
    /// The cashier.
    Cashier,
    /// The acquirer's operations staff.
    Operations,
}

impl Owner {
    /// The words.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Nobody => ("无", "nobody"),
            Self::Acquirer => ("收单系统（自动）", "acquirer, automatically"),
            Self::Terminal => ("POS 终端（自动）", "terminal, automatically"),
            Self::Cashier => ("收银员", "cashier"),
            Self::Operations => ("收单运营人员", "acquirer's operations staff"),
        }
    }
}

/// Words in zh-CN and en.
pub type Words = (&'static str, &'static str);

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Stable name, used by tests and documents.
    pub id: &'static str,
    /// The headline: identical for every audience. `{reason}`, `{case}`, `{trouble}`, `{attempts}` are filled in.
    pub headline: Words,
    /// Outcome.
    pub outcome: Outcome,
    /// Money position.
    pub position: Position,
    /// Goods.
    pub goods: Goods,
    /// Next owner.
    pub owner: Owner,
    /// The second line for the cashier.
    pub cashier: Words,
    /// The second line for the merchant.
    pub merchant: Words,
    /// The second line for the cardholder.
    pub cardholder: Words,
    /// The second line for the operator.
    pub operator: Words,
}

/// The verdict on one sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Name of the row.
    pub row: &'static str,
    /// Headline in zh-CN.
    pub headline_zh: String,
    /// Headline in English.
    pub headline_en: String,
    /// Outcome.
    pub outcome: Outcome,
    /// Receipt.
    pub receipt: Receipt,
    /// Money position.
    pub position: Position,
    /// Goods.
    pub goods: Goods,
    /// Who owes the next step.
    pub owner: Owner,
    /// By when, milliseconds since the epoch.
    pub due: Option<i64>,
    /// Second line for cashier, merchant, cardholder and operator, each zh-CN and en.
    pub lines: [(String, String); 4],
    /// The loop.
    pub beads: Loop,
}

/// The row that the evidence selects. The order is the order of certainty: reversal first, then what upstream said.
pub fn verdict(evidence: &Evidence) -> Verdict {
    let receipt = receipt(evidence);
    let row = rows::find(select(evidence, receipt));
    let fill = |words: Words| {
        (
            fill(words.0, evidence, receipt, true),
            fill(words.1, evidence, receipt, false),
        )
    };
    let (headline_zh, headline_en) = fill(row.headline);
    Verdict {
        row: row.id,
        headline_zh,
        headline_en,
        outcome: row.outcome,
        receipt,
        position: row.position,
        goods: row.goods,
        owner: row.owner,
        due: evidence
            .due
            .filter(|_| row.owner != Owner::Nobody)
            .map(|Wall(ms)| ms),
        lines: [
            fill(row.cashier),
            fill(row.merchant),
            fill(row.cardholder),
            fill(row.operator),
        ],
        beads: evidence.beads(),
    }
}

/// Attempts after which an unanswered reversal is no longer "seconds": the ladder of the demo and of production.
pub const ATTEMPTS_LADDER: u32 = 4;

fn select(evidence: &Evidence, receipt: Receipt) -> &'static str {
    if let Some(reversal) = evidence.reversal {
        return match (reversal.progress, reversal.cause) {
            (ReversalProgress::Confirmed(ResponseCode::APPROVED), _) => "reversed",
            (ReversalProgress::Confirmed(_), _) => "reversed_never_debited",
            (ReversalProgress::Refused(_), _) => "reversal_refused",
            (ReversalProgress::Open, _) if reversal.attempts > ATTEMPTS_LADDER => {
                "reversal_retrying"
            }
            (ReversalProgress::Open, _) if evidence.late_approval => "reversing_late_approval",
            (ReversalProgress::Open, ReversalCause::Terminal(_)) => match evidence.upstream {
                Upstream::Approved => "reversing_approved",
                _ => "reversing_for_terminal",
            },
            (ReversalProgress::Open, ReversalCause::Replaced) => "reversing_replaced",
            (ReversalProgress::Open, ReversalCause::Upstream) => match evidence.upstream {
                Upstream::NetworkGaveUp => "reversing_network_gave_up",
                Upstream::Interrupted => "reversing_interrupted",
                _ => "reversing_silent",
            },
        };
    }
    match evidence.upstream {
        Upstream::Waiting => "confirming",
        Upstream::NotSent(_) => "declined_here",
        Upstream::Declined(_) => "declined",
        Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted => "reversing_silent",
        Upstream::Approved => select_approved(evidence, receipt),
    }
}

fn select_approved(evidence: &Evidence, receipt: Receipt) -> &'static str {
    match evidence.confirmation {
        Confirmation::Signed(SignOutcome::Approved, _) => match receipt {
            Receipt::Printed if evidence.delivery == Delivery::Recovered => "recovered",
            Receipt::Printed => "paid",
            Receipt::Failed(_) => "paid_not_printed",
            Receipt::ESlip(_) => "paid_eslip",
            _ => "paid_slip_unconfirmed",
        },
        Confirmation::Implied => "paid_slip_unknown",
        // The terminal says it has not sold what we approved: that is a break, for people.
        Confirmation::Signed(..) => "one_sided",
        Confirmation::None if evidence.one_sided => "one_sided",
        Confirmation::None => match evidence.delivery {
            Delivery::HungUp => "approved_undelivered",
            _ => "approved_unconfirmed",
        },
    }
}

fn receipt(evidence: &Evidence) -> Receipt {
    match evidence.confirmation {
        Confirmation::Signed(SignOutcome::Approved, slip) => match (slip.level, slip.trouble) {
            (4.., _) => Receipt::Printed,
            (_, trouble) if slip.eslip => Receipt::ESlip(trouble),
            (1..=3, Trouble::None) => Receipt::SentNotConfirmed,
            (0, Trouble::None) => Receipt::Failed(Trouble::Other),
            (_, trouble) => Receipt::Failed(trouble),
        },
        _ if evidence.upstream != Upstream::Approved || evidence.reversal.is_some() => {
            Receipt::None
        }
        _ => Receipt::Unknown,
    }
}

fn fill(text: &str, evidence: &Evidence, receipt: Receipt, zh: bool) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let code = match (evidence.upstream, evidence.reversal) {
        (
            _,
            Some(crate::evidence::Reversal {
                progress: ReversalProgress::Refused(code),
                ..
            }),
        ) => Some(code),
        (Upstream::Declined(code) | Upstream::NotSent(code), _) => Some(code),
        _ => None,
    };
    let reason = code
        .map(|code| {
            code.words(crate::response::Audience::Operator, zh)
                .to_string()
        })
        .unwrap_or_default();
    let trouble = match receipt {
        Receipt::ESlip(Trouble::None) if zh => "纸小票没有确认印出",
        Receipt::ESlip(Trouble::None) => "Printing is not confirmed",
        Receipt::Failed(trouble) | Receipt::ESlip(trouble) if zh => trouble.words().0,
        Receipt::Failed(trouble) | Receipt::ESlip(trouble) => trouble.words().1,
        _ => "",
    };
    text.replace("{reason}", &reason)
        .replace("{trouble}", trouble)
        .replace(
            "{case}",
            &evidence.case.map(|n| n.to_string()).unwrap_or_default(),
        )
        .replace(
            "{attempts}",
            &evidence.reversal.map_or(0, |r| r.attempts).to_string(),
        )
}

/// The headline of the row called `id`, for whoever shows a state of its own in the table's words.
pub fn headline(id: &str) -> Words {
    rows::find(id).headline
}
