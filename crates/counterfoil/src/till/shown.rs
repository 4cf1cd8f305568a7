//! The view of the page: one look at the terminal in its turn, with what it has shown and what lies in the basket.

use super::basket::plain;
use super::counter::{Refusal, charge_reasons, command_name, takes_back};
use super::knowledge::{Known, wall};
use super::screen;
use super::{Desk, Page};
use crate::config::terminal::TerminalFile;
use pages::chip::Tone;
use pages::till::{
    AboutKind, Action, Clock, Code, GoodsQuestion, KindName, Lamp, Paper, PaperQuestion, Pending,
    Picture, Recent, Said, SecondSwipe, TillView,
};
use payment::{Amount, Kind, LinkReason, Now, Stan};
use receipt::{CopyOf, Evidence, Trouble};
use std::time::Duration;
use terminal::{Busy, Completed, Ending, Phase, Screen, Terminal};

/// A sale that ended stands on the screen for so long, in milliseconds; later it is in the list.
pub const PRESENT_MS: i64 = 300_000;
/// A message that is no sale stands for so long.
const NOTICE: Duration = Duration::from_secs(30);
/// Sales in the list.
const RECENT: usize = 5;
/// Numbers of test pages begin here; they are no sale's slips.
const VOUCHERS: u64 = 1_000_000;

/// What the desk and the screens add to a look at the terminal.
struct Beside {
    file: std::sync::Arc<TerminalFile>,
    public: Option<String>,
    answered: Option<Duration>,
    silent: bool,
    busy: bool,
    waits: Option<String>,
    picked: Option<Stan>,
}

impl Page {
    /// The page as it stands; `picked` is the trace number of a sale that was asked for, `amount` what is typed.
    pub(super) async fn view(
        &self,
        picked: Option<Stan>,
        amount: Option<&str>,
    ) -> Result<TillView, Refusal> {
        let busy = self.screens.newest(|screen| !is_of_the_printer(screen));
        let beside = Beside {
            file: self.counter.file.clone(),
            public: self.public.clone(),
            answered: self.screens.answered_in(),
            silent: self.screens.host_is_silent(),
            busy: matches!(
                busy,
                Some((_, Screen::Busy(Busy::SaleUnresolved | Busy::ReversalFirst)))
            ),
            waits: self.desk().waits.clone(),
            picked,
        };
        let look = self.counter.look(move |terminal, now| {
            let paid = paid(terminal);
            (beside.view(terminal, now), paid)
        });
        let (mut view, paid) = look.await?;
        view.notice = self.notice();
        let mut desk = self.desk();
        desk.paid(&paid);
        self.fill(&desk, amount, &mut view);
        Ok(view)
    }

    fn fill(&self, desk: &Desk, amount: Option<&str>, view: &mut TillView) {
        let stock = &self.counter.file.stock;
        view.basket = desk.basket.view(stock);
        let total = desk.basket.total_minor(stock);
        view.amount = match amount {
            Some(amount) => amount.to_owned(),
            None if total > 0 => plain(total),
            None => String::new(),
        };
    }

    /// What the terminal, or a refused form, said last that is no sale.
    fn notice(&self) -> Option<(Tone, Said)> {
        let told = self.desk().told.clone();
        let told = told.filter(|(at, _)| at.elapsed() < NOTICE);
        let shown = self.screens.newest(|screen| !is_of_the_printer(screen));
        let shown = shown.filter(|(age, screen)| *age < NOTICE && is_notice(screen));
        match (told, shown) {
            (Some((at, words)), shown)
                if shown.as_ref().is_none_or(|(age, _)| at.elapsed() < *age) =>
            {
                Some((Tone::Stop, words))
            }
            (_, Some((_, shown))) => {
                let ((zh, goods), (en, goods_en)) =
                    (screen::words(&shown, true), screen::words(&shown, false));
                let with = |text: String, goods: Option<&str>| match goods {
                    Some(goods) => format!("{text} · {goods}"),
                    None => text,
                };
                Some((notice_tone(&shown), (with(zh, goods), with(en, goods_en))))
            }
            _ => None,
        }
    }
}

