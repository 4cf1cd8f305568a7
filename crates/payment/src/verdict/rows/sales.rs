//! Rows of sales: what becomes of a debit, a capture, an adjustment.

use super::super::{Family, Goods, Outcome, Owner, Position, Row, Situation, Words};

const SALES: &[Family] = &[Family::Sale];

/// One sentence for every open reversal: the till, which is told neither the hop nor the cause, says it too.
const REVERSING: Words = (
    "交易未完成，正在自动冲正",
    "Not completed. Reversing automatically",
);

/// What becomes of a sale.
pub(super) const ROWS: &[Row] = &[
    Row {
        id: "confirming",
        families: SALES,
        when: Situation::Confirming,
        headline: (
            "正在确认，请勿再次刷卡",
            "Confirming. Do not present the card again",
        ),
        outcome: Outcome::Unknown,
        position: Position::DebitedOrNot,
        goods: Goods::Hold,
        owner: Owner::Acquirer,
        cashier: (
            "请稍候，几秒内有结果。",
            "Wait: the result is seconds away.",
        ),
        merchant: (
            "请求已送往发卡行，正在等应答。",
            "The request is on its way to the issuer.",
        ),
        cardholder: (
            "银行正在处理，请不要再次刷卡。",
            "Your bank is working on it. Do not present your card again.",
        ),
        operator: (
            "等待上游应答，未超时。",
            "Awaiting the upstream answer, within the time-out.",
        ),
    },
    Row {
        id: "paid",
        families: SALES,
        when: Situation::Done,
        headline: ("交易成功", "Paid"),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Nobody,
        cashier: (
            "小票已打印，可以交货。",
            "Slip printed. Hand over the goods.",
        ),
        merchant: (
            "款项将按结算周期入账。",
            "The money is paid out with your next settlement.",
        ),
        cardholder: ("付款成功，请收好小票。", "You have paid. Keep the slip."),
        operator: (
            "八个环节全部闭合，终端已确认出票。",
            "All eight hops closed; the terminal confirmed the slip.",
        ),
    },
    Row {
        id: "recovered",
        families: SALES,
        when: Situation::Recovered,
        headline: ("已找回结果：交易成功", "Result recovered: paid"),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Nobody,
        cashier: (
            "应答曾在最后一段丢失，已找回并打印，可以交货。",
            "The answer was lost on the last hop, found again and printed. Hand over the goods.",
        ),
        merchant: (
            "这笔交易有效，没有冲正。",
            "The sale stands; nothing was reversed.",
        ),
        cardholder: ("付款成功，只扣了一次。", "You have paid, once."),
        operator: (
            "最后一段丢失，经结果查询重新送达。",
            "Lost on the last hop, delivered again by result query.",
        ),
    },
    Row {
        id: "paid_not_printed",
        families: SALES,
        when: Situation::NotPrinted,
        headline: ("款已收妥，小票未打印", "Paid. Slip not printed"),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Cashier,
        cashier: (
            "{trouble}。处理好后会自动补打，不要重新收款。",
            "{trouble}. It prints by itself once that is put right. Do not charge again.",
        ),
        merchant: ("款项不受小票影响。", "The slip does not affect the money."),
        cardholder: (
            "付款成功，商户可以补打小票。",
            "You have paid. The shop can print the slip again.",
        ),
        operator: (
            "终端已确认成交；出票障碍：{trouble}。",
            "The terminal confirmed the sale; slip trouble: {trouble}.",
        ),
    },
    Row {
        id: "paid_eslip",
        families: SALES,
        when: Situation::ESlip,
        headline: ("款已收妥，电子小票已提供", "Paid. E-slip given"),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Nobody,
        cashier: (
            "{trouble}。请顾客扫码取电子小票；纸小票处理好后会自动补打，不要重新收款。",
            "{trouble}. The customer scans the code for the e-slip; paper follows by itself once that is put right. Do not charge again.",
        ),
        merchant: (
            "款项不受纸小票影响。",
            "The paper slip does not affect the money.",
        ),
        cardholder: (
            "付款成功，电子小票就是您的凭证。",
            "You have paid. The e-slip is your receipt.",
        ),
        operator: (
            "终端已确认成交并显示电子小票；纸小票障碍：{trouble}。",
            "The terminal confirmed the sale and showed the e-slip; paper trouble: {trouble}.",
        ),
    },
    Row {
        id: "paid_slip_unconfirmed",
        families: SALES,
        when: Situation::SlipUnconfirmed,
        headline: (
            "款已收妥，小票已发送，未确认",
            "Paid. Slip sent, not confirmed",
        ),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Cashier,
        cashier: (
            "请看一眼小票；没有就补打，不要重新收款。",
            "Look at the slip; if there is none, reprint. Do not charge again.",
        ),
        merchant: ("款项不受小票影响。", "The slip does not affect the money."),
        cardholder: (
            "付款成功，请向商户索取小票。",
            "You have paid. Ask the shop for the slip.",
        ),
        operator: (
            "打印机收到了字节，没有确认印出。",
            "The printer took the bytes and did not confirm printing.",
        ),
    },
    Row {
        id: "paid_slip_unknown",
        families: SALES,
        when: Situation::SlipUnknown,
        headline: ("交易成功，小票情况未报告", "Paid. Slip not reported"),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Nobody,
        cashier: (
            "没有小票就补打，不要重新收款。",
            "Reprint if there is no slip. Do not charge again.",
        ),
        merchant: (
            "款项将按结算周期入账。",
            "The money is paid out with your next settlement.",
        ),
        cardholder: ("付款成功。", "You have paid."),
        operator: (
            "由终端的下一笔报文推定已知结果。",
            "Confirmed by the terminal's next message; it says nothing of the slip.",
        ),
    },
    Row {
        id: "approved_undelivered",
        families: SALES,
        when: Situation::Undelivered,
        headline: (
            "发卡行已同意，结果未送达收银台，正在找回",
            "Approved. The till has not heard; recovering",
        ),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Hold,
        owner: Owner::Terminal,
        cashier: (
            "请勿再次刷卡，终端会自动来取结果。",
            "Do not present the card again: the terminal fetches the result by itself.",
        ),
        merchant: (
            "应答在最后一段丢失，系统正在重新送达。",
            "The answer was lost on the last hop and is being delivered again.",
        ),
        cardholder: (
            "银行已扣款，商户正在确认，请勿再次刷卡。",
            "Your bank has debited you; the shop is confirming. Do not pay again.",
        ),
        operator: (
            "应答发出时终端已断开，等待结果查询或冲正。",
            "The terminal had hung up; awaiting its result query or reversal.",
        ),
    },
    Row {
        id: "approved_unconfirmed",
        families: SALES,
        when: Situation::Unconfirmed,
        headline: (
            "发卡行已同意，等待收银台确认",
            "Approved. Waiting for the till to confirm",
        ),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Hold,
        owner: Owner::Terminal,
        cashier: (
            "屏幕显示成功才交货；没有显示就等终端恢复。",
            "Deliver only if the screen says paid; otherwise wait for the terminal to recover.",
        ),
        merchant: (
            "应答已发出，终端还没有回话。",
            "The answer was sent; the terminal has not spoken since.",
        ),
        cardholder: (
            "银行已扣款，商户正在确认，请勿再次刷卡。",
            "Your bank has debited you; the shop is confirming. Do not pay again.",
        ),
        operator: (
            "应答已发出，未收到终端的成交标记。",
            "Answer sent; no positive sign from the terminal yet.",
        ),
    },
    Row {
        id: "one_sided",
        families: SALES,
        when: Situation::OneSided,
        headline: (
            "发卡行已同意，收银台没有确认，已列入单边账 #{case}",
            "Approved, never confirmed by the till. One-sided item #{case}",
        ),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Hold,
        owner: Owner::Operations,
        cashier: (
            "请联系收单机构并报单号 #{case}，不要重新收款。",
            "Call the acquirer and quote #{case}. Do not charge again.",
        ),
        merchant: (
            "是否交货请告知收单机构，以便决定入账或退回。",
            "Tell the acquirer whether the goods were handed over, so that it can pay you or return the money.",
        ),
        cardholder: (
            "银行已扣款；若没有拿到商品，这笔钱会退回。",
            "Your bank has debited you; if you did not get the goods the money comes back.",
        ),
        operator: (
            "终端失联或说法不一致：核对终端流水后入账或退款。",
            "Terminal lost or in disagreement: check its journal, then settle or return.",
        ),
    },
    Row {
        id: "reversing_silent",
        families: SALES,
        when: Situation::ReversingSilent,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: (
            "不要交货，也不要再次刷卡，几秒内有结果。",
            "Do not deliver and do not present the card again; seconds.",
        ),
        merchant: (
            "请求或应答丢失，银行是否扣款未知，无论如何都会冲正。",
            "Request or answer was lost. Debited or not is unknown; it is reversed either way.",
        ),
        cardholder: (
            "若银行已扣款，冲正成功后退回原卡。",
            "If your bank debited you, the money returns to your card once reversed.",
        ),
        operator: (
            "上游无应答：请求丢失还是应答丢失尚不可知。",
            "Upstream silent: request or answer lost, not known which.",
        ),
    },
    Row {
        id: "reversing_network_gave_up",
        families: SALES,
        when: Situation::ReversingNetworkGaveUp,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: (
            "不要交货，也不要再次刷卡，几秒内有结果。",
            "Do not deliver and do not present the card again; seconds.",
        ),
        merchant: (
            "银联没有等到发卡行应答，可能已扣款，正在冲正。",
            "The network did not hear from the issuer, which may have debited. It is being reversed.",
        ),
        cardholder: (
            "手机可能已收到扣款短信；冲正成功后退回原卡。",
            "You may have had a debit message; the money returns to your card once reversed.",
        ),
        operator: (
            "银联报 98：断在银联与发卡行之间。",
            "The network said 98: broken between network and issuer.",
        ),
    },
    Row {
        id: "reversing_interrupted",
        families: SALES,
        when: Situation::ReversingInterrupted,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: (
            "不要交货，也不要再次刷卡，几秒内有结果。",
            "Do not deliver and do not present the card again; seconds.",
        ),
        merchant: (
            "收单系统重启时应答未到，正在冲正。",
            "The acquirer restarted before the answer came; it is being reversed.",
        ),
        cardholder: (
            "若银行已扣款，冲正成功后退回原卡。",
            "If your bank debited you, the money returns to your card once reversed.",
        ),
        operator: (
            "重启时仍在途，密码不落盘故不重发，改为冲正。",
            "In flight at restart; PINs are not stored, so it is reversed, not resent.",
        ),
    },
    Row {
        id: "reversing_replaced",
        families: SALES,
        when: Situation::ReversingReplaced,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: (
            "这一笔自动冲正，货款以另一笔为准。",
            "This one is reversed by itself; the other payment counts.",
        ),
        merchant: (
            "顾客已用现金或另一笔刷卡支付，本笔自动退回。",
            "The customer paid in cash or by another charge; this one goes back by itself.",
        ),
        cardholder: (
            "若银行已扣这一笔，冲正成功后退回原卡。",
            "If your bank debited this one, the money returns to your card once reversed.",
        ),
        operator: (
            "前置因替代支付发起冲正，等待发卡行应答。",
            "Started by us for the payment in its place; awaiting the issuer's word.",
        ),
    },
    Row {
        id: "giving_back",
        families: SALES,
        when: Situation::GivingBack,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::Suspended,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: ("不要再交货。", "Deliver nothing more."),
        merchant: (
            "收单运营人员经双人复核退回本笔，不再入账。",
            "The acquirer's staff give it back, two of them having checked; it is not paid out.",
        ),
        cardholder: (
            "款项正在退回原卡，发卡行确认后到账。",
            "The money is on its way back to your card, once your bank has confirmed.",
        ),
        operator: ("运营退回，等待应答。", "By staff; awaiting the issuer."),
    },
    Row {
        id: "reversing_for_terminal",
        families: SALES,
        when: Situation::ReversingForTerminal,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: ("不要交货，几秒内有结果。", "Do not deliver; seconds."),
        merchant: (
            "终端没有等到结果，已要求冲正。",
            "The terminal did not get the result and asked for a reversal.",
        ),
        cardholder: (
            "若银行已扣款，冲正成功后退回原卡。",
            "If your bank debited you, the money returns to your card once reversed.",
        ),
        operator: (
            "终端冲正先于上游应答。",
            "The terminal's reversal came before the upstream answer.",
        ),
    },
    Row {
        id: "reversing_approved",
        families: SALES,
        when: Situation::ReversingApproved,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::Suspended,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: ("不要交货，几秒内有结果。", "Do not deliver; seconds."),
        merchant: (
            "发卡行已扣款，终端要求冲正，款项退回持卡人。",
            "The issuer debited; the terminal asked for reversal; the money goes back.",
        ),
        cardholder: (
            "银行已扣款，正在退回原卡。",
            "Your bank debited you; the money is on its way back.",
        ),
        operator: (
            "已同意的交易按终端冲正退回。",
            "An approved sale is returned on the terminal's reversal.",
        ),
    },
    Row {
        id: "reversing_late_approval",
        families: SALES,
        when: Situation::ReversingLateApproval,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::Suspended,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: ("不要交货，几秒内有结果。", "Do not deliver; seconds."),
        merchant: (
            "迟到的成功应答不入账，款项退回持卡人。",
            "A late approval is not booked; the money goes back.",
        ),
        cardholder: (
            "银行已扣款，正在退回原卡。",
            "Your bank debited you; the money is on its way back.",
        ),
        operator: (
            "冲正发出后才收到成功应答，不改变结果。",
            "Approval after the reversal had left; it changes nothing.",
        ),
    },
    Row {
        id: "reversal_retrying",
        families: SALES,
        when: Situation::ReversalRetrying,
        headline: REVERSING,
        outcome: Outcome::Reversing,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Acquirer,
        cashier: (
            "不要交货，可改用其他方式付款。",
            "Do not deliver; another way of paying is safe.",
        ),
        merchant: (
            "上游尚未恢复，冲正会一直重发到确认。",
            "Upstream is not back; the reversal is repeated until confirmed.",
        ),
        cardholder: (
            "若银行已扣款，上游恢复后退回原卡。",
            "If your bank debited you, the money returns once the line is back.",
        ),
        operator: (
            "存储转发第 {attempts} 次，未放弃。",
            "Store-and-forward attempt {attempts}; never given up.",
        ),
    },
    Row {
        id: "reversed",
        families: SALES,
        when: Situation::Reversed,
        headline: (
            "自动冲正成功，款项将退回原卡",
            "Reversed. Money returns to the card",
        ),
        outcome: Outcome::Reversed,
        position: Position::Returned,
        goods: Goods::DoNotDeliver,
        owner: Owner::Nobody,
        cashier: (
            "不要交货；可以重新收款。",
            "Do not deliver. A new payment is safe.",
        ),
        merchant: ("这笔交易没有入账。", "This sale was not booked to you."),
        cardholder: ("银行确认已退回。", "Your bank confirmed the return."),
        operator: (
            "发卡行确认冲正：曾扣款，已退回。",
            "The issuer confirmed: it had debited and gave back.",
        ),
    },
    Row {
        id: "reversed_never_debited",
        families: SALES,
        when: Situation::ReversedNeverDebited,
        headline: (
            "自动冲正成功，银行没有扣款",
            "Reversed. The card was never debited",
        ),
        outcome: Outcome::Reversed,
        position: Position::Cardholder,
        goods: Goods::DoNotDeliver,
        owner: Owner::Nobody,
        cashier: (
            "不要交货；可以重新收款。",
            "Do not deliver. A new payment is safe.",
        ),
        merchant: ("这笔交易没有入账。", "This sale was not booked to you."),
        cardholder: (
            "银行确认没有扣过款。",
            "Your bank confirmed that nothing was debited.",
        ),
        operator: (
            "发卡行没有这笔交易或曾拒绝：请求在到达前丢失。",
            "The issuer has no such sale, or declined it: lost before it got there.",
        ),
    },
    Row {
        id: "reversal_refused",
        families: SALES,
        when: Situation::ReversalRefused,
        headline: (
            "冲正未完成，已转人工 #{case}",
            "Reversal not complete. Case #{case} opened",
        ),
        outcome: Outcome::ReversalRefused,
        position: Position::DebitedOrNot,
        goods: Goods::DoNotDeliver,
        owner: Owner::Operations,
        cashier: (
            "不要交货；可改用其他方式付款，单号 #{case}。",
            "Do not deliver; another way of paying is safe. Case #{case}.",
        ),
        merchant: (
            "发卡行拒绝冲正，运营人员当日处理。",
            "The issuer refused the reversal; operations act the same day.",
        ),
        cardholder: (
            "款项由人工退回，单号 #{case}。",
            "People are returning your money. Case #{case}.",
        ),
        operator: (
            "发卡行拒绝冲正：{reason}。第 {attempts} 次，仍在重发。",
            "The issuer refused the reversal: {reason}. Attempt {attempts}, still trying.",
        ),
    },
    Row {
        id: "declined",
        families: SALES,
        when: Situation::Declined,
        headline: ("交易未成功：{reason}", "Declined: {reason}"),
        outcome: Outcome::Declined,
        position: Position::Cardholder,
        goods: Goods::DoNotDeliver,
        owner: Owner::Nobody,
        cashier: (
            "没有扣款，请换一种付款方式。",
            "Nothing was debited. Use another way of paying.",
        ),
        merchant: ("这笔交易没有入账。", "This sale was not booked to you."),
        cardholder: ("没有扣款。", "Nothing was debited."),
        operator: ("上游拒绝：{reason}。", "Declined upstream: {reason}."),
    },
    Row {
        id: "declined_here",
        families: SALES,
        when: Situation::DeclinedHere,
        headline: ("交易未成功：{reason}", "Declined: {reason}"),
        outcome: Outcome::Declined,
        position: Position::Cardholder,
        goods: Goods::DoNotDeliver,
        owner: Owner::Nobody,
        cashier: (
            "请求没有离开收单机构，没有扣款。",
            "The request never left the acquirer. Nothing was debited.",
        ),
        merchant: ("这笔交易没有入账。", "This sale was not booked to you."),
        cardholder: ("没有扣款。", "Nothing was debited."),
        operator: (
            "收单前置拒绝：{reason}。",
            "Refused by the acquirer: {reason}.",
        ),
    },
    Row {
        id: "advice_on_its_way",
        families: SALES,
        when: Situation::AdviceOnItsWay,
        headline: (
            "已受理，正在送往发卡行",
            "Accepted. On its way to the issuer",
        ),
        outcome: Outcome::Unknown,
        position: Position::DebitedOrNot,
        goods: Goods::Deliver,
        owner: Owner::Acquirer,
        cashier: (
            "收银台已按成交处理，不必等待，不要重新收款。",
            "Done as far as the till is concerned. No need to wait; do not charge again.",
        ),
        merchant: (
            "发卡行还没有答复，系统会一直送到有答复为止。",
            "The issuer has not answered yet; it is sent until it does.",
        ),
        cardholder: (
            "商户已受理，银行扣款稍后完成。",
            "The shop has accepted it; your bank debits it later.",
        ),
        operator: (
            "通知类交易：已告知收银台，存储转发中，不会冲正。",
            "An advice: told as done at the till, stored and forwarded, never reversed.",
        ),
    },
    Row {
        id: "advice_taken",
        families: SALES,
        when: Situation::AdviceTaken,
        headline: ("交易成功，发卡行已入账", "Paid. The issuer has booked it"),
        outcome: Outcome::Approved,
        position: Position::AcquirerPayable,
        goods: Goods::Deliver,
        owner: Owner::Nobody,
        cashier: ("无需再做什么。", "Nothing more is to be done."),
        merchant: (
            "款项将按结算周期入账。",
            "The money is paid out with your next settlement.",
        ),
        cardholder: ("付款成功，只扣了一次。", "You have paid, once."),
        operator: ("发卡行已受理通知。", "The issuer took the advice."),
    },
    Row {
        id: "advice_refused",
        families: SALES,
        when: Situation::AdviceRefused,
        headline: (
            "收银台已按成交处理，但被拒绝：{reason}，须人工处理",
            "Done at the till, then refused: {reason}. People must act",
        ),
        outcome: Outcome::Declined,
        position: Position::Cardholder,
        goods: Goods::DoNotDeliver,
        owner: Owner::Operations,
        cashier: (
            "若尚未交货，请勿交货，并联系收单机构。",
            "If the goods are still here, do not deliver. Call the acquirer.",
        ),
        merchant: (
            "这笔通知没有入账，请保留凭证，由运营人员处理。",
            "This advice was not booked to you. Keep the slip; operations take it from here.",
        ),
        cardholder: (
            "银行没有为这笔通知扣款。",
            "Your bank debited nothing for this advice.",
        ),
        operator: (
            "通知被拒：{reason}。核对签单后追款或作废。",
            "The advice was refused: {reason}. Check the signed slip, then collect or drop it.",
        ),
    },
];
