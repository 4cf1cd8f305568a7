//! What is shown of one transaction: the verdict, the loop, the evidence. The same value as JSON and as text.

use acquirer::{SaleRecord, State};
use payment::evidence::{Confirmation, Delivery, ReversalCause, ReversalProgress, Upstream};
use payment::verdict::{self, Verdict};
use payment::{Amount, Kind, Stan, Statement, TerminalId, Wall, loop_picture};
use serde::Serialize;

pub use pages::SaleView;

/// Finds a sale by `terminal/trace`, `terminal/batch/trace`, retrieval reference number or link id.
pub fn find<'a>(state: &'a State, reference: &str) -> Option<&'a SaleRecord> {
    let parts: Vec<&str> = reference.split('/').collect();
    let number = |text: &str| text.parse::<u32>().ok();
    match parts.as_slice() {
        [link] if link.len() == 16 => state.find_link(payment::LinkId::parse(link)?),
        [rrn] => state.find_rrn(payment::Rrn::parse(rrn.as_bytes())?),
        [terminal, stan] => {
            state.find_trace(TerminalId::parse(terminal.as_bytes())?, Stan(number(stan)?))
        }
        [terminal, batch, stan] => {
            let (terminal, batch, stan) = (
                TerminalId::parse(terminal.as_bytes())?,
                number(batch)?,
                number(stan)?,
            );
            state.sales().find(|s| {
                s.key().terminal == terminal && s.key().batch.0 == batch && s.key().stan.0 == stan
            })
        }
        _ => None,
    }
}

/// What is known of a sale now.
pub fn of(sale: &SaleRecord, now: Wall) -> SaleView {
    let subject = Subject {
        key: sale.key().to_string(),
        rrn: sale.rrn.to_string(),
        kind: sale.request.kind,
        amount: sale.request.amount,
        card: sale.request.card.masked(),
        received: sale.received.wall,
        link: sale.link.map(|link| link.to_string()),
        evidence: evidence(sale),
    };
    told(
        subject,
        verdict::verdict(sale.request.kind, &sale.evidence),
        now,
    )
}

/// What a transaction is, whoever speaks of it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `terminal/batch/trace`.
    pub key: String,
    /// Field 37.
    pub rrn: String,
    /// Its kind.
    pub kind: Kind,
    /// Its amount.
    pub amount: Amount,
    /// Masked card.
    pub card: String,
    /// When it began.
    pub received: Wall,
    /// Link id of its e-slip.
    pub link: Option<String>,
    /// What the verdict rests on, zh-CN and en, strongest first.
    pub evidence: Vec<(String, String)>,
}

/// A transaction with its verdict.
pub fn told(subject: Subject, verdict: Verdict, now: Wall) -> SaleView {
    let Verdict {
        row,
        headline_zh,
        headline_en,
        outcome,
        receipt,
        position,
        goods,
        owner,
        due,
        lines,
        beads,
    } = verdict;
    let kind = subject.kind.row();
    let words = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
    SaleView {
        key: subject.key,
        rrn: subject.rrn,
        kind: words((kind.zh, kind.en)),
        amount_minor: subject.amount.minor,
        amount: subject.amount.to_string(),
        card: subject.card,
        received: subject.received.text(),
        as_of: now.text(),
        row: row.to_owned(),
        headline: (headline_zh, headline_en),
        outcome,
        receipt: name(&receipt),
        position: words(position.words()),
        position_id: name(&position),
        goods: words(goods.words()),
        goods_id: goods,
        owner: words(owner.words()),
        due: due.map(|ms| Wall(ms).text()),
        due_ms: due,
        lines,
        rail: kind.rail,
        beads,
        dots: loop_picture::dots(&beads),
        picture: (
            loop_picture::text(kind.rail, &beads, true),
            loop_picture::text(kind.rail, &beads, false),
        ),
        slip: receipt.words(),
        link: subject.link,
        evidence: subject.evidence,
    }
}

/// The serde name of a unit or newtype variant.
fn name<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Object(map)) => map
            .iter()
            .next()
            .map(|(k, v)| format!("{k}:{}", v.as_str().unwrap_or_default()))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// The evidence in words, strongest first, each line with its source.