/// Trace numbers of what was approved lately: a basket that they paid is empty.
fn paid(terminal: &Terminal) -> Vec<Stan> {
    let state = terminal.state();
    let approved = state.completed().rev().take(RECENT);
    let approved = approved.filter(|c| matches!(c.ending, Ending::Approved(_)));
    let cash = state.cash().rev().take(RECENT).map(|cash| cash.key.stan);
    approved.map(|c| c.sale.key.stan).chain(cash).collect()
}

/// Those that say something of slips alone do not replace what was said before.
fn is_of_the_printer(screen: &Screen) -> bool {
    matches!(
        screen,
        Screen::Printer(_) | Screen::AskPaper { .. } | Screen::ESlip { .. } | Screen::Scan { .. }
    )
}

fn is_notice(screen: &Screen) -> bool {
    matches!(
        screen,
        Screen::SignedOn
            | Screen::SignedOff
            | Screen::SignOnRefused(_)
            | Screen::EchoAnswered
            | Screen::HostSilent
            | Screen::CashTaken { .. }
            | Screen::LinkRefused { .. }
            | Screen::TakenBack { .. }
            | Screen::SettlementRefused(_)
            | Screen::Balance(_)
            | Screen::BalanceRefused(_)
            | Screen::Busy(_)
            | Screen::NothingPending
            | Screen::NoSuchSlip
            | Screen::NoSuchOriginal
            | Screen::Printing { .. }
            | Screen::Settling(_)
            | Screen::SettlementWaits(_)
            | Screen::Settled { .. }
            | Screen::ShiftClosed { .. }
    )
}

const fn notice_tone(screen: &Screen) -> Tone {
    match screen {
        Screen::SignOnRefused(_) | Screen::LinkRefused { .. } | Screen::BalanceRefused(_) => {
            Tone::Stop
        }
        Screen::Busy(_) | Screen::HostSilent | Screen::SettlementWaits(_) | Screen::Settling(_) => {
            Tone::Wait
        }
        Screen::CashTaken { .. } | Screen::Settled { .. } | Screen::Balance(_) => Tone::Closed,
        _ => Tone::Quiet,
    }
}

impl Beside {
    fn view(&self, terminal: &Terminal, now: Now) -> TillView {
        let state = terminal.state();
        let unresolved = Known::unresolved(terminal);
        let picked = self.picked.and_then(|stan| named(terminal, stan));
        let known = picked.or(unresolved).or_else(|| present(terminal, now));
        let question = match state.open().map(|open| (open, open.phase)) {
            Some((open, Phase::Question { until, .. })) => Some(GoodsQuestion {
                amount: open.sale.amount.to_string(),
                trace: open.sale.key.stan.0,
                until: wall(now, until).text(),
                until_ms: wall(now, until).0,
            }),
            _ => None,
        };
        let config = terminal.config();
        TillView {
            shop: config.merchant_name.clone(),
            till: config.terminal.to_string(),
            shift: shift(terminal),
            lamps: self.lamps(terminal),
            pending: state.pending().iter().map(pending).collect(),
            as_of: now.wall.text(),
            sale: known.map(|known| known.view(terminal, now)),
            picked: picked.is_some(),
            clock: known.and_then(|known| clock(known, terminal, now)),
            actions: known.map_or(Vec::new(), |known| actions(known, terminal)),
            about: picked.map_or(Vec::new(), about),
            notice: None,
            goods: question,
            seen: seen(terminal),
            second: self.second(terminal, now),
            code: known.and_then(|known| self.code(known, terminal)),
            paper: paper(terminal),
            recent: recent(terminal, now),
            basket: pages::till::basket::BasketView::default(),
            cards: self
                .file
                .cards
                .iter()
                .map(|card| card.name.clone())
                .collect(),
            amount: String::new(),
        }
    }

