//! The verdict: one row of one table says what is true of a transaction, to everyone, in both languages.
//!
//! A pure function of evidence. It is never ahead of the ledger: "reversed" needs the issuer's word, "printed" the device's.

mod rows;

use crate::evidence::{
    Confirmation, Delivery, Evidence, Loop, Reversal, ReversalCause, ReversalProgress, Upstream,
};
use crate::kind::Flow;
use crate::sign::{SignOutcome, Trouble};
use crate::{BARTER_UNIT, Kind, Posting, ResponseCode, Wall};
use serde::{Deserialize, Serialize};

pub use rows::ROWS;

/// What a kind does with money, as far as words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The cardholder pays.
    Sale,
    /// The cardholder has money back: what is reversed lets the original stand again.
    Return,
    /// An amount is held, nothing is debited.
    Hold,
    /// A hold is released.
    Release,
    /// One card gives and another receives: nothing is owed to the merchant.
    Move,
    /// Nothing moves.
    Inquiry,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 6] = [
        Self::Sale,
        Self::Return,
        Self::Hold,
        Self::Release,
        Self::Move,
        Self::Inquiry,
    ];

    /// The family of a kind, by what its approval does.
    pub const fn of(kind: Kind) -> Self {
        let row = kind.row();
        match (row.posting, row.unit) {
            // Quota goes to the seller, and not over the merchant's settlement.
            (Posting::Capture, BARTER_UNIT) => Self::Move,
            (Posting::Move | Posting::MoveOut | Posting::MoveIn, _) => Self::Move,
            (Posting::Debit | Posting::Capture | Posting::Adjust, _) => Self::Sale,
            (Posting::Credit | Posting::Undo | Posting::Uncapture, _) => Self::Return,
            (Posting::Hold | Posting::HoldMore, _) => Self::Hold,
            (Posting::Release, _) => Self::Release,
            (Posting::None, _) => Self::Inquiry,
        }
    }
}

/// Where a transaction is in its loop: what the evidence selects, whatever the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    /// The answer is awaited.
    Confirming,
    /// Approved, and the slip is printed.
    Done,
    /// The same, after the answer had been lost on the last hop.
    Recovered,
    /// Approved; the slip is not printed.
    NotPrinted,
    /// Approved; the e-slip was given instead.
    ESlip,
    /// Approved; the slip was sent, not confirmed.
    SlipUnconfirmed,
    /// Approved; the slip was not reported.
    SlipUnknown,
    /// Approved; the till could not be told.
    Undelivered,
    /// Approved; the till has not confirmed.
    Unconfirmed,
    /// Approved, never confirmed: for people.
    OneSided,
    /// An advice that nobody has answered yet.
    AdviceOnItsWay,
    /// An advice that the issuer has taken.
    AdviceTaken,
    /// An advice that was told as done and then refused: for people.
    AdviceRefused,
    /// Upstream is silent; being reversed.
    ReversingSilent,
    /// The network gave up; being reversed.
    ReversingNetworkGaveUp,
    /// Interrupted by a restart; being reversed.
    ReversingInterrupted,
    /// The till withdrew it before its answer came.
    ReversingForTerminal,
    /// Something else was paid in its place; being reversed.
    ReversingReplaced,
    /// The acquirer's staff give it back.
    GivingBack,
    /// The till withdrew what was approved.
    ReversingApproved,
    /// Approved too late; being reversed.
    ReversingLateApproval,
    /// The reversal is repeated.
    ReversalRetrying,
    /// Reversed: the issuer had done it and took it back.
    Reversed,
    /// Reversed: the issuer had done nothing.
    ReversedNeverDebited,
    /// The reversal was refused: for people.
    ReversalRefused,
    /// Declined upstream.
    Declined,
    /// Refused before it left.
    DeclinedHere,
}

