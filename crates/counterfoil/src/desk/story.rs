//! The story of one sale, told from its record and from what the archives say: hops, messages, evidence, rows.

use super::facts::{Event, Facts};
use super::tap::{MESSAGES_MAX, Tap, clock_ms};
use crate::view;
use acquirer::SaleRecord;
use pages::chip::Tone;
use pages::console::remedy::Offers;
use pages::console::sale::{AuditRow, Proof, SalePage};
use pages::console::sequence::{Lane, Step};
use pages::console::timeline::{Bar, Timeline};
use payment::Wall;
use payment::evidence::{Confirmation, Delivery, Upstream};
use payment::kind::Rail;

/// Everything of one sale.
pub(super) fn tell(
    (sale, now, budget_ms): (&SaleRecord, Wall, u64),
    merchant: String,
    facts: &Facts,
    tap: &Tap,
    offers: Offers,
) -> SalePage {
    let view = view::of(sale, now);
    SalePage {
        left_ms: view.due_ms.map(|due| due - now.0),
        sale: view,
        merchant,
        timeline: timeline(sale, now, budget_ms, facts),
        steps: steps(sale, facts),
        messages: tap.of(sale),
        messages_kept: MESSAGES_MAX,
        books: facts.books(),
        proofs: proofs(facts),
        slip: slip(sale, facts),
        slip_picture: facts.slip.is_some(),
        offers,
        declared: sale.declared,
        audit: facts.events.iter().map(row).collect(),
    }
}

fn row(event: &Event) -> AuditRow {
    AuditRow {
        place: event.place,
        at: clock_ms(Wall(event.at)),
        what: event.words(),
        detail: event.detail.clone(),
    }
}

/// Bars between moments that were written down.
struct Hops {
    start: i64,
    bars: Vec<Bar>,
}

impl Hops {
    fn bar(&mut self, name: (&str, &str), from: i64, to: Option<i64>, tone: Tone) -> &mut Bar {
        let since = |at: i64| (at - self.start).max(0) as u64;
        self.bars.push(Bar {
            name: (name.0.to_owned(), name.1.to_owned()),
            from_ms: since(from),
            to_ms: to.map(since),
            tone,
            note: None,
        });
        self.bars.last_mut().expect("it was pushed")
    }
}

fn timeline(sale: &SaleRecord, now: Wall, budget_ms: u64, facts: &Facts) -> Timeline {
    let received = sale.received.wall.0;
    let start = facts
        .terminal
        .as_ref()
        .map_or(received, |till| till.started.min(received));
    let mut hops = Hops {
        start,
        bars: Vec::new(),
    };
    if let Some(till) = &facts.terminal {
        hops.bar(
            ("POS → 前置", "POS → acquirer"),
            till.started,
            Some(received),
            Tone::Closed,
        );
    }
    upstream(&mut hops, sale, now, facts);
    reversal(&mut hops, facts);
    last_hop(&mut hops, sale, facts);
    let ends = hops.bars.iter().map(|bar| bar.to_ms.unwrap_or(bar.from_ms));
    let mut length_ms = ends.max().unwrap_or(0);
    if hops.bars.iter().any(|bar| bar.to_ms.is_none()) {
        // What lasts is drawn to now, but no longer than what it can be compared with.
        let lasting = (now.0 - start).max(0) as u64;
        length_ms = length_ms.max(lasting.min(length_ms.max(budget_ms).saturating_mul(2)));
    }
    let answered = sale
        .answer
        .map(|answer| (answer.at.0 - received).max(0) as u64);
    Timeline {
        start: clock_ms(Wall(start)),
        length_ms: length_ms.max(1),
        bars: hops.bars,
        answered_ms: answered.filter(|_| sale.host.is_some()),
        budget_ms,
    }
}