    fn lamps(&self, terminal: &Terminal) -> [Lamp; 3] {
        let state = terminal.state();
        let lamp = |tone, zh: String, en: String| Lamp {
            tone,
            words: (zh, en),
        };
        let network = match (self.silent, state.signed_on(), self.answered) {
            (true, ..) => lamp(Tone::Stop, "网络 无应答".into(), "Network silent".into()),
            (_, false, _) => lamp(
                Tone::Wait,
                "网络 未签到".into(),
                "Network: not signed on".into(),
            ),
            (_, _, Some(took)) => {
                let ms = took.as_millis();
                lamp(
                    Tone::Closed,
                    format!("网络 {ms} ms"),
                    format!("Network {ms} ms"),
                )
            }
            _ => lamp(
                Tone::Closed,
                "网络 已签到".into(),
                "Network signed on".into(),
            ),
        };
        let (zh, en, tone) = match printer_trouble(terminal) {
            Some(trouble) => {
                let (zh, en) = match picture_of(trouble) {
                    Some(picture) => picture.words(),
                    None => ("有故障", "trouble"),
                };
                (zh, en, Tone::Stop)
            }
            None if state.spool().printer().paper_low => ("纸将用完", "paper low", Tone::Wait),
            None => ("正常", "ready", Tone::Closed),
        };
        let printer = lamp(tone, format!("打印 {zh}"), format!("Printer {en}"));
        let count = state.pending().len();
        let tone = if count == 0 { Tone::Closed } else { Tone::Wait };
        let pending = lamp(tone, format!("待处理 {count}"), format!("Pending {count}"));
        [network, printer, pending]
    }

    /// The sheet of the second swipe: a charge that was refused, or one that was tried while another is open.
    fn second(&self, terminal: &Terminal, now: Now) -> Option<SecondSwipe> {
        let state = terminal.state();
        let unresolved = Known::unresolved(terminal);
        let refused = state
            .refused()
            .map(|refused| (refused.earlier, refused.sale.amount));
        let open = unresolved.filter(|_| self.busy);
        let (earlier, amount) =
            refused.or(open.map(|known| (known.sale().key, known.sale().amount)))?;
        if self.waits.as_deref() == Some(earlier.to_string().as_str()) {
            return None;
        }
        let own = unresolved
            .filter(|known| known.sale().key == earlier)
            .or_else(|| completed(terminal, |c| c.sale.key == earlier));
        let over = matches!(own, Some(Known::Completed(c)) if matches!(c.ending, Ending::Declined(_) | Ending::Reversed { .. }));
        if over {
            return None;
        }
        let supervisor = own.is_some_and(|known| !matches!(known, Known::Completed(_)));
        let reasons =
            charge_reasons().filter(|reason| !supervisor || *reason == LinkReason::Supervisor);
        Some(SecondSwipe {
            earlier: earlier.to_string(),
            amount: amount.to_string(),
            plain: plain(amount.minor),
            age_min: own.map(|known| (now.wall.0 - known.at().wall.0).max(0) / 60_000),
            sale: own.map(|known| known.view(terminal, now)),
            reasons: reasons
                .map(|reason| (reason.name(), reason.words()))
                .collect(),
        })
    }

    /// What the customer scans now: to pay, for the e-slip, or to see where the money is.
    fn code(&self, known: Known<'_>, terminal: &Terminal) -> Option<Code> {
        let words = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        let eslip = terminal.config().eslip.as_ref();
        match known {
            Known::Open(open) if open.sale.kind == Kind::WalletOrder => Some(Code {
                words: words("请顾客扫码付款", "The customer scans to pay"),
                hint: words(
                    "付款后这里会显示结果。",
                    "The result stands here once it is paid.",
                ),
                text: terminal.state().qr()?.as_str().to_owned(),
            }),
            Known::Open(open) if open.phase == Phase::Asked => None,
            Known::Open(_) | Known::Reversing(_) => {
                let own = terminal.state().link().zip(eslip);
                let text = own.map(|(link, base)| link.below(base));
                Some(Code {
                    words: words("让顾客自己看", "Let the customer see"),
                    hint: words("扫一扫：“我的钱在哪里”", "Scan: \"Where is my money\""),
                    text: text.or_else(|| self.public.clone())?,
                })
            }
            Known::Completed(completed) => Some(Code {
                words: words("电子小票", "E-slip"),
                hint: words(
                    "请顾客扫码；纸小票另行补打，不要重新收款。",
                    "The customer scans it; paper follows. Do not charge again.",
                ),
                text: completed.link.filter(|_| completed.eslip)?.below(eslip?),
            }),
        }
    }
}

/// The sale of this trace number, the newest that has it.
fn named(terminal: &Terminal, stan: Stan) -> Option<Known<'_>> {
    let unresolved = Known::unresolved(terminal).filter(|known| known.sale().key.stan == stan);
    unresolved.or_else(|| completed(terminal, |c| c.sale.key.stan == stan))
}

fn completed<'a>(terminal: &'a Terminal, fits: impl Fn(&Completed) -> bool) -> Option<Known<'a>> {
    let mut all = terminal.state().completed().rev();
    all.find(|c| fits(c)).map(Known::Completed)
}

