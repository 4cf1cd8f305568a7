//! The pages of e-slips: HTML that works without scripts, zh-CN first with English beside it, one picture for phone and paper.
//!
//! Everything that comes from outside is escaped where it enters the page; no page holds more of a card than four digits.

use super::found::{Event, Found, Status};
use payment::certificate::Signed;
use payment::verdict::{Family, Outcome};
use payment::{Certificate, Wall, loop_picture};
use receipt::slip::{Align, Row, Size, Wording};
use receipt::{Paper, Slip, Title};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");
const VERIFY: &str = include_str!("../../../../docs/verify.html");

/// zh-CN and en.
type Words<'a> = (&'a str, &'a str);

/// The e-slip of a sale.
pub(super) fn eslip(found: &Found, merchant: &str, certificates: &[Signed], sends: bool) -> String {
    let body = format!(
        "<main><div>{}{}{}</div><div>{}{}{}{}</div></main>",
        verdict(found, merchant),
        format_args!(
            "{}<p class=\"screen\"><a href=\"/r/{}/slip.svg\">图片版 <span lang=\"en\">As a picture</span></a></p>",
            document(found, merchant).html(),
            found.link
        ),
        way(&found.status),
        timeline(&found.events),
        bank(found),
        if sends { form(found) } else { String::new() },
        proofs(certificates),
    );
    page(("电子小票", "E-slip"), &body)
}

fn verdict(found: &Found, merchant: &str) -> String {
    let Status {
        headline,
        line,
        position,
        outcome,
        ..
    } = &found.status;
    let (tone, mark, words) = tone(*outcome, found.family);
    format!(
        "<section class=\"verdict {tone}\"><p class=\"mark\">{mark} {}</p><h1>{}</h1><span lang=\"en\">{}</span>\
         <p class=\"amount\">{}</p><p class=\"said\">{}</p><p class=\"said\"><b>钱在哪里：</b>{}\
         <span lang=\"en\">Where the money is: {}</span></p><p class=\"age\">{} · {}</p></section>",
        both(words),
        text(&headline.0),
        text(&headline.1),
        text(&found.amount),
        both((&line.0, &line.1)),
        text(&position.0),
        text(&position.1),
        text(merchant),
        day(found.received),
    )
}

/// Class, sign and words of an outcome; colour never speaks alone.
const fn tone(
    outcome: Outcome,
    family: Option<Family>,
) -> (&'static str, &'static str, Words<'static>) {
    match (outcome, family) {
        (Outcome::Approved, Some(Family::Sale)) => ("closed", "✓", ("已付款", "Paid")),
        (Outcome::Approved, Some(Family::Return)) => ("closed", "↩", ("已退回", "Given back")),
        (Outcome::Approved, Some(Family::Hold)) => ("closed", "✓", ("已冻结", "Held")),
        (Outcome::Approved, Some(Family::Release)) => ("closed", "✓", ("已解冻", "Released")),
        (Outcome::Approved, _) => ("closed", "✓", ("已成功", "Done")),
        (Outcome::Reversed, Some(Family::Sale)) => ("closed", "↩", ("已退回", "Given back")),
        (Outcome::Reversed, _) => ("closed", "↩", ("已冲正", "Reversed")),
        (Outcome::Declined, Some(Family::Sale)) => ("stop", "✕", ("未付款", "Not paid")),
        (Outcome::Declined, _) => ("stop", "✕", ("未成功", "Declined")),
        (Outcome::Unknown, _) => ("wait", "◐", ("正在确认", "Being checked")),
        (Outcome::Reversing, Some(Family::Sale)) => ("wait", "◐", ("正在退回", "Being given back")),
        (Outcome::Reversing, _) => ("wait", "◐", ("正在冲正", "Being reversed")),
        (Outcome::ReversalRefused, _) => ("stop", "▲", ("人工处理中", "With our staff")),
    }
}