/// What became of the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It stands.
    Approved,
    /// It did not happen.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Held at the issuer (冻结), not debited.
    Held,
    /// Held before, and released.
    Released,
    /// With the holder of the card that receives it.
    Receiver,
    /// As the original transaction left it.
    Original,
    /// This party cannot know yet.
    NotKnown,
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
            Self::Held => ("发卡行冻结·未扣款", "held at the issuer, not debited"),
            Self::Released => ("已解冻", "released to the cardholder"),
            Self::Receiver => ("已转入对方账户", "with the one who receives it"),
            Self::Original => ("原交易不变", "as the original left it"),
            Self::NotKnown => ("尚不可知", "not known yet"),
        }
    }
}

/// What the cashier does with the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// 交货.
    Deliver,
    /// 稍候.
    Hold,
    /// 勿交货.
    DoNotDeliver,
    /// 不涉及货物.
    NotConcerned,
}

impl Goods {
    /// The words in large type.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Deliver => ("交货", "Deliver"),
            Self::Hold => ("稍候", "Wait"),
            Self::DoNotDeliver => ("勿交货", "Do not deliver"),
            Self::NotConcerned => ("不涉及货物", "No goods concerned"),
        }
    }
}

/// Who owes the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whose transactions it speaks of.
    pub families: &'static [Family],
    /// When it does.
    pub when: Situation,
    /// The headline: identical for every audience. `{kind}`, `{reason}`, `{case}`, `{trouble}`, `{attempts}` are filled in.
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