fn evidence(sale: &SaleRecord) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut say = |zh: String, en: String| lines.push((zh, en));
    let e = &sale.evidence;
    match e.upstream {
        Upstream::NotSent(code) => say(
            format!("前置拒绝 {code}，没有发往银联"),
            format!("refused here with {code}; nothing was sent"),
        ),
        Upstream::Waiting => say(
            "已发往银联，应答未到，未超时".into(),
            "sent to the network; answer awaited, within the time-out".into(),
        ),
        Upstream::Declined(code) => say(
            format!("上游应答 {code}"),
            format!("upstream answered {code}"),
        ),
        Upstream::Approved => say("发卡行应答：同意".into(), "the issuer approved".into()),
        Upstream::Silent => say(
            "已发往银联，超时无应答".into(),
            "sent to the network; no answer within the time-out".into(),
        ),
        Upstream::NetworkGaveUp => say(
            "银联应答 98：没有等到发卡行".into(),
            "the network answered 98: it did not hear from the issuer".into(),
        ),
        Upstream::Interrupted => say(
            "重启时在途，应答无从得知".into(),
            "in flight when the acquirer restarted".into(),
        ),
    }
    if let Some(approval) = sale.answer.and_then(|a| a.approval) {
        say(
            format!("授权码 {approval}"),
            format!("approval code {approval}"),
        );
    }
    if e.late_approval {
        say(
            "冲正发出后收到迟到的同意应答".into(),
            "an approval arrived after the reversal had left".into(),
        );
    }
    match e.delivery {
        Delivery::NotYet => {}
        Delivery::Sent => say(
            "应答已发给终端".into(),
            "the answer was sent to the terminal".into(),
        ),
        Delivery::HungUp => say(
            "发应答时终端已断开".into(),
            "the terminal had hung up before the answer".into(),
        ),
        Delivery::Recovered => say(
            "经结果查询重新送达".into(),
            "delivered again as the answer to a result query".into(),
        ),
    }
    match e.confirmation {
        Confirmation::None => {}
        Confirmation::Implied => say(
            "终端的下一笔报文表明它已有结果".into(),
            "the terminal's next message implies that it has the outcome".into(),
        ),
        Confirmation::Settled => say(
            "终端的批次里也有这一笔，金额一致".into(),
            "the terminal's batch holds it too, with the same amount".into(),
        ),
        Confirmation::Signed(outcome, slip) => {
            let (zh, en) = slip.trouble.words();
            say(
                format!("终端成交标记 {outcome:?}，小票证据 E{} {zh}", slip.level)
                    .trim_end()
                    .to_owned(),
                format!(
                    "the terminal's sign: {outcome:?}, slip evidence E{} {en}",
                    slip.level
                )
                .trim_end()
                .to_owned(),
            );
        }
    }
    if let Some(reversal) = e.reversal {
        let (zh, en) = match reversal.cause {
            ReversalCause::Terminal(reason) => (
                format!("终端要求冲正，原因 {reason}"),
                format!("the terminal asked for reversal, reason {reason}"),
            ),
            ReversalCause::Replaced => (
                "已用其他方式支付，前置发起冲正".to_owned(),
                "paid another way; the acquirer started the reversal".to_owned(),
            ),
            ReversalCause::Staff(proposal) => (
                format!("收单运营人员退回，复核申请 {proposal}"),
                format!("given back by the acquirer's staff, proposal {proposal}"),
            ),
            ReversalCause::Upstream => (
                "前置发起冲正".to_owned(),
                "the acquirer started the reversal".to_owned(),
            ),
        };
        say(
            format!("{zh}，已发 {} 次", reversal.attempts),
            format!("{en}; {} attempt(s)", reversal.attempts),
        );
        match reversal.progress {
            ReversalProgress::Open => say(
                "发卡行尚未确认冲正".into(),
                "the issuer has not confirmed the reversal yet".into(),
            ),
            ReversalProgress::Confirmed(code) => say(
                format!("发卡行确认冲正 {code}"),
                format!("the issuer confirmed the reversal with {code}"),
            ),
            ReversalProgress::Refused(code) => say(
                format!("发卡行拒绝冲正 {code}"),
                format!("the issuer refused the reversal with {code}"),
            ),
        }
    }
    if e.duplicates > 0 {
        say(
            format!("同一请求重复收到 {} 次，只处理一次", e.duplicates),
            format!(
                "the same request came {} time(s) again and acted once",
                e.duplicates
            ),
        );
    }
    for statement in Statement::ALL {
        if let Some(at) = sale.declared.at(statement) {
            let ((zh, en), at) = (statement.words(), at.text());
            say(
                format!("{zh}（{at}，人工证据）"),
                format!("{en} ({at}, a human's word)"),
            );
        }
    }
    lines
}

/// The view as text in one language.
pub fn text(view: &SaleView, zh: bool) -> String {
    use std::fmt::Write;
    let pick = |pair: &(String, String)| if zh { pair.0.clone() } else { pair.1.clone() };
    let mut out = String::new();
    let label = |zh_label: &str, en_label: &str| {
        if zh {
            zh_label.to_owned()
        } else {
            en_label.to_owned()
        }
    };
    let _ = writeln!(out, "{}", pick(&view.headline));
    let _ = writeln!(out, "{}", pick(&view.lines[0]));
    let _ = writeln!(out);
    for line in pick(&view.picture).lines() {
        let _ = writeln!(out, "  {line}");
    }
    let _ = writeln!(out);
    let due = view.due.as_ref().map_or(String::new(), |due| {
        format!("{}{due}", label("，不晚于 ", ", by "))
    });
    let rows = [
        (
            label("交易", "what"),
            format!(
                "{} {} {} {}",
                view.key,
                pick(&view.kind),
                view.amount,
                view.card
            ),
        ),
        (label("参考号", "RRN"), view.rrn.clone()),
        (label("钱在哪里", "money"), pick(&view.position)),
        (label("小票", "slip"), pick(&view.slip)),
        (label("货物", "goods"), pick(&view.goods)),
        (
            label("下一步", "next"),
            format!("{}{due}", pick(&view.owner)),
        ),
        (label("收到请求", "received"), view.received.clone()),
        (label("截至", "as of"), view.as_of.clone()),
        (
            label("电子小票", "e-slip"),
            view.link.clone().unwrap_or_else(|| "–".to_owned()),
        ),
    ];
    for (name, value) in rows {
        let columns: usize = name.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        let _ = writeln!(
            out,
            "  {name}{} {value}",
            " ".repeat(10usize.saturating_sub(columns))
        );
    }
    let _ = writeln!(out, "\n  {}", label("证据", "evidence"));
    for line in &view.evidence {
        let _ = writeln!(out, "  · {}", pick(line));
    }
    let titles = [
        ("商户", "merchant"),
        ("持卡人", "cardholder"),
        ("运营", "operator"),
    ];
    let _ = writeln!(out);
    for ((zh_title, en_title), line) in titles.iter().zip(&view.lines[1..]) {
        let title = label(zh_title, en_title);
        let columns: usize = title
            .chars()
            .map(|c| if c.is_ascii() { 1 } else { 2 })
            .sum();
        let _ = writeln!(
            out,
            "  {title}{} {}",
            " ".repeat(10usize.saturating_sub(columns)),
            pick(line)
        );
    }
    out
}