/// The slip as a document: the page shows it as text, and it is there as a picture.
fn document(found: &Found, merchant: &str) -> Slip {
    let two = |(zh, en): Words<'_>| Wording::Two(zh.to_owned(), en.to_owned());
    let one = |value: &str| Wording::One(value.to_owned());
    let pair = |label, value: &str| Row::Pair {
        label: two(label),
        value: one(value),
        size: Size::Normal,
    };
    let said = |words, size| Row::Text {
        words,
        align: Align::Centre,
        size,
        bold: false,
    };
    let title = match found.status.outcome {
        Outcome::Reversed => Title::ReversalProof,
        Outcome::Declined => Title::Declined,
        Outcome::Approved => Title::Purchase,
        Outcome::Unknown | Outcome::Reversing | Outcome::ReversalRefused => Title::Pending,
    };
    let headline = (
        found.status.headline.0.as_str(),
        found.status.headline.1.as_str(),
    );
    let number = match found.scanned {
        true => ("付款码", "PAYMENT CODE"),
        false => ("卡号", "CARD NO"),
    };
    let mut rows = vec![
        Row::Title(two(title.words())),
        said(two(("持卡人存根", "CARDHOLDER COPY")), Size::Normal),
        Row::Rule,
        pair(("商户名称", "MERCHANT NAME"), merchant),
        pair(("商户编号", "MERCHANT NO"), &found.merchant),
        pair(("终端编号", "TERMINAL NO"), &found.terminal),
        Row::Rule,
        pair(number, &format!("**** {}", found.last4)),
        Row::Pair {
            label: two(("交易类型", "TXN TYPE")),
            value: two((&found.kind.0, &found.kind.1)),
            size: Size::Normal,
        },
        pair(("批次号", "BATCH NO"), &format!("{:06}", found.batch)),
        pair(("凭证号", "VOUCHER NO"), &format!("{:06}", found.stan)),
    ];
    rows.extend(
        found
            .approval
            .iter()
            .map(|code| pair(("授权码", "AUTH NO"), code)),
    );
    rows.extend([
        pair(("交易参考号", "REF. NO"), &found.rrn),
        pair(("日期/时间", "DATE/TIME"), &found.received.text()),
        Row::Rule,
        Row::Pair {
            label: two(("金额", "AMOUNT")),
            value: one(&found.amount.replace('¥', "￥")),
            size: Size::Double,
        },
        said(two(headline), Size::Normal),
    ]);
    Slip::new(Paper::Mm58, receipt::Language::Both, rows)
}

/// The slip as a picture.
pub(super) fn picture(found: &Found, merchant: &str) -> Option<String> {
    document(found, merchant).substituted().svg().ok()
}

fn way(status: &Status) -> String {
    let Some((rail, beads)) = &status.picture else {
        return String::new();
    };
    format!(
        "<section class=\"loop screen\"><h2>{}</h2>{}</section>",
        both(("这笔交易走过的路", "The way it went")),
        loop_picture::svg(*rail, beads, true)
    )
}

fn timeline(events: &[Event]) -> String {
    let mut items = String::new();
    for Event { at, words, times } in events {
        let (zh, en) = match times {
            1 => (words.0.to_owned(), words.1.to_owned()),
            times => (
                format!("{}（{times} 次）", words.0),
                format!("{} ({times} times)", words.1),
            ),
        };
        let _ = write!(
            items,
            "<li><div>{}<span lang=\"en\">{}</span><time>{}</time></div></li>",
            text(&zh),
            text(&en),
            at.text()
        );
    }
    format!(
        "<section class=\"screen\"><h2>{}</h2><ol>{items}</ol></section>",
        both(("经过", "What happened"))
    )
}

/// What the bank understands.
fn bank(found: &Found) -> String {
    format!(
        "<section class=\"screen\"><h2>{}</h2><p class=\"bank\">{}</p><p>{} {} · {} · {}</p></section>",
        both(("问银行时请报参考号", "The number your bank understands")),
        text(&found.rrn),
        both((
            "日期、金额、卡号末四位一并报出：",
            "with date, amount and last four digits:"
        )),
        day(found.received),
        text(&found.amount),
        text(&found.last4),
    )
}

/// Where the cardholder asks for the link.
fn form(found: &Found) -> String {
    format!(
        "<section class=\"screen\"><h2>{}</h2><form method=\"post\" action=\"/r/{}/send\"><label for=\"to\">{}</label>\
         <input id=\"to\" name=\"to\" type=\"text\" inputmode=\"email\" autocomplete=\"off\" maxlength=\"120\" required>\
         <label class=\"consent\"><input type=\"checkbox\" name=\"consent\" value=\"yes\" required><span>{}</span></label>\
         <button>发送链接 · Send the link</button></form></section>",
        both(("发到我的手机或邮箱", "Send it to me")),
        found.link,
        both(("手机号或邮箱", "Telephone number or mail address")),
        both((
            "同意用它发送这张电子小票的链接，仅此一用，送达后即删除。",
            "Use it to send the link of this e-slip, for nothing else, and delete it once it has arrived."
        )),
    )
}

/// What a message without consent is answered.
pub(super) const CONSENT_WANTED: Words<'static> = ("请勾选同意", "Tick the box to agree");

/// The message is in the outbox.
pub(super) fn sent(found: &Found) -> String {
    back(
        found,
        "closed",
        ("正在发送", "It is being sent"),
        (
            "链接会在几分钟内送达，其中没有任何卡片信息。",
            "The link arrives within minutes. It says nothing of your card.",
        ),
    )
}

/// The message was not taken.
pub(super) fn not_sent(found: &Found, why: Words<'_>) -> String {
    back(found, "wait", ("没有发送", "Not sent"), why)
}

