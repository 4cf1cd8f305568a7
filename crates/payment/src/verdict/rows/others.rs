//! Rows of what is no sale: what gives money back, what holds an amount, what releases it, and inquiries.

use super::super::{Goods, Outcome, Owner, Position, Row, Situation};
use super::shared::{
    APPROVED, DECLINED, DECLINED_HERE, E_SLIP, HOLDS, INQUIRIES, MOVES, NOT_PRINTED, ONE_SIDED,
    OPEN, RECOVERED, RELEASES, RETURNS, REVERSED, REVERSING, SLIP_UNCONFIRMED, SLIP_UNKNOWN,
    UNCONFIRMED, UNDELIVERED, held, moved, of, released, returned,
};

/// What becomes of a return, a hold, a release and an inquiry.
pub(super) const ROWS: &[Row] = &[
    OPEN,
    Row {
        id: "return_done",
        families: RETURNS,
        when: Situation::Done,
        headline: ("{kind}成功", "{kind} approved"),
        position: Position::Returned,
        cashier: (
            "小票已打印，可以请顾客收好。",
            "Slip printed; hand it to the customer.",
        ),
        merchant: (
            "这笔金额从结算款中扣回。",
            "The amount is taken off your next settlement.",
        ),
        cardholder: (
            "款项将退回原卡，请收好小票。",
            "The money returns to your card. Keep the slip.",
        ),
        operator: (
            "八个环节全部闭合，终端已确认出票。",
            "All eight hops closed; the terminal confirmed the slip.",
        ),
        ..APPROVED
    },
    Row {
        id: "hold_done",
        families: HOLDS,
        when: Situation::Done,
        headline: ("{kind}成功", "{kind} approved"),
        position: Position::Held,
        cashier: (
            "小票已打印，金额已冻结，没有扣款；最后还要完成。",
            "Slip printed. The amount is held, nothing is debited; complete it in the end.",
        ),
        merchant: (
            "金额已冻结，完成后才入账。",
            "The amount is held; it becomes yours once it is completed.",
        ),
        cardholder: (
            "金额已冻结，没有扣款，请收好小票。",
            "The amount is held, nothing is debited. Keep the slip.",
        ),
        operator: (
            "八个环节全部闭合，终端已确认出票。",
            "All eight hops closed; the terminal confirmed the slip.",
        ),
        ..APPROVED
    },
    Row {
        id: "release_done",
        families: RELEASES,
        when: Situation::Done,
        headline: ("{kind}成功", "{kind} approved"),
        position: Position::Released,
        cashier: (
            "小票已打印，冻结已解除。",
            "Slip printed. The hold is released.",
        ),
        merchant: (
            "冻结已解除，不能再完成。",
            "The hold is released and cannot be completed any more.",
        ),
        cardholder: (
            "冻结已解除，没有扣款，请收好小票。",
            "The hold is released, nothing is debited. Keep the slip.",
        ),
        operator: (
            "八个环节全部闭合，终端已确认出票。",
            "All eight hops closed; the terminal confirmed the slip.",
        ),
        ..APPROVED
    },
    Row {
        id: "move_done",
        families: MOVES,
        when: Situation::Done,
        headline: ("{kind}成功", "{kind} approved"),
        position: Position::Receiver,
        cashier: (
            "小票已打印，可以请顾客收好。",
            "Slip printed; hand it to the customer.",
        ),
        merchant: (
            "双方账户之间的事，与结算款无关。",
            "It is between the two accounts and no part of your settlement.",
        ),
        cardholder: (
            "已转入对方账户，请收好小票。",
            "The other account has it. Keep the slip.",
        ),
        operator: (
            "八个环节全部闭合，终端已确认出票。",
            "All eight hops closed; the terminal confirmed the slip.",
        ),
        ..APPROVED
    },
    returned("return_recovered", RECOVERED),
    held("hold_recovered", RECOVERED),
    released("release_recovered", RECOVERED),
    moved("move_recovered", RECOVERED),
    returned("return_not_printed", NOT_PRINTED),
    held("hold_not_printed", NOT_PRINTED),
    released("release_not_printed", NOT_PRINTED),
    moved("move_not_printed", NOT_PRINTED),
    returned("return_eslip", E_SLIP),
    held("hold_eslip", E_SLIP),
    released("release_eslip", E_SLIP),
    moved("move_eslip", E_SLIP),
    returned("return_slip_unconfirmed", SLIP_UNCONFIRMED),
    held("hold_slip_unconfirmed", SLIP_UNCONFIRMED),
    released("release_slip_unconfirmed", SLIP_UNCONFIRMED),
    moved("move_slip_unconfirmed", SLIP_UNCONFIRMED),
    returned("return_slip_unknown", SLIP_UNKNOWN),
    held("hold_slip_unknown", SLIP_UNKNOWN),
    released("release_slip_unknown", SLIP_UNKNOWN),
    moved("move_slip_unknown", SLIP_UNKNOWN),
    returned("return_undelivered", UNDELIVERED),
    held("hold_undelivered", UNDELIVERED),
    released("release_undelivered", UNDELIVERED),
    moved("move_undelivered", UNDELIVERED),
    returned("return_unconfirmed", UNCONFIRMED),
    held("hold_unconfirmed", UNCONFIRMED),
    released("release_unconfirmed", UNCONFIRMED),
    moved("move_unconfirmed", UNCONFIRMED),
    returned("return_one_sided", ONE_SIDED),
    held("hold_one_sided", ONE_SIDED),
    released("release_one_sided", ONE_SIDED),
    moved("move_one_sided", ONE_SIDED),
    Row {
        id: "refund_on_its_way",
        families: RETURNS,
        when: Situation::AdviceOnItsWay,
        headline: (
            "{kind}已受理，正在送往发卡行",
            "{kind} accepted. On its way to the issuer",
        ),
        goods: Goods::NotConcerned,
        cashier: (
            "不必等待，也不要再做一次；有结果时终端会显示。",
            "No need to wait, and do not start it again; the terminal shows the result when it comes.",
        ),
        merchant: (
            "发卡行还没有答复，系统会一直送到有答复为止。",
            "The issuer has not answered yet; it is sent until it does.",
        ),
        cardholder: (
            "商户已受理，银行答复后款项退回原卡。",
            "The shop has accepted it; the money returns to your card once your bank has answered.",
        ),
        operator: (
            "通知类交易：存储转发中，不会冲正。",
            "An advice: stored and forwarded, never reversed.",
        ),
        ..OPEN
    },
    Row {
        id: "refund_taken",
        families: RETURNS,
        when: Situation::AdviceTaken,
        headline: (
            "{kind}成功，款项将退回原卡",
            "{kind} approved. Money returns to the card",
        ),
        position: Position::Returned,
        cashier: (
            "已经成功，不要再做一次。",
            "It succeeded. Do not start it again.",
        ),
        merchant: (
            "这笔金额从结算款中扣回。",
            "The amount is taken off your next settlement.",
        ),
        cardholder: ("款项将退回原卡。", "The money returns to your card."),
        operator: (
            "发卡行已受理退款通知。",
            "The issuer took the advice and gave the money back.",
        ),
        ..APPROVED
    },
    Row {
        id: "kind_reversing_silent",
        when: Situation::ReversingSilent,
        merchant: (
            "请求或应答丢失，结果未知，无论如何都会冲正。",
            "Request or answer was lost and the outcome is unknown. It is reversed either way.",
        ),
        operator: (
            "上游无应答：请求丢失还是应答丢失尚不可知。",
            "Upstream silent: request or answer lost, not known which.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversing_network_gave_up",
        when: Situation::ReversingNetworkGaveUp,
        merchant: (
            "银联没有等到发卡行应答，正在冲正。",
            "The network did not hear from the issuer. It is being reversed.",
        ),
        operator: (
            "银联报 98：断在银联与发卡行之间。",
            "The network said 98: broken between network and issuer.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversing_interrupted",
        when: Situation::ReversingInterrupted,
        merchant: (
            "收单系统重启时应答未到，正在冲正。",
            "The acquirer restarted before the answer came; it is being reversed.",
        ),
        operator: (
            "重启时仍在途，密码不落盘故不重发，改为冲正。",
            "In flight at restart; PINs are not stored, so it is reversed, not resent.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversing_replaced",
        when: Situation::ReversingReplaced,
        merchant: (
            "顾客已改用其他方式，本笔自动冲正，恢复原状。",
            "The customer went another way; this one is reversed by itself and all is put back as before.",
        ),
        operator: (
            "前置因替代交易发起冲正，等待发卡行应答。",
            "Started by us for what took its place; awaiting the issuer's word.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_giving_back",
        when: Situation::GivingBack,
        merchant: (
            "收单运营人员经双人复核撤回，恢复原状。",
            "The acquirer's staff take it back, two of them having checked; all is put back as before.",
        ),
        operator: (
            "运营撤回已发出，等待发卡行应答。",
            "Taken back by staff; awaiting the issuer's word.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversing_for_terminal",
        when: Situation::ReversingForTerminal,
        merchant: (
            "终端没有等到结果，已要求冲正。",
            "The terminal did not get the result and asked for a reversal.",
        ),
        operator: (
            "终端冲正先于上游应答。",
            "The terminal's reversal came before the upstream answer.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversing_approved",
        when: Situation::ReversingApproved,
        merchant: (
            "发卡行已同意，终端要求冲正，恢复原状。",
            "The issuer approved; the terminal asked for reversal; all is put back as before.",
        ),
        operator: (
            "已同意的交易按终端冲正撤回。",
            "An approval is taken back on the terminal's reversal.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversing_late_approval",
        when: Situation::ReversingLateApproval,
        merchant: (
            "迟到的成功应答不生效，恢复原状。",
            "A late approval takes no effect; all is put back as before.",
        ),
        operator: (
            "冲正发出后才收到成功应答，不改变结果。",
            "Approval after the reversal had left; it changes nothing.",
        ),
        ..REVERSING
    },
    Row {
        id: "kind_reversal_retrying",
        when: Situation::ReversalRetrying,
        cashier: (
            "请稍后再做，冲正会自动完成。",
            "Try again later; the reversal completes by itself.",
        ),
        merchant: (
            "上游尚未恢复，冲正会一直重发到确认。",
            "Upstream is not back; the reversal is repeated until confirmed.",
        ),
        operator: (
            "存储转发第 {attempts} 次，未放弃。",
            "Store-and-forward attempt {attempts}; never given up.",
        ),
        ..REVERSING
    },
    Row {
        id: "return_reversed",
        families: RETURNS,
        headline: (
            "{kind}已冲正，原交易仍然有效",
            "{kind} reversed. The original stands again",
        ),
        position: Position::Original,
        cashier: (
            "款项没有退回；需要时可以重新操作。",
            "The money did not go back. Start again if it is still wanted.",
        ),
        merchant: (
            "原交易照常结算。",
            "The original is settled as if nothing had happened.",
        ),
        cardholder: (
            "退回已撤销，原交易仍然有效。",
            "The return was taken back; the original stands.",
        ),
        operator: (
            "发卡行确认冲正：曾退回，已收回。",
            "The issuer confirmed: it had given back and has taken it again.",
        ),
        ..REVERSED
    },
    Row {
        id: "return_reversed_never_happened",
        families: RETURNS,
        when: Situation::ReversedNeverDebited,
        headline: (
            "{kind}已冲正，没有退回款项",
            "{kind} reversed. It had returned nothing",
        ),
        position: Position::Original,
        cashier: (
            "款项没有退回；需要时可以重新操作。",
            "The money did not go back. Start again if it is still wanted.",
        ),
        merchant: ("原交易不受影响。", "The original is not affected."),
        cardholder: (
            "银行确认没有退回过款项，原交易不受影响。",
            "Your bank confirmed that nothing was returned; the original is not affected.",
        ),
        operator: (
            "发卡行没有这笔交易或曾拒绝：请求在到达前丢失。",
            "The issuer has no such request, or declined it: lost before it got there.",
        ),
        ..REVERSED
    },
    Row {
        id: "hold_reversed",
        families: HOLDS,
        headline: (
            "{kind}已冲正，冻结已解除",
            "{kind} reversed. The hold is released",
        ),
        position: Position::Released,
        cashier: (
            "没有冻结；需要时可以重新操作。",
            "Nothing is held. Start again if it is still wanted.",
        ),
        merchant: ("这笔冻结不存在了。", "This hold is gone."),
        cardholder: (
            "银行确认冻结已解除，没有扣款。",
            "Your bank confirmed that the hold is released; nothing is debited.",
        ),
        operator: (
            "发卡行确认冲正：曾冻结，已解除。",
            "The issuer confirmed: it had held the amount and released it.",
        ),
        ..REVERSED
    },
    Row {
        id: "hold_reversed_never_happened",
        families: HOLDS,
        when: Situation::ReversedNeverDebited,
        headline: (
            "{kind}已冲正，银行没有冻结",
            "{kind} reversed. Nothing had been held",
        ),
        position: Position::Cardholder,
        cashier: (
            "没有冻结；需要时可以重新操作。",
            "Nothing is held. Start again if it is still wanted.",
        ),
        merchant: ("这笔冻结没有发生。", "This hold never was."),
        cardholder: (
            "银行确认没有冻结过。",
            "Your bank confirmed that nothing was held.",
        ),
        operator: (
            "发卡行没有这笔交易或曾拒绝：请求在到达前丢失。",
            "The issuer has no such request, or declined it: lost before it got there.",
        ),
        ..REVERSED
    },
    Row {
        id: "release_reversed",
        families: RELEASES,
        headline: (
            "{kind}已冲正，金额仍然冻结",
            "{kind} reversed. The hold stands again",
        ),
        position: Position::Held,
        cashier: (
            "冻结仍然有效；需要时可以重新撤销。",
            "The hold stands. Start again if it is to be released.",
        ),
        merchant: (
            "冻结仍然有效，可以完成。",
            "The hold stands and can be completed.",
        ),
        cardholder: (
            "金额仍然冻结，没有扣款。",
            "The amount is held again; nothing is debited.",
        ),
        operator: (
            "发卡行确认冲正：曾解除，已重新冻结。",
            "The issuer confirmed: it had released the hold and holds it again.",
        ),
        ..REVERSED
    },
    Row {
        id: "release_reversed_never_happened",
        families: RELEASES,
        when: Situation::ReversedNeverDebited,
        headline: (
            "{kind}已冲正，没有解除任何冻结",
            "{kind} reversed. It had released nothing",
        ),
        position: Position::Original,
        cashier: (
            "冻结不受影响；需要时可以重新撤销。",
            "The hold is not affected. Start again if it is to be released.",
        ),
        merchant: ("冻结不受影响。", "The hold is not affected."),
        cardholder: (
            "银行确认这次没有解除冻结，没有扣款。",
            "Your bank confirmed that this released nothing; nothing is debited.",
        ),
        operator: (
            "发卡行没有这笔交易或曾拒绝：请求在到达前丢失。",
            "The issuer has no such request, or declined it: lost before it got there.",
        ),
        ..REVERSED
    },
    Row {
        id: "move_reversed",
        families: MOVES,
        headline: (
            "{kind}已冲正，一切恢复原状",
            "{kind} reversed. All is as it was before",
        ),
        position: Position::Cardholder,
        cashier: (
            "对方没有收到；需要时可以重新操作。",
            "The other side has nothing of it. Start again if it is still wanted.",
        ),
        merchant: ("与结算款无关。", "It is no part of your settlement."),
        cardholder: (
            "银行确认已经取回，您的账户恢复原状。",
            "Your bank confirmed that it has it back; your account is as before.",
        ),
        operator: (
            "发卡行确认冲正：曾转移，已取回。",
            "The issuer confirmed: it had moved the amount and has taken it back.",
        ),
        ..REVERSED
    },
    Row {
        id: "move_reversed_never_happened",
        families: MOVES,
        when: Situation::ReversedNeverDebited,
        headline: (
            "{kind}已冲正，没有转移任何款项",
            "{kind} reversed. It had moved nothing",
        ),
        position: Position::Cardholder,
        cashier: (
            "对方没有收到；需要时可以重新操作。",
            "The other side has nothing of it. Start again if it is still wanted.",
        ),
        merchant: ("与结算款无关。", "It is no part of your settlement."),
        cardholder: (
            "银行确认这次没有转移任何款项。",
            "Your bank confirmed that this moved nothing.",
        ),
        operator: (
            "发卡行没有这笔交易或曾拒绝：请求在到达前丢失。",
            "The issuer has no such request, or declined it: lost before it got there.",
        ),
        ..REVERSED
    },
    Row {
        id: "kind_reversal_refused",
        when: Situation::ReversalRefused,
        headline: (
            "{kind}的冲正未完成，已转人工 #{case}",
            "{kind}: reversal not complete. Case #{case} opened",
        ),
        outcome: Outcome::ReversalRefused,
        owner: Owner::Operations,
        cashier: (
            "请联系收单机构并报单号 #{case}。",
            "Call the acquirer and quote case #{case}.",
        ),
        merchant: (
            "发卡行拒绝冲正，运营人员当日处理。",
            "The issuer refused the reversal; operations act the same day.",
        ),
        cardholder: (
            "由人工处理，单号 #{case}。",
            "People are putting it right. Case #{case}.",
        ),
        operator: (
            "发卡行拒绝冲正：{reason}。第 {attempts} 次，仍在重发。",
            "The issuer refused the reversal: {reason}. Attempt {attempts}, still trying.",
        ),
        ..REVERSING
    },
    of("return_declined", RETURNS, Position::Original, DECLINED),
    of("hold_declined", HOLDS, Position::Cardholder, DECLINED),
    of("release_declined", RELEASES, Position::Original, DECLINED),
    of("move_declined", MOVES, Position::Cardholder, DECLINED),
    of(
        "return_declined_here",
        RETURNS,
        Position::Original,
        DECLINED_HERE,
    ),
    of(
        "hold_declined_here",
        HOLDS,
        Position::Cardholder,
        DECLINED_HERE,
    ),
    of(
        "release_declined_here",
        RELEASES,
        Position::Original,
        DECLINED_HERE,
    ),
    of(
        "move_declined_here",
        MOVES,
        Position::Cardholder,
        DECLINED_HERE,
    ),
    Row {
        id: "inquiry_confirming",
        families: INQUIRIES,
        headline: ("正在查询，请稍候", "Asking the issuer. Please wait"),
        position: Position::Cardholder,
        ..OPEN
    },
    Row {
        id: "inquiry_done",
        families: INQUIRIES,
        when: Situation::Done,
        headline: ("查询成功", "Answered"),
        position: Position::Cardholder,
        cashier: ("查询不涉及账务。", "An inquiry moves nothing."),
        merchant: ("查询不涉及账务。", "An inquiry moves nothing."),
        cardholder: ("银行已答复查询。", "Your bank has answered."),
        operator: ("发卡行已答复。", "The issuer answered."),
        ..APPROVED
    },
    of(
        "inquiry_declined",
        INQUIRIES,
        Position::Cardholder,
        DECLINED,
    ),
    of(
        "inquiry_declined_here",
        INQUIRIES,
        Position::Cardholder,
        DECLINED_HERE,
    ),
];
