//! The words of the acquirer's timeline: every event of the archive in both languages.
//!
//! An event without a row here is shown to nobody but the operator, by its name.

/// What may stand in `event.what`, each with its words in zh-CN and en.
pub const EVENTS: [(&str, &str, &str); 29] = [
    (
        "forwarded",
        "已接受，发往银联",
        "accepted and sent to the network",
    ),
    (
        "ordered",
        "已接受，发往钱包",
        "accepted and sent to the wallet",
    ),
    (
        "order_shown",
        "收款码已出示",
        "the order's QR code is shown",
    ),
    (
        "user_paying",
        "等待顾客在手机上确认",
        "the customer is being asked",
    ),
    (
        "order_ending",
        "开始关闭或撤销订单",
        "the order is being closed or revoked",
    ),
    ("order_ended", "钱包订单结束", "the wallet's order ended"),
    (
        "paid_late",
        "订单结束后才付款，自动退款",
        "paid after the order had ended; the money goes back by itself",
    ),
    ("refunding", "发出退款", "a refund was asked for"),
    (
        "refund_answered",
        "钱包答复退款",
        "the wallet answered the refund",
    ),
    (
        "refused",
        "前置拒绝，没有发出",
        "refused here; nothing was sent",
    ),
    (
        "repeated",
        "同一请求再次收到",
        "the same request came again",
    ),
    ("answered", "收到上游应答", "upstream answered"),
    (
        "not_sent",
        "请求确定没有发出",
        "the request certainly did not leave",
    ),
    ("reversing", "开始冲正", "a reversal was started"),
    (
        "waiting",
        "终端等待冲正结果",
        "a terminal waits for the reversal",
    ),
    (
        "late_approval",
        "冲正之后收到迟到的同意",
        "an approval came after the reversal",
    ),
    (
        "reversal_tried",
        "发出冲正通知",
        "a reversal advice was sent",
    ),
    (
        "deferred",
        "通知没有得到答复，稍后再送",
        "nobody answered the advice; it goes again",
    ),
    ("advice_tried", "再次送出通知", "the advice was sent again"),
    (
        "reversal_answered",
        "发卡行答复冲正",
        "the issuer answered the reversal",
    ),
    (
        "tombstone",
        "收到未知交易的冲正，此后拒绝该交易",
        "a sale never seen was reversed; it is refused from now on",
    ),
    ("delivered", "最后一程的消息", "news of the last hop"),
    (
        "confirmed",
        "终端回报成交",
        "the terminal said how it ended",
    ),
    ("one_sided", "列入单边账", "entered the one-sided queue"),
    ("certified", "签发结果凭证", "the outcome was certified"),
    (
        "declared_paid_cash",
        "持卡人声明：另外付了现金",
        "the cardholder said: paid in cash too",
    ),
    (
        "declared_not_me",
        "持卡人声明：不是本人交易",
        "the cardholder said: this was not me",
    ),
    (
        "staff_asked_now",
        "运营人员要求立即再问",
        "staff asked for it again at once",
    ),
    (
        "staff_gave_back",
        "运营人员退回，经另一人复核",
        "staff gave it back; a second person approved",
    ),
];

/// The words of an event, zh-CN and en.
pub fn event_words(what: &str) -> Option<(&'static str, &'static str)> {
    EVENTS
        .iter()
        .find(|(name, ..)| *name == what)
        .map(|(_, zh, en)| (*zh, *en))
}