fn back(found: &Found, tone: &str, title: Words<'_>, said: Words<'_>) -> String {
    let body = format!(
        "<main class=\"one\"><section class=\"verdict {tone}\"><h1>{}</h1><span lang=\"en\">{}</span><p class=\"said\">{}</p>\
         <p class=\"said\"><a href=\"/r/{}\">返回电子小票 <span lang=\"en\">Back to the e-slip</span></a></p></section></main>",
        title.0,
        title.1,
        both(said),
        found.link,
    );
    page(title, &body)
}

fn proofs(certificates: &[Signed]) -> String {
    let certificates = certificates.iter().rev();
    let shown = certificates.filter_map(|signed| {
        let certificate = Certificate::of_payload(&signed.payload).ok()?;
        Some(proof(&certificate, &signed.text()))
    });
    let shown: String = shown.collect();
    if shown.is_empty() {
        return shown;
    }
    format!(
        "<section><h2>{}</h2><p class=\"screen\">{}</p>{shown}<p class=\"screen\"><a href=\"/verify\">核验凭证 \
         <span lang=\"en\">Check a certificate</span></a></p></section>",
        both(("结果凭证", "Outcome certificate")),
        both((
            "收单机构签名的结果，谁都可以核验，不用联网，也不用问任何人。签发之后若有变化，会另有一张新凭证。",
            "The outcome, signed by the acquirer. Anyone can check it, offline. A later change brings a new certificate."
        )),
    )
}

fn proof(certificate: &Certificate, signed: &str) -> String {
    let (zh, en) = certificate.outcome.words();
    let code = Row::Qr {
        payload: signed.to_owned(),
        caption: Wording::Two(
            format!("第 {} 号：{zh}", certificate.number),
            format!("No. {}: {en}", certificate.number),
        ),
    };
    format!(
        "<div class=\"proof\"><p><b>№ {}</b> · {} · {}</p>{}</div>",
        certificate.number,
        both((zh, en)),
        certificate.at.text(),
        Slip::new(Paper::Mm58, receipt::Language::Both, vec![code]).html(),
    )
}

/// There is no such e-slip.
pub(super) fn missing() -> String {
    plain(
        ("没有这张电子小票", "There is no such e-slip"),
        (
            "请再扫一次小票或收银机上的码，或核对链接末尾的 16 个字符。仍然没有，请向商户索取小票，或凭银行的扣款记录询问商户。没有小票不等于没有付款，也不要因此再付一次。",
            "Scan the code on the slip or the till again, or compare the 16 characters at the end of the link. Still nothing? Ask the shop for the slip, or show it your bank's record. A missing slip does not mean that you have not paid: do not pay again because of it.",
        ),
    )
}

/// Too many pages from one peer.
pub(super) fn too_often() -> String {
    plain(
        ("请求太频繁", "Too many requests"),
        ("请一分钟后再试。", "Try again in a minute."),
    )
}

/// The archive does not answer.
pub(super) fn unavailable() -> String {
    plain(
        ("暂时查不到", "Not available at the moment"),
        (
            "您的付款不受影响，请稍后再打开本页。",
            "Your payment is not affected. Open this page again in a while.",
        ),
    )
}

fn plain(title: Words<'_>, said: Words<'_>) -> String {
    let body = format!(
        "<main class=\"one\"><section class=\"verdict wait\"><h1>{}</h1><span lang=\"en\">{}</span><p class=\"said\">{}</p></section></main>",
        title.0,
        title.1,
        both(said)
    );
    page(title, &body)
}

/// The page that checks certificates; it asks nobody, so the key is written into it.
pub(super) fn verify(key: Option<&str>) -> String {
    VERIFY.replacen(
        "value=\"\"",
        &format!("value=\"{}\"", key.unwrap_or_default()),
        1,
    )
}

fn page(title: Words<'_>, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex,nofollow\"><title>{} · {} · 存根</title><style>{STYLE}</style></head><body>\
         <header><b>存根</b><span>{} <span lang=\"en\">{}</span></span></header>{body}\
         <footer>存根 Counterfoil · 本页不显示完整卡号 <span lang=\"en\">No full card number is shown here.</span></footer></body></html>",
        title.0, title.1, title.0, title.1
    )
}

fn both((zh, en): Words<'_>) -> String {
    format!("{} <span lang=\"en\">{}</span>", text(zh), text(en))
}

/// A date as people say it, with its weekday.
fn day(at: Wall) -> String {
    const DAYS: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    let local = at.local();
    let weekday = DAYS[local.weekday().to_monday_zero_offset() as usize % 7];
    format!(
        "{} 年 {} 月 {} 日（{weekday}）{:02}:{:02}:{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )
}

/// Text of a page: nothing in it can be markup.
pub(super) fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