/// From the acquirer to its answer: hop by hop where the others' archives tell, else as one.
fn upstream(hops: &mut Hops, sale: &SaleRecord, now: Wall, facts: &Facts) {
    let received = sale.received.wall.0;
    let answered = sale.answer.map(|answer| answer.at.0);
    let beyond = match sale.request.kind.row().rail {
        Rail::Card => ("前置 ⇄ 银联", "acquirer ⇄ network"),
        Rail::Wallet => ("前置 ⇄ 钱包", "acquirer ⇄ wallet"),
    };
    let silent = matches!(
        sale.evidence.upstream,
        Upstream::Silent | Upstream::Interrupted
    );
    if let Upstream::NotSent(code) = sale.evidence.upstream {
        let bar = hops.bar(
            ("前置拒绝，没有发出", "refused here, not sent"),
            received,
            answered,
            Tone::Stop,
        );
        bar.note = Some((format!("应答 {code}"), format!("answered {code}")));
        return;
    }
    let lost = |bar: &mut Bar, until: i64, from: i64| {
        let seconds = (until - from).max(0) / 100;
        let seconds = format!("{}.{}", seconds / 10, seconds % 10);
        bar.note = Some((
            format!("{seconds} s 无回应"),
            format!("{seconds} s, no answer"),
        ));
    };
    let Some(network) = &facts.network else {
        let tone = if silent {
            Tone::Stop
        } else if answered.is_some() {
            Tone::Closed
        } else {
            Tone::Wait
        };
        let bar = hops.bar(beyond, received, answered, tone);
        if silent {
            lost(bar, answered.unwrap_or(now.0), received);
        }
        return;
    };
    hops.bar(
        ("前置 → 银联", "acquirer → network"),
        received,
        Some(network.at),
        Tone::Closed,
    );
    let late = facts.issuer.as_ref().filter(|issuer| {
        network.state == "timed_out" && network.answered.is_some_and(|at| issuer.at >= at)
    });
    if let (Some(issuer), Some(until)) = (late, network.answered) {
        let waited = ("银联 ⇄ 发卡行", "network ⇄ issuer");
        lost(
            hops.bar(waited, network.at, Some(until), Tone::Stop),
            until,
            network.at,
        );
        let told = ("发卡行迟到的应答", "the issuer's late answer");
        hops.bar(told, network.at, Some(issuer.at), Tone::Wait);
        return;
    }
    if let Some(issuer) = &facts.issuer {
        hops.bar(
            ("银联 → 发卡行", "network → issuer"),
            network.at,
            Some(issuer.at),
            Tone::Closed,
        );
    }
    let asked = facts.issuer.as_ref().map_or(network.at, |issuer| issuer.at);
    let back = match facts.issuer {
        Some(_) => ("发卡行 → 银联", "issuer → network"),
        None => ("银联 ⇄ 发卡行", "network ⇄ issuer"),
    };
    match (network.state.as_str(), network.answered) {
        ("timed_out", at) => {
            let until = at.unwrap_or(now.0);
            lost(hops.bar(back, asked, Some(until), Tone::Stop), until, asked);
        }
        (_, Some(at)) => {
            hops.bar(back, asked, Some(at), Tone::Closed);
        }
        (_, None) => {
            hops.bar(back, asked, answered, Tone::Wait);
        }
    }
    let (Some(at), Some(answered)) = (network.answered, answered) else {
        return;
    };
    let bar = hops.bar(
        ("银联 → 前置", "network → acquirer"),
        at,
        Some(answered),
        if silent { Tone::Stop } else { Tone::Closed },
    );
    if silent {
        lost(bar, answered, at);
    }
}

/// Every attempt at the reversal up to the next one, or to its answer.
fn reversal(hops: &mut Hops, facts: &Facts) {
    let of = |event: &&Event| matches!(event.what.as_str(), "reversal_tried" | "reversal_answered");
    let events: Vec<&Event> = facts.events.iter().filter(of).collect();
    let attempts = events
        .iter()
        .filter(|event| event.what == "reversal_tried")
        .count();
    let mut attempt = 0;
    for (n, event) in events.iter().enumerate() {
        if event.what != "reversal_tried" {
            continue;
        }
        attempt += 1;
        // Attempts between the first and the last ones tell nothing new.
        if attempt > ATTEMPTS_DRAWN && attempt < attempts {
            continue;
        }
        let next = events.get(n + 1);
        let done = next.is_some_and(|next| next.what == "reversal_answered");
        let (zh, en) = (
            format!("冲正 0420 第 {attempt} 次"),
            format!("reversal 0420, attempt {attempt}"),
        );
        let until = next.map(|next| next.at);
        hops.bar(
            (&zh, &en),
            event.at,
            until,
            if done { Tone::Closed } else { Tone::Wait },
        );
    }
}

