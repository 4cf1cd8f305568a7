//! What rows of several families have in common: the words are one, only where the money is differs.
//!
//! `{kind}` is filled with the kind's own name, so that one row speaks for several kinds.

use super::super::{Family, Goods, Outcome, Owner, Position, Row, Situation, Words};

const ALL: &[Family] = &[Family::Return, Family::Hold, Family::Release, Family::Move];
pub(super) const RETURNS: &[Family] = &[Family::Return];
pub(super) const HOLDS: &[Family] = &[Family::Hold];
pub(super) const RELEASES: &[Family] = &[Family::Release];
pub(super) const MOVES: &[Family] = &[Family::Move];
pub(super) const INQUIRIES: &[Family] = &[Family::Inquiry];

const ON_ITS_WAY: Words = (
    "请求已送往发卡行，正在等应答。",
    "The request is on its way to the issuer.",
);
const AS_IF_NEVER: Words = (
    "冲正成功后，视为这笔交易没有发生。",
    "Once reversed, it is as if it had not happened.",
);
const WAIT: Words = (
    "请稍候，几秒内有结果，不要再做一次。",
    "Wait: the result is seconds away. Do not start it again.",
);
const NOT_CERTAIN_YET: Words = (
    "结果尚未确定，请以商户答复为准。",
    "Not certain yet; ask the shop for the outcome.",
);

/// What most of these rows have in common; each says where it differs.
pub(super) const OPEN: Row = Row {
    id: "kind_confirming",
    families: ALL,
    when: Situation::Confirming,
    headline: ("{kind}正在确认，请稍候", "{kind}: confirming. Please wait"),
    outcome: Outcome::Unknown,
    position: Position::NotKnown,
    goods: Goods::Hold,
    owner: Owner::Acquirer,
    cashier: WAIT,
    merchant: ON_ITS_WAY,
    cardholder: (
        "银行正在处理，请稍候。",
        "Your bank is working on it. A moment please.",
    ),
    operator: (
        "等待上游应答，未超时。",
        "Awaiting the upstream answer, within the time-out.",
    ),
};

/// A reversal on its way: whoever it is for, nothing is certain but that it ends. One sentence for all of them, which the till
/// can say too.
pub(super) const REVERSING: Row = Row {
    headline: (
        "{kind}未完成，正在自动冲正",
        "{kind}: not completed. Reversing automatically",
    ),
    outcome: Outcome::Reversing,
    cardholder: AS_IF_NEVER,
    ..OPEN
};

/// It succeeded, and only the slip or the last hop differs.
pub(super) const APPROVED: Row = Row {
    outcome: Outcome::Approved,
    goods: Goods::NotConcerned,
    owner: Owner::Nobody,
    ..OPEN
};

pub(super) const RECOVERED: Row = Row {
    when: Situation::Recovered,
    headline: (
        "已找回结果：{kind}成功",
        "Result recovered: {kind} approved",
    ),
    cashier: (
        "应答曾在最后一段丢失，已找回并打印。",
        "The answer was lost on the last hop, found again and printed.",
    ),
    merchant: (
        "这笔交易有效，没有冲正。",
        "It stands; nothing was reversed.",
    ),
    cardholder: ("这笔交易有效，只做了一次。", "It took place, once."),
    operator: (
        "最后一段丢失，经结果查询重新送达。",
        "Lost on the last hop, delivered again by result query.",
    ),
    ..APPROVED
};

pub(super) const NOT_PRINTED: Row = Row {
    when: Situation::NotPrinted,
    headline: (
        "{kind}成功，小票未打印",
        "{kind} approved. Slip not printed",
    ),
    owner: Owner::Cashier,
    cashier: (
        "{trouble}。处理好后会自动补打，不要再做一次。",
        "{trouble}. It prints by itself once that is put right. Do not start it again.",
    ),
    merchant: ("小票不影响结果。", "The slip does not affect the outcome."),
    cardholder: (
        "已经成功，商户可以补打小票。",
        "It succeeded. The shop can print the slip again.",
    ),
    operator: (
        "终端已确认成功；出票障碍：{trouble}。",
        "The terminal confirmed it; slip trouble: {trouble}.",
    ),
    ..APPROVED
};

pub(super) const E_SLIP: Row = Row {
    when: Situation::ESlip,
    headline: (
        "{kind}成功，电子小票已提供",
        "{kind} approved. E-slip given",
    ),
    cashier: (
        "{trouble}。请顾客扫码取电子小票；纸小票处理好后会自动补打，不要再做一次。",
        "{trouble}. The customer scans the code for the e-slip; paper follows by itself once that is put right. Do not start it again.",
    ),
    merchant: (
        "纸小票不影响结果。",
        "The paper slip does not affect the outcome.",
    ),
    cardholder: (
        "已经成功，电子小票就是您的凭证。",
        "It succeeded. The e-slip is your receipt.",
    ),
    operator: (
        "终端已确认成功并显示电子小票；纸小票障碍：{trouble}。",
        "The terminal confirmed it and showed the e-slip; paper trouble: {trouble}.",
    ),
    ..APPROVED
};

pub(super) const SLIP_UNCONFIRMED: Row = Row {
    when: Situation::SlipUnconfirmed,
    headline: (
        "{kind}成功，小票已发送，未确认",
        "{kind} approved. Slip sent, not confirmed",
    ),
    owner: Owner::Cashier,
    cashier: (
        "请看一眼小票；没有就补打，不要再做一次。",
        "Look at the slip; if there is none, reprint. Do not start it again.",
    ),
    merchant: ("小票不影响结果。", "The slip does not affect the outcome."),
    cardholder: (
        "已经成功，请向商户索取小票。",
        "It succeeded. Ask the shop for the slip.",
    ),
    operator: (
        "打印机收到了字节，没有确认印出。",
        "The printer took the bytes and did not confirm printing.",
    ),
    ..APPROVED
};

