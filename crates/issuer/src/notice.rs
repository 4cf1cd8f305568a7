//! What the cardholder is told: debited, or returned.
//!
//! A notice is made from a booking that is in the same decision, and from nothing else (F11).

use crate::config::Product;
use crypto::Card;
use payment::{Amount, BARTER_UNIT, Kind, Posting, Rrn, Wall};

/// Which way the money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// 消费.
    Debited,
    /// 退回.
    Returned,
    /// 预授权冻结.
    Held,
    /// 预授权解冻.
    Released,
    /// 消费金额调整, up or down: the amount is what it comes to.
    Adjusted,
    /// 转出.
    Sent,
    /// 转入.
    Received,
    /// 转出退回.
    SentBack,
    /// 转入撤回.
    ReceivedBack,
}

impl NoticeKind {
    /// What the cardholder is told of an approval of `kind`.
    pub(crate) fn of(kind: Kind) -> Self {
        match kind.row().posting {
            Posting::Credit | Posting::Undo | Posting::Uncapture => Self::Returned,
            Posting::Hold | Posting::HoldMore => Self::Held,
            Posting::Release => Self::Released,
            Posting::Adjust => Self::Adjusted,
            Posting::Move | Posting::MoveOut => Self::Sent,
            Posting::MoveIn => Self::Received,
            Posting::None | Posting::Debit | Posting::Capture => Self::Debited,
        }
    }

    /// What the cardholder is told when that is taken back.
    pub(crate) fn back(self) -> Self {
        match self {
            Self::Debited => Self::Returned,
            Self::Returned => Self::Debited,
            Self::Held => Self::Released,
            Self::Released => Self::Held,
            // The cardholder reads the amount that stands again.
            Self::Adjusted => Self::Adjusted,
            Self::Sent => Self::SentBack,
            Self::Received => Self::ReceivedBack,
            Self::SentBack => Self::Sent,
            Self::ReceivedBack => Self::Received,
        }
    }
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The card.
    pub card: Card,
    /// Who is told.
    pub holder: String,
    /// Which way.
    pub kind: NoticeKind,
    /// What stands behind the card: its rest is called balance or limit.
    pub product: Product,
    /// How much.
    pub amount: Amount,
    /// What is available afterwards, in minor units.
    pub balance: i64,
    /// When it was booked.
    pub at: Wall,
    /// Field 37 of the purchase.
    pub rrn: Rrn,
}

impl Notice {
    /// The text of the message, in zh-CN or in English.
    pub fn text(&self, zh: bool) -> String {
        let t = self.at.local();
        let (last4, amount) = (self.card.last4, self.amount.text(zh));
        let (month, day, hour, minute) = (t.month(), t.day(), t.hour(), t.minute());
        let balance = Amount {
            minor: self.balance.max(0).unsigned_abs(),
            currency: self.amount.currency,
        };
        let balance = balance.text(zh);
        let barter = self.amount.currency == BARTER_UNIT;
        let (paid, held, held_money) = match barter {
            true => ("易货支付", "易货托管", "易货托管的额度"),
            false => ("消费", "预授权冻结", "预授权冻结的款项"),
        };
        let on_hold = if barter { "in escrow from" } else { "held on" };
        let rest = match (zh, self.product) {
            (true, Product::Debit) => "余额",
            (true, Product::Credit) => "可用额度",
            (false, Product::Debit) => "balance",
            (false, Product::Credit) => "available credit",
        };
        match (zh, self.kind) {
            (true, NoticeKind::Debited) => format!(
                "您尾号{last4:04}的卡{month}月{day}日{hour:02}:{minute:02}{paid}{amount}，{rest}{balance}。"
            ),
            (true, NoticeKind::Held) => format!(
                "您尾号{last4:04}的卡{month}月{day}日{hour:02}:{minute:02}{held}{amount}，{rest}{balance}。"
            ),
            (true, NoticeKind::Released) => format!(
                "您尾号{last4:04}的卡{held_money}已于{month}月{day}日{hour:02}:{minute:02}解冻，{rest}{balance}。"
            ),
            (false, NoticeKind::Held) => format!(
                "{amount} is {on_hold} your card ending {last4:04} since {month}-{day:02} {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (false, NoticeKind::Released) => format!(
                "What was {on_hold} your card ending {last4:04} was released on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (true, NoticeKind::Sent) => format!(
                "您尾号{last4:04}的卡{month}月{day}日{hour:02}:{minute:02}转出{amount}，{rest}{balance}。"
            ),
            (true, NoticeKind::Received) => format!(
                "您尾号{last4:04}的卡{month}月{day}日{hour:02}:{minute:02}转入{amount}，{rest}{balance}。"
            ),
            (true, NoticeKind::SentBack) => format!(
                "您尾号{last4:04}的卡转出的{amount}已于{month}月{day}日{hour:02}:{minute:02}退回，{rest}{balance}。"
            ),
            (true, NoticeKind::ReceivedBack) => format!(
                "转入您尾号{last4:04}的卡的{amount}已于{month}月{day}日{hour:02}:{minute:02}撤回，{rest}{balance}。"
            ),
            (false, NoticeKind::Sent) => format!(
                "Your card ending {last4:04} sent {amount} on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (false, NoticeKind::Received) => format!(
                "Your card ending {last4:04} received {amount} on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (false, NoticeKind::SentBack) => format!(
                "The {amount} sent from your card ending {last4:04} was returned on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (false, NoticeKind::ReceivedBack) => format!(
                "The {amount} received on your card ending {last4:04} was taken back on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (true, NoticeKind::Adjusted) => format!(
                "您尾号{last4:04}的卡有一笔消费于{month}月{day}日{hour:02}:{minute:02}调整为{amount}，{rest}{balance}。"
            ),
            (false, NoticeKind::Adjusted) => format!(
                "A payment with your card ending {last4:04} was adjusted to {amount} on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (true, NoticeKind::Returned) => format!(
                "您尾号{last4:04}的卡{paid}的{amount}已于{month}月{day}日{hour:02}:{minute:02}退回，{rest}{balance}。"
            ),
            (false, NoticeKind::Debited) => format!(
                "Your card ending {last4:04} paid {amount} on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
            (false, NoticeKind::Returned) => format!(
                "The {amount} paid with your card ending {last4:04} was returned on {month}-{day:02} at {hour:02}:{minute:02}; {rest} {balance}."
            ),
        }
    }
}