/// Attempts that are drawn one by one.
const ATTEMPTS_DRAWN: usize = 4;

/// From the answer to what the till said of it.
fn last_hop(hops: &mut Hops, sale: &SaleRecord, facts: &Facts) {
    let Some(answer) = sale.answer else { return };
    let confirmed = facts.events.iter().find(|event| event.what == "confirmed");
    let name = ("前置 → POS → 回报", "acquirer → POS → its word");
    match (
        confirmed,
        sale.evidence.delivery,
        sale.evidence.confirmation,
    ) {
        (Some(event), ..) => {
            hops.bar(name, answer.at.0, Some(event.at), Tone::Closed);
        }
        (None, Delivery::HungUp, _) => {
            let bar = hops.bar(name, answer.at.0, Some(answer.at.0), Tone::Stop);
            bar.note = Some(("终端已断开".into(), "the till had hung up".into()));
        }
        (None, Delivery::Sent | Delivery::Recovered, Confirmation::None) if sale.stands() => {
            hops.bar(name, answer.at.0, None, Tone::Wait);
        }
        _ => {}
    }
}

/// Who said what, in the order of time.
fn steps(sale: &SaleRecord, facts: &Facts) -> Vec<Step> {
    let mut told = Told(Vec::new());
    let row = sale.request.kind.row();
    let (request, answer) = (row.mti.to_string(), row.mti.response().to_string());
    let received = sale.received.wall.0;
    let (zh, en) = (
        format!("{request} {}", row.zh),
        format!("{request} {}", row.en),
    );
    use Lane::{Acquirer, Issuer, Network, Terminal};
    told.step(received, Terminal, Acquirer, (&zh, &en));
    if sale.host.is_some() {
        told.step(received, Acquirer, Network, (&request, &request));
    }
    if let Some(issuer) = &facts.issuer {
        told.step(
            facts
                .network
                .as_ref()
                .map_or(issuer.at, |network| network.at),
            Network,
            Issuer,
            (&request, &request),
        );
        let text = format!("{answer} {}", issuer.code);
        told.step(issuer.at, Issuer, Network, (&text, &text));
    }
    for event in &facts.events {
        told.event(event, &answer);
    }
    let silent = matches!(
        sale.evidence.upstream,
        Upstream::Silent | Upstream::Interrupted
    );
    if let Some(first) = sale.answer {
        let text = format!("{answer} {}", first.code);
        if silent {
            told.step(
                first.at.0,
                Network,
                Acquirer,
                ("无应答，超时", "no answer, timed out"),
            )
            .lost = true;
        }
        let lost = sale.evidence.delivery == Delivery::HungUp;
        told.step(first.at.0, Acquirer, Terminal, (&text, &text))
            .lost = lost;
    }
    told.0.sort_by_key(|(at, _)| *at);
    told.0
        .into_iter()
        .take(STEPS_MAX)
        .map(|(_, step)| step)
        .collect()
}

/// Steps of a diagram; what comes after them is in the rows of the journal.
const STEPS_MAX: usize = 40;

struct Told(Vec<(i64, Step)>);

impl Told {
    fn step(&mut self, at: i64, from: Lane, to: Lane, text: (&str, &str)) -> &mut Step {
        let step = Step {
            at: clock_ms(Wall(at)),
            from,
            to,
            text: (text.0.to_owned(), text.1.to_owned()),
            lost: false,
        };
        self.0.push((at, step));
        &mut self.0.last_mut().expect("it was pushed").1
    }

    fn event(&mut self, event: &Event, answer: &str) {
        use Lane::{Acquirer, Network, Terminal};
        let (zh, en) = event.words();
        let code = event.detail.as_deref().unwrap_or_default();
        let with = |text: &str| format!("{text} {code}").trim_end().to_owned();
        let lanes = match event.what.as_str() {
            // Told with the request and the answer.
            "forwarded" | "refused" | "certified" => return,
            "answered" => {
                let text = with(answer);
                self.step(event.at, Network, Acquirer, (&text, &text));
                return;
            }
            "reversal_tried" => (Acquirer, Network, "0420"),
            "reversal_answered" => (Network, Acquirer, "0430"),
            "late_approval" => (Network, Acquirer, answer),
            "advice_tried" => (Acquirer, Network, "0220"),
            "repeated" | "confirmed" => (Terminal, Acquirer, ""),
            _ => (Acquirer, Acquirer, ""),
        };
        let (from, to, mti) = lanes;
        let said = |words: &str| match mti {
            "" => words.to_owned(),
            _ => with(&format!("{mti} {words}")),
        };
        self.step(event.at, from, to, (&said(zh), &said(en)));
    }
}