pub(super) const SLIP_UNKNOWN: Row = Row {
    when: Situation::SlipUnknown,
    headline: (
        "{kind}成功，小票情况未报告",
        "{kind} approved. Slip not reported",
    ),
    cashier: (
        "没有小票就补打，不要再做一次。",
        "Reprint if there is no slip. Do not start it again.",
    ),
    merchant: ("小票不影响结果。", "The slip does not affect the outcome."),
    cardholder: ("已经成功。", "It succeeded."),
    operator: (
        "由终端的下一笔报文推定已知结果。",
        "Confirmed by the terminal's next message; it says nothing of the slip.",
    ),
    ..APPROVED
};

pub(super) const UNDELIVERED: Row = Row {
    when: Situation::Undelivered,
    headline: (
        "发卡行已同意{kind}，结果未送达收银台，正在找回",
        "{kind} approved. The till has not heard; recovering",
    ),
    goods: Goods::Hold,
    owner: Owner::Terminal,
    cashier: (
        "不要再做一次，终端会自动来取结果。",
        "Do not start it again: the terminal fetches the result by itself.",
    ),
    merchant: (
        "应答在最后一段丢失，系统正在重新送达。",
        "The answer was lost on the last hop and is being delivered again.",
    ),
    cardholder: NOT_CERTAIN_YET,
    operator: (
        "应答发出时终端已断开，等待结果查询或冲正。",
        "The terminal had hung up; awaiting its result query or reversal.",
    ),
    ..APPROVED
};

pub(super) const UNCONFIRMED: Row = Row {
    when: Situation::Unconfirmed,
    headline: (
        "发卡行已同意{kind}，等待收银台确认",
        "{kind} approved. Waiting for the till to confirm",
    ),
    goods: Goods::Hold,
    owner: Owner::Terminal,
    cashier: (
        "屏幕显示成功才算成功；没有显示就等终端恢复。",
        "It is done when the screen says so; otherwise wait for the terminal to recover.",
    ),
    merchant: (
        "应答已发出，终端还没有回话。",
        "The answer was sent; the terminal has not spoken since.",
    ),
    cardholder: NOT_CERTAIN_YET,
    operator: (
        "应答已发出，未收到终端的成功标记。",
        "Answer sent; no positive sign from the terminal yet.",
    ),
    ..APPROVED
};

pub(super) const ONE_SIDED: Row = Row {
    when: Situation::OneSided,
    headline: (
        "发卡行已同意{kind}，收银台没有确认，已列入单边账 #{case}",
        "{kind} approved, never confirmed by the till. One-sided item #{case}",
    ),
    goods: Goods::Hold,
    owner: Owner::Operations,
    cashier: (
        "请联系收单机构并报单号 #{case}，不要再做一次。",
        "Call the acquirer and quote #{case}. Do not start it again.",
    ),
    merchant: (
        "请告知收单机构收银台当时的结果，以便核对。",
        "Tell the acquirer what the till showed, so that it can be settled.",
    ),
    cardholder: (
        "银行已处理，商户与收单机构正在核对。",
        "Your bank has done it; shop and acquirer are checking.",
    ),
    operator: (
        "终端失联或说法不一致：核对终端流水后处理。",
        "Terminal lost or in disagreement: check its journal, then decide.",
    ),
    ..APPROVED
};

pub(super) const DECLINED: Row = Row {
    when: Situation::Declined,
    headline: ("{kind}未成功：{reason}", "{kind} declined: {reason}"),
    outcome: Outcome::Declined,
    cashier: (
        "什么也没有改变，可以核对后重新操作。",
        "Nothing has changed. Check it and start again if need be.",
    ),
    merchant: ("这笔交易没有生效。", "It took no effect."),
    cardholder: ("您的账户没有变化。", "Nothing changed on your account."),
    operator: ("上游拒绝：{reason}。", "Declined upstream: {reason}."),
    ..APPROVED
};

pub(super) const DECLINED_HERE: Row = Row {
    when: Situation::DeclinedHere,
    cashier: (
        "请求没有离开收单机构，什么也没有改变。",
        "The request never left the acquirer. Nothing has changed.",
    ),
    operator: (
        "收单前置拒绝：{reason}。",
        "Refused by the acquirer: {reason}.",
    ),
    ..DECLINED
};

pub(super) const REVERSED: Row = Row {
    outcome: Outcome::Reversed,
    when: Situation::Reversed,
    ..APPROVED
};

/// `row` for one family, with where its money is.
pub(super) const fn of(
    id: &'static str,
    families: &'static [Family],
    position: Position,
    row: Row,
) -> Row {
    Row {
        id,
        families,
        position,
        ..row
    }
}

pub(super) const fn returned(id: &'static str, row: Row) -> Row {
    of(id, RETURNS, Position::Returned, row)
}

pub(super) const fn held(id: &'static str, row: Row) -> Row {
    of(id, HOLDS, Position::Held, row)
}

pub(super) const fn moved(id: &'static str, row: Row) -> Row {
    of(id, MOVES, Position::Receiver, row)
}

pub(super) const fn released(id: &'static str, row: Row) -> Row {
    of(id, RELEASES, Position::Released, row)
}