/// The sale that ended last, while that was just now and nothing else was taken since.
fn present(terminal: &Terminal, now: Now) -> Option<Known<'_>> {
    let state = terminal.state();
    let last = state.completed().next_back()?;
    let cash = state.cash().next_back().map(|cash| cash.at.wall);
    let fresh = now.wall.0 - last.at.wall.0 < PRESENT_MS;
    (fresh && cash.is_none_or(|cash| cash <= last.at.wall)).then_some(Known::Completed(last))
}

fn shift(terminal: &Terminal) -> Said {
    let operator = &terminal.config().operator;
    match terminal.state().shift().since {
        Some(since) => {
            let at = since.wall.text();
            let at = at.get(11..16).unwrap_or_default();
            (
                format!("收银员 {operator} · 本班自 {at}"),
                format!("cashier {operator} · shift since {at}"),
            )
        }
        None => (
            format!("收银员 {operator} · 新的一班"),
            format!("cashier {operator} · new shift"),
        ),
    }
}

fn pending(item: &terminal::Pending) -> Pending {
    let receipt::PendingItem {
        voucher,
        date_time,
        amount_minor,
        state,
    } = item.words();
    // A settlement is no sale.
    let sale = voucher > 0;
    Pending {
        trace: voucher,
        since: date_time,
        amount: if sale {
            Amount::fen(amount_minor).to_string()
        } else {
            String::new()
        },
        words: state,
    }
}

fn clock(known: Known<'_>, terminal: &Terminal, now: Now) -> Option<Clock> {
    let due = known.due(terminal)?;
    let waits = terminal.state().exchange().is_some();
    let words = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    let said = match known {
        Known::Completed(_) => return None,
        Known::Reversing(reversal) => {
            let n = reversal.attempts;
            match waits {
                true => (
                    format!("冲正第 {n} 次已发出，等待回音，至多"),
                    format!("reversal sent (attempt {n}), answer within"),
                ),
                false => (
                    format!("已发 {n} 次，下一次冲正在"),
                    format!("{n} attempt(s); the next reversal leaves in"),
                ),
            }
        }
        Known::Open(open) => match open.phase {
            Phase::Asked => words("等待银行结果，至多", "The bank's result comes within"),
            Phase::Unknown { .. } if waits => {
                words("正在查询结果，至多", "Asking for the result; within")
            }
            Phase::Unknown { .. } => words("再次查询还有", "Asking again in"),
            Phase::Following { .. } => words(
                "收单机构正在冲正，再次查询还有",
                "The acquirer reverses it; asking again in",
            ),
            Phase::Question { .. } => return None,
        },
    };
    Some(Clock {
        words: said,
        since_ms: known.at().wall.0,
        due_ms: wall(now, due).0,
        now_ms: now.wall.0,
    })
}

/// What may be done, the best first; a page offers two.
fn actions(known: Known<'_>, terminal: &Terminal) -> Vec<Action> {
    let sale = known.sale();
    let trace = sale.key.stan.0;
    let cash = || Action::CashInstead {
        sale: sale.key.to_string(),
        amount: plain(sale.amount.minor),
    };
    match known {
        Known::Open(open) => match open.phase {
            Phase::Asked => vec![Action::Withdraw],
            Phase::Unknown { .. } => vec![Action::Recover, Action::Withdraw],
            Phase::Following { .. } if sale.kind.row().charges() => vec![cash(), Action::Recover],
            Phase::Following { .. } => vec![Action::Recover],
            Phase::Question { .. } => Vec::new(),
        },
        Known::Reversing(_) if sale.kind.row().charges() => vec![cash(), Action::Recover],
        Known::Reversing(_) => vec![Action::Recover],
        Known::Completed(completed) => {
            let slip = matches!(
                completed.ending,
                Ending::Approved(_) | Ending::Reversed { .. }
            );
            let prints = terminal.config().prints;
            let eslip = terminal.config().eslip.is_some() && completed.link.is_some();
            let reprint = (slip && prints).then_some(Action::Reprint(trace));
            let eslip = (slip && eslip).then_some(Action::ESlip(trace));
            reprint.into_iter().chain(eslip).collect()
        }
    }
}