/// What others say, weaker than the acquirer's own journal.
fn proofs(facts: &Facts) -> Vec<Proof> {
    let mut proofs = Vec::new();
    let mut say = |source, zh: String, en: String| {
        proofs.push(Proof {
            source,
            text: (zh, en),
        })
    };
    if facts.certificates > 0 {
        let n = facts.certificates;
        say(
            ("结果凭证", "certificate"),
            format!("已签发 {n} 份，任何人可验"),
            format!("{n} issued; anyone can check"),
        );
    }
    if let Some(issuer) = &facts.issuer {
        let at = clock_ms(Wall(issuer.at));
        let standing = match issuer.standing.as_str() {
            "reversed" => ("，已冲回", ", taken back"),
            "barred" => ("，冲正先到，已拒绝", ", barred: the reversal came first"),
            _ => ("", ""),
        };
        let code = &issuer.code;
        say(
            ("发卡行档案", "issuer's archive"),
            format!("{at} 应答 {code}{}", standing.0),
            format!("{at} answered {code}{}", standing.1),
        );
        if let Some(reversed) = issuer.reversed {
            let at = clock_ms(Wall(reversed));
            say(
                ("发卡行档案", "issuer's archive"),
                format!("{at} 冲正入账"),
                format!("{at} the reversal was booked"),
            );
        }
    }
    if let Some(network) = &facts.network {
        let at = clock_ms(Wall(network.at));
        let (zh, en) = match network.state.as_str() {
            "answered" => ("已转回应答", "passed the answer back"),
            "timed_out" => ("等发卡行超时", "waited for the issuer in vain"),
            "declined" => ("网络拒绝", "declined by the network"),
            "not_sent" => ("没有转出", "not passed on"),
            _ => ("已转出，等应答", "passed on, awaits the answer"),
        };
        let code = network.code.as_deref().unwrap_or_default();
        say(
            ("银联档案", "network's archive"),
            format!("{at} {zh} {code}").trim_end().to_owned(),
            format!("{at} {en} {code}").trim_end().to_owned(),
        );
    }
    if let Some(till) = &facts.terminal {
        let at = clock_ms(Wall(till.ended.unwrap_or(till.started)));
        let (zh, en) = match till.ending.as_str() {
            "approved" => ("成交", "approved"),
            "declined" => ("未成功", "declined"),
            "reversed" => ("已冲正", "reversed"),
            "not_sent" => ("没有发出", "not sent"),
            "case" => ("转人工", "with staff"),
            "stored" => ("已存储待送", "stored, to be sent"),
            _ => ("未了结", "still open"),
        };
        say(
            ("终端流水", "till's journal"),
            format!("{at} {zh}"),
            format!("{at} {en}"),
        );
    }
    for (at, kind) in facts.issuer.iter().flat_map(|issuer| &issuer.notices) {
        let at = clock_ms(Wall(*at));
        let (zh, en) = match kind.as_str() {
            "debited" => ("扣款短信", "text message: debited"),
            "returned" => ("退回短信", "text message: returned"),
            "held" => ("冻结短信", "text message: held"),
            _ => ("解冻短信", "text message: released"),
        };
        say(
            ("通知（不作凭证）", "notice (no proof)"),
            format!("{at} {zh}"),
            format!("{at} {en}"),
        );
    }
    proofs
}

/// What the till said of the slip.
fn slip(sale: &SaleRecord, facts: &Facts) -> Vec<((&'static str, &'static str), String)> {
    let mut lines = Vec::new();
    if let Confirmation::Signed(_, slip) = sale.evidence.confirmation {
        lines.push((("证据等级", "Evidence level"), format!("E{}", slip.level)));
    }
    if let Some(printed) = facts.terminal.as_ref().and_then(|till| till.printed) {
        lines.push((("打印次数", "Times printed"), printed.to_string()));
    }
    lines
}