/// The verdict on one transaction.
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
pub fn verdict(kind: Kind, evidence: &Evidence) -> Verdict {
    let receipt = receipt(evidence);
    let row = rows::find(Family::of(kind), select(kind, evidence, receipt));
    let fill = |words: Words| {
        let (zh, en) = named(words, kind);
        (
            fill(&zh, evidence, receipt, true),
            fill(&en, evidence, receipt, false),
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

/// The kind matters where it travels otherwise: an advice is never reversed, and an inquiry is over with its answer.
fn select(kind: Kind, evidence: &Evidence, receipt: Receipt) -> Situation {
    let row = kind.row();
    if !row.moves_money() {
        return match evidence.upstream {
            Upstream::Waiting => Situation::Confirming,
            Upstream::Approved => Situation::Done,
            Upstream::NotSent(_) => Situation::DeclinedHere,
            _ => Situation::Declined,
        };
    }
    match evidence.reversal {
        Some(reversal) => select_reversal(evidence, reversal),
        None if row.is_advice() => select_advice(row.flow, evidence, receipt),
        None => match evidence.upstream {
            Upstream::Waiting => Situation::Confirming,
            Upstream::NotSent(_) => Situation::DeclinedHere,
            Upstream::Declined(_) => Situation::Declined,
            Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted => {
                Situation::ReversingSilent
            }
            Upstream::Approved => select_approved(evidence, receipt),
        },
    }
}

fn select_reversal(evidence: &Evidence, reversal: Reversal) -> Situation {
    match (reversal.progress, reversal.cause) {
        (ReversalProgress::Confirmed(ResponseCode::APPROVED), _) => Situation::Reversed,
        (ReversalProgress::Confirmed(_), _) => Situation::ReversedNeverDebited,
        (ReversalProgress::Refused(_), _) => Situation::ReversalRefused,
        (ReversalProgress::Open, _) if reversal.attempts > ATTEMPTS_LADDER => {
            Situation::ReversalRetrying
        }
        (ReversalProgress::Open, _) if evidence.late_approval => Situation::ReversingLateApproval,
        (ReversalProgress::Open, ReversalCause::Terminal(_)) => match evidence.upstream {
            Upstream::Approved => Situation::ReversingApproved,
            _ => Situation::ReversingForTerminal,
        },
        (ReversalProgress::Open, ReversalCause::Replaced) => Situation::ReversingReplaced,
        (ReversalProgress::Open, ReversalCause::Staff(_)) => Situation::GivingBack,
        (ReversalProgress::Open, ReversalCause::Upstream) => match evidence.upstream {
            Upstream::NetworkGaveUp => Situation::ReversingNetworkGaveUp,
            Upstream::Interrupted => Situation::ReversingInterrupted,
            _ => Situation::ReversingSilent,
        },
    }
}

/// Nobody reports the end of an advice: what the issuer says is the end of it.
fn select_advice(flow: Flow, evidence: &Evidence, receipt: Receipt) -> Situation {
    match (evidence.upstream, flow) {
        (Upstream::Approved, _) if evidence.confirmation != Confirmation::None => {
            select_approved(evidence, receipt)
        }
        (Upstream::Approved, _) => Situation::AdviceTaken,
        (Upstream::Declined(_) | Upstream::NotSent(_), Flow::Stored) => Situation::AdviceRefused,
        (Upstream::Declined(_), _) => Situation::Declined,
        (Upstream::NotSent(_), _) => Situation::DeclinedHere,
        _ => Situation::AdviceOnItsWay,
    }
}

fn select_approved(evidence: &Evidence, receipt: Receipt) -> Situation {
    match evidence.confirmation {
        Confirmation::Signed(SignOutcome::Approved, _) => match receipt {
            Receipt::Printed if evidence.delivery == Delivery::Recovered => Situation::Recovered,
            Receipt::Printed => Situation::Done,
            Receipt::Failed(_) => Situation::NotPrinted,
            Receipt::ESlip(_) => Situation::ESlip,
            _ => Situation::SlipUnconfirmed,
        },
        Confirmation::Implied | Confirmation::Settled => Situation::SlipUnknown,
        // The terminal says that it has not done what we approved: that is a break, for people.
        Confirmation::Signed(..) => Situation::OneSided,
        Confirmation::None if evidence.one_sided => Situation::OneSided,
        Confirmation::None => match evidence.delivery {
            Delivery::HungUp => Situation::Undelivered,
            _ => Situation::Unconfirmed,
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
            Some(Reversal {
                progress: ReversalProgress::Refused(code),
                ..
            }),
        ) => Some(code),
        (Upstream::Declined(code) | Upstream::NotSent(code), _) => Some(code),
        (Upstream::Silent | Upstream::NetworkGaveUp | Upstream::Interrupted, _) => {
            Some(ResponseCode::ISSUER_TIMEOUT)
        }
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

/// With the kind's own name.
fn named((zh, en): Words, kind: Kind) -> (String, String) {
    let row = kind.row();
    (zh.replace("{kind}", row.zh), en.replace("{kind}", row.en))
}

/// The headline of a situation, for whoever shows a state of its own in the table's words: what only evidence can fill
/// in stays open.
pub fn headline(kind: Kind, when: Situation) -> (String, String) {
    named(rows::find(Family::of(kind), when).headline, kind)
}

/// What a terminal may say once it has an approval: a stored advice is only on its way.
pub const fn approved(kind: Kind, recovered: bool) -> Situation {
    match (kind.row().flow, recovered) {
        (Flow::Stored, _) => Situation::AdviceOnItsWay,
        (Flow::Advice, _) => Situation::AdviceTaken,
        (_, true) => Situation::Recovered,
        (_, false) => Situation::Done,
    }
}

/// What a terminal may say once a reversal is confirmed.
pub const fn reversed(never_debited: bool) -> Situation {
    match never_debited {
        true => Situation::ReversedNeverDebited,
        false => Situation::Reversed,
    }
}

/// What a terminal may say of a refusal: a stored advice was told as done before.
pub const fn declined(kind: Kind) -> Situation {
    match kind.row().flow {
        Flow::Stored => Situation::AdviceRefused,
        _ => Situation::Declined,
    }
}

/// The goods word of a situation.
pub fn goods(kind: Kind, when: Situation) -> Goods {
    rows::find(Family::of(kind), when).goods
}

/// The row with this name.
pub fn row(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}