/// What may be ordered about a sale that was picked: void and refund, as its kind says.
fn about(known: Known<'_>) -> Vec<AboutKind> {
    let Known::Completed(completed) = known else {
        return Vec::new();
    };
    if !matches!(completed.ending, Ending::Approved(_)) {
        return Vec::new();
    }
    let row = completed.sale.kind.row();
    let void = takes_back(row).filter(|kind| Some(*kind) != row.refund);
    let about = |kind, partial| AboutKind {
        kind: kind_name(kind),
        partial,
    };
    let void = void.map(|kind| about(kind, false));
    void.into_iter()
        .chain(row.refund.map(|kind| about(kind, true)))
        .collect()
}

/// A kind for a form.
pub(super) fn kind_name(kind: Kind) -> KindName {
    let row = kind.row();
    KindName {
        name: command_name(kind),
        words: (row.zh, row.en),
        about: row.original.is_some(),
        scanned: row.scanned == Some(true),
    }
}

fn seen(terminal: &Terminal) -> Option<PaperQuestion> {
    let (slip_id, copy, _) = terminal.state().spool().questions().next()?;
    let (zh, en) = copy.words();
    Some(PaperQuestion {
        trace: (slip_id % VOUCHERS) as u32,
        copy: (zh.to_owned(), en.to_owned()),
    })
}

fn printer_trouble(terminal: &Terminal) -> Option<Trouble> {
    let spool = terminal.state().spool();
    match spool.switched_off() {
        Some(_) => Some(Trouble::Disabled),
        None if !terminal.config().prints => Some(Trouble::Disabled),
        None => spool.printer().trouble.or_else(|| blank(terminal)),
    }
}

/// Somebody saw an empty slip, and its reprint has not come out.
fn blank(terminal: &Terminal) -> Option<Trouble> {
    let spool = terminal.state().spool();
    let last = spool.last()?;
    let known = CopyOf::ALL
        .into_iter()
        .filter_map(|copy| spool.copy(last, copy));
    let mut open = known.filter(|known| known.evidence < Evidence::Printed);
    open.find_map(|known| known.cause)
}

const fn picture_of(trouble: Trouble) -> Option<Picture> {
    match trouble {
        Trouble::PaperOut => Some(Picture::NoPaper),
        Trouble::Jam | Trouble::Cutter | Trouble::Partial | Trouble::NothingCameOut => {
            Some(Picture::Jam)
        }
        Trouble::Blank => Some(Picture::Blank),
        Trouble::Disabled => Some(Picture::Off),
        Trouble::CoverOpen
        | Trouble::Offline
        | Trouble::Unreachable
        | Trouble::PowerLost
        | Trouble::Stalled
        | Trouble::BusyElsewhere => Some(Picture::Offline),
        _ => None,
    }
}

fn paper(terminal: &Terminal) -> Option<Paper> {
    let trouble = printer_trouble(terminal)?;
    let (zh, en) = trouble.words();
    Some(Paper {
        picture: picture_of(trouble),
        words: (zh.to_owned(), en.to_owned()),
        waiting: terminal.state().spool().unfinished(),
    })
}

/// The last five, newest first: the unresolved one, then what ended and what was paid in cash.
fn recent(terminal: &Terminal, now: Now) -> Vec<Recent> {
    let state = terminal.state();
    let sale = |known: Known<'_>| {
        let view = known.view(terminal, now);
        (known.at().wall.0, Recent::Sale(Box::new(view)))
    };
    let cash = state.cash().rev().take(RECENT).map(|cash| {
        let words = match cash.instead_of {
            Some(earlier) => (
                format!("现金已收 · 代替 {}", earlier.stan),
                format!("cash received · in place of {}", earlier.stan),
            ),
            None => ("现金已收".to_owned(), "cash received".to_owned()),
        };
        let line = Recent::Cash {
            at: cash.at.wall.text(),
            trace: cash.key.stan.0,
            amount: Amount::fen(cash.amount.minor).to_string(),
            words,
        };
        (cash.at.wall.0, line)
    });
    let completed = state.completed().rev().take(RECENT);
    let mut lines: Vec<(i64, Recent)> = completed
        .map(|completed| sale(Known::Completed(completed)))
        .chain(cash)
        .collect();
    lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let unresolved = Known::unresolved(terminal).map(sale);
    let all = unresolved.into_iter().chain(lines).take(RECENT);
    all.map(|(_, line)| line).collect()
}
