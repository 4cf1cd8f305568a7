//! What the till shows, in words of the tables, and the names of its screens for scripts.

use payment::batch::Reconciled;
use payment::download::PieceError;
use payment::response::Audience;
use payment::verdict::{self, Situation};
use payment::{Amount, Kind};
use receipt::PaperSeen;
use terminal::kernel::ChipRefusal;
use terminal::{Busy, ChipProblem, DownloadProblem, Screen, Waits};

/// The screen in words of the verdict table, and the goods word where one is due.
pub fn words(screen: &Screen, zh: bool) -> (String, Option<&'static str>) {
    let said = Words { zh };
    said.of(screen)
}

struct Words {
    zh: bool,
}

impl Words {
    fn say(&self, words: (&'static str, &'static str)) -> &'static str {
        if self.zh { words.0 } else { words.1 }
    }

    fn of(&self, screen: &Screen) -> (String, Option<&'static str>) {
        // Headline and goods word of the kind's own row.
        let row = |kind: Kind, when: Situation| {
            let (zh, en) = verdict::headline(kind, when);
            let goods = self.say(verdict::goods(kind, when).words());
            (if self.zh { zh } else { en }, Some(goods))
        };
        let hold = self.say(verdict::Goods::Hold.words());
        let stop = self.say(verdict::Goods::DoNotDeliver.words());
        let cashier = |code: payment::ResponseCode| code.words(Audience::Cashier, self.zh);
        match screen {
            Screen::SignedOn => (self.say(("签到成功", "Signed on")).to_owned(), None),
            Screen::NoSuchOriginal => (
                self.say((
                    "没有找到可以这样处理的原交易",
                    "There is no earlier transaction that this could be about",
                ))
                .to_owned(),
                None,
            ),
            Screen::SignedOff => (self.say(("签退成功", "Signed off")).to_owned(), None),
            Screen::SignOnRefused(code) => (
                format!(
                    "{} {}",
                    self.say(("签到未成功：", "Sign-on refused:")),
                    cashier(*code)
                ),
                None,
            ),
            Screen::EchoAnswered => (self.say(("主机在线", "The host is there")).to_owned(), None),
            Screen::HostSilent => (
                self.say((
                    "主机没有应答，会自动再试",
                    "The host does not answer; trying again",
                ))
                .to_owned(),
                None,
            ),
            Screen::Confirming(key) => {
                let (headline, goods) = row(Kind::Purchase, Situation::Confirming);
                (format!("{headline} · {}", key.stan), goods)
            }
            Screen::Approved {
                kind,
                amount,
                recovered,
                ..
            } => {
                let (headline, goods) = row(*kind, verdict::approved(*kind, *recovered));
                (format!("{headline} {amount}"), goods)
            }
            Screen::Declined { kind, code, .. } => {
                let (headline, goods) = row(*kind, verdict::declined(*kind));
                let reason = cashier(*code).to_string();
                (headline.replace("{reason}", &reason), goods)
            }
            Screen::Guard {
                earlier, amount, ..
            } => (
                format!(
                    "{} {earlier} {amount}",
                    self.say((
                        "请勿再次刷卡：这张卡可能已付过同样金额",
                        "Do not present the card again: it may have paid this amount already",
                    ))
                ),
                Some(hold),
            ),
            Screen::CashTaken {
                amount, instead_of, ..
            } => (
                format!(
                    "{} {amount}{}",
                    self.say(("现金已收", "Cash received")),
                    instead_of.map_or_else(String::new, |earlier| format!(
                        " · {} {earlier}",
                        self.say(("代替", "in place of"))
                    ))
                ),
                Some(self.say(verdict::Goods::Deliver.words())),
            ),
            Screen::TakenBack { key, by, amount } => {
                let amount = amount.map_or_else(String::new, |amount| format!(" {amount}"));
                let stan = key.stan;
                let told = match (by == key, self.zh) {
                    (true, true) => format!("凭证号 {stan}{amount} 已由收单机构退回持卡人"),
                    (true, false) => {
                        format!("sale {stan}{amount} was given back by the acquirer's staff")
                    }
                    (false, true) => format!("凭证号 {stan}{amount} 已冲正，由 {by} 代替"),
                    (false, false) => {
                        format!("sale {stan}{amount} was reversed, replaced by {by}")
                    }
                };
                (told, None)
            }
            Screen::SettlementRefused(batch) => (
                if self.zh {
                    format!("收单系统不认识批次 {batch}，没有结算；重新签到后再结算")
                } else {
                    format!("the acquirer does not know batch {batch}: nothing was settled; settle again after the sign-on")
                },
                None,
            ),
            Screen::LinkRefused { earlier, code } => (
                format!(
                    "{} {earlier} {code}",
                    self.say(if *code == payment::ResponseCode::RELATED_ERROR {
                        (
                            "刷卡与现金都已付，请退还现金或为这一笔刷卡退货：",
                            "Paid by card and in cash: give the cash back or refund the card sale",
                        )
                    } else {
                        (
                            "现金未能与刷卡交易关联，请查询这一笔的结果：",
                            "The cash could not be tied to the card sale; look up what became of it:",
                        )
                    })
                ),
                None,
            ),
            Screen::NotSent(_) => (
                self.say((
                    "没有连上主机，请求未发出，没有扣款",
                    "No connection: nothing was sent, nothing debited",
                ))
                .to_owned(),
                Some(stop),
            ),
            Screen::Scan { qr, .. } => (
                format!(
                    "{} {}",
                    self.say(("请顾客扫码付款", "The customer scans to pay:")),
                    qr.as_str()
                ),
                Some(hold),
            ),
            Screen::Asking(_) => (
                self.say((
                    "没有收到应答，正在查询结果，请勿再次刷卡",
                    "No answer; asking what became of it. Do not present the card again",
                ))
                .to_owned(),
                Some(hold),
            ),
            Screen::Reversing { kind, .. } => row(*kind, Situation::ReversingSilent),
            Screen::ReversalRefused { code, .. } => (
                format!(
                    "{} {code}",
                    self.say((
                        "冲正未完成，继续重发，代码",
                        "Reversal not complete, still trying; code"
                    ))
                ),
                Some(stop),
            ),
            Screen::CardRefused(_) => (
                self.say((
                    "主机已批准，卡片拒绝：交易未成功，正在自动冲正",
                    "The host approved, the card refused: not a sale; reversing",
                ))
                .to_owned(),
                Some(stop),
            ),
            Screen::Reversed {
                kind,
                never_debited,
                ..
            } => row(*kind, verdict::reversed(*never_debited)),
            Screen::Case(_) => (
                self.say((
                    "冲正未完成，已转人工",
                    "Reversal not complete; a case is open",
                ))
                .to_owned(),
                Some(stop),
            ),
            Screen::AskGoods(_) => (
                self.say((
                    "结果已找回：交易成功。商品已经交给顾客了吗？ yes / no",
                    "Recovered: approved. Were the goods handed over? yes / no",
                ))
                .to_owned(),
                Some(hold),
            ),
            Screen::Balance(minor) => (
                format!(
                    "{} {}{}",
                    self.say(("可用余额", "Available")),
                    if *minor < 0 { "-" } else { "" },
                    Amount::fen(minor.unsigned_abs())
                ),
                None,
            ),
            Screen::BalanceRefused(code) => (
                format!(
                    "{}{}",
                    self.say(("余额查询未成功：", "Inquiry refused: ")),
                    cashier(*code)
                ),
                None,
            ),
            Screen::Busy(busy) => (self.say(busy_words(*busy)).to_owned(), Some(hold)),
            Screen::NothingPending => (self.say(("没有待办", "Nothing pending")).to_owned(), None),
            Screen::NoSuchSlip => (self.say(("没有这张小票", "No such slip")).to_owned(), None),
            Screen::Printer(None) => (
                self.say(("打印机恢复正常", "The printer is well again")).to_owned(),
                None,
            ),
            Screen::Printer(Some(trouble)) => (self.say(trouble.words()).to_owned(), None),
            Screen::AskPaper { slip_id, copy } => (
                format!(
                    "{} {} {:06} · paper complete|blank|partial|nothing|none",
                    self.say(PaperSeen::QUESTION),
                    self.say(copy.words()),
                    slip_id % 1_000_000
                ),
                None,
            ),
            Screen::Printing { on: true, .. } => (
                self.say(("凭条打印已开启", "Slips are printed")).to_owned(),
                None,
            ),
            Screen::Printing { on: false, by } => (
                format!(
                    "{} {by}",
                    self.say((
                        "本机凭条打印已关闭，关闭者：操作员",
                        "Slips are not printed here; switched off by operator"
                    ))
                ),
                None,
            ),
            Screen::Settling(batch) => (
                format!("{} {batch}", self.say(("正在批结算，批次", "Settling batch"))),
                None,
            ),
            Screen::SettlementWaits(waits) => (self.settlement_waits(*waits), None),
            Screen::Settled { batch, codes } => (
                format!(
                    "{} {batch} · {} {} · {} {}",
                    self.say(("批结算完成，批次", "Settled, batch")),
                    self.say(("内卡", "domestic")),
                    self.say(reconciled_words(codes.domestic)),
                    self.say(("外卡", "foreign")),
                    self.say(reconciled_words(codes.foreign)),
                ),
                None,
            ),
            Screen::ShiftClosed { pending } => (
                format!(
                    "{} {pending}",
                    self.say((
                        "交接班完成，待处理项目已列在交接班单上，笔数",
                        "Shift closed; its slip lists every pending item:"
                    ))
                ),
                None,
            ),
            Screen::Downloading(download) => (
                format!(
                    "{} {}",
                    self.say(("正在下载", "Downloading the")),
                    self.say(download.words())
                ),
                None,
            ),
            Screen::Downloaded {
                download,
                version,
                items,
            } => (
                format!(
                    "{} {} {version} {} {items}",
                    self.say(download.words()),
                    self.say(("下载完成，版本", "downloaded, version")),
                    self.say(("，项数", "· items")),
                ),
                None,
            ),
            Screen::DownloadFailed { download, problem } => (
                format!(
                    "{} {}",
                    self.say(download.words()),
                    download_problem(problem, self.zh)
                ),
                None,
            ),
            Screen::NotOffered(kind) => (
                format!(
                    "{} {}",
                    self.say((
                        "本终端未开通此交易：",
                        "Switched off by this terminal's parameters:"
                    )),
                    self.say((kind.row().zh, kind.row().en))
                ),
                Some(stop),
            ),
            Screen::ESlip { link, .. } => (
                format!(
                    "{} {link}",
                    self.say((
                        "电子小票：请顾客扫码，纸小票恢复后自动补打，不要重新收款",
                        "E-slip: the customer scans this code. Paper follows by itself. Do not charge again"
                    ))
                ),
                None,
            ),
        }
    }
}

impl Words {
    fn settlement_waits(&self, waits: Waits) -> String {
        let (zh, en) = ("批结算等待：", "The settlement waits:");
        let what = match waits {
            Waits::Reversal(key) => format!(
                "{} {}",
                self.say(("先冲正凭证号", "first the reversal of trace")),
                key.stan
            ),
            Waits::Sale(key) => format!(
                "{} {}",
                self.say(("先等结果，凭证号", "first the result of trace")),
                key.stan
            ),
            Waits::Advices(count) => format!(
                "{} {count}",
                self.say(("先上送通知，笔数", "first the advices, so many:"))
            ),
            Waits::Host => self
                .say((
                    "主机没有应答，请稍候再输入 settle",
                    "the host does not answer; type settle again later",
                ))
                .to_owned(),
        };
        format!("{} {what}", self.say((zh, en)))
    }
}

/// Why a download was not taken.
fn download_problem(problem: &DownloadProblem, zh: bool) -> String {
    let say = |chinese: &'static str, english: &'static str| if zh { chinese } else { english };
    match problem {
        DownloadProblem::Refused(code) => format!(
            "{} {}",
            say("下载被拒绝：", "refused:"),
            code.words(Audience::Cashier, zh)
        ),
        DownloadProblem::Wrong(PieceError::Nothing) => {
            say("主机没有可下载的内容", "the host has nothing to download").to_owned()
        }
        DownloadProblem::Wrong(error) => format!(
            "{} {error}",
            say(
                "内容有误，未采用，仍用原来的：",
                "wrong, not taken, what was there stays:"
            )
        ),
        DownloadProblem::Unfinished => say(
            "下载未完成，下次签到后再下载",
            "not finished; again after the next sign-on",
        )
        .to_owned(),
    }
}

const fn reconciled_words(code: Reconciled) -> (&'static str, &'static str) {
    match code {
        Reconciled::Balanced => ("对账平", "balanced"),
        Reconciled::Unbalanced => ("对账不平", "not balanced"),
        Reconciled::Failed => ("对账出错", "not reconciled"),
    }
}

/// Why a command waits.
pub const fn busy_words(busy: Busy) -> (&'static str, &'static str) {
    match busy {
        Busy::SignOnFirst => (
            "先签到，请稍候再试",
            "Signing on first; try again in a moment",
        ),
        Busy::ReversalFirst => (
            "上一笔正在自动冲正，冲正先行，请稍候再试",
            "A reversal goes first; try again in a moment",
        ),
        Busy::SaleUnresolved => (
            "上一笔还没有结果，请勿再次刷卡",
            "The last sale has no result yet. Do not present the card again",
        ),
        Busy::AdvicesFirst => (
            "待上送的通知太多，请先上送或稍候再试",
            "Too many advices are waiting; send them first, or try again in a moment",
        ),
        Busy::SettleFirst => (
            "本批次已满，请先批结算 settle",
            "The batch is full. Settle it first: settle",
        ),
        Busy::Settling => (
            "正在批结算，请稍候再试",
            "The batch is being settled; try again in a moment",
        ),
        Busy::Exchanging => ("正在通信，请稍候", "Communicating; a moment please"),
    }
}

/// The screen's name in scripts and JSON.
pub fn screen_name(screen: &Screen) -> &'static str {
    match screen {
        Screen::SignedOn => "signed-on",
        Screen::SignedOff => "signed-off",
        Screen::SignOnRefused(_) => "sign-on-refused",
        Screen::EchoAnswered => "echo",
        Screen::HostSilent => "host-silent",
        Screen::Confirming(_) => "confirming",
        Screen::Approved { .. } => "approved",
        Screen::Declined { .. } => "declined",
        Screen::Guard { .. } => "guard",
        Screen::CashTaken { .. } => "cash",
        Screen::TakenBack { .. } => "taken-back",
        Screen::LinkRefused { .. } => "link-refused",
        Screen::NotSent(_) => "not-sent",
        Screen::Scan { .. } => "scan",
        Screen::Asking(_) => "asking",
        Screen::Reversing { .. } => "reversing",
        Screen::ReversalRefused { .. } => "reversal-refused",
        Screen::Reversed { .. } => "reversed",
        Screen::CardRefused(_) => "card-refused",
        Screen::Case(_) => "case",
        Screen::AskGoods(_) => "ask-goods",
        Screen::Balance(_) => "balance",
        Screen::BalanceRefused(_) => "balance-refused",
        Screen::Busy(_) => "busy",
        Screen::NothingPending => "nothing-pending",
        Screen::NoSuchSlip => "no-such-slip",
        Screen::NoSuchOriginal => "no-such-original",
        Screen::Printer(None) => "printer-well",
        Screen::Printer(Some(_)) => "printer-trouble",
        Screen::AskPaper { .. } => "ask-paper",
        Screen::Printing { on: true, .. } => "printing-on",
        Screen::Printing { on: false, .. } => "printing-off",
        Screen::ESlip { .. } => "e-slip",
        Screen::Settling(_) => "settling",
        Screen::SettlementRefused(_) => "settlement-refused",
        Screen::SettlementWaits(_) => "settlement-waits",
        Screen::Settled { .. } => "settled",
        Screen::ShiftClosed { .. } => "shift-closed",
        Screen::Downloading(_) => "downloading",
        Screen::Downloaded { .. } => "downloaded",
        Screen::DownloadFailed { .. } => "download-failed",
        Screen::NotOffered(_) => "not-offered",
    }
}

/// Why a chip card could not be presented, for the cashier.
pub fn chip_words(problem: &ChipProblem) -> (&'static str, &'static str) {
    match problem {
        ChipProblem::NoReader => (
            "本机没有读卡芯片的功能，请刷卡",
            "No chip reader here: swipe",
        ),
        ChipProblem::SaleUnresolved => ("上一笔还没有结果", "The last sale is unresolved"),
        ChipProblem::Edge(_) => ("安全模块拒绝", "The security module refused"),
        ChipProblem::Card(refusal) => match refusal {
            ChipRefusal::Unreadable => (
                "芯片读不出，请重新插卡；三次读不出可以刷卡",
                "The chip cannot be read: insert it again; after three tries it may be swiped",
            ),
            ChipRefusal::NoApplication => (
                "芯片中没有本机受理的应用，请刷卡",
                "No application that is served here: swipe",
            ),
            ChipRefusal::Blocked => ("卡片应用已被锁定", "The card is blocked by its bank"),
            ChipRefusal::Broken => (
                "卡片中断，请重新插卡",
                "The card broke off: insert it again",
            ),
            ChipRefusal::Declined => ("卡片拒绝交易", "Declined by the card"),
            ChipRefusal::Insert => (
                "金额超过挥卡限额，请插卡",
                "Too much for a tap: insert the card",
            ),
            ChipRefusal::PinNeeded => (
                "超过免密金额，请输入密码",
                "Above the limit: the PIN is needed",
            ),
        },
    }
}

/// The text of the QR code that a screen shows.
pub fn shown_code(screen: &Screen) -> Option<&str> {
    match screen {
        Screen::ESlip { link, .. } => Some(link),
        Screen::Scan { qr, .. } => Some(qr.as_str()),
        _ => None,
    }
}

/// The sale that a screen is about, `terminal/batch/trace`.
pub fn sale_name(screen: &Screen) -> Option<String> {
    match screen {
        Screen::Confirming(key)
        | Screen::NotSent(key)
        | Screen::Asking(key)
        | Screen::Case(key)
        | Screen::CardRefused(key)
        | Screen::AskGoods(key)
        | Screen::Approved { key, .. }
        | Screen::Declined { key, .. }
        | Screen::Guard { key, .. }
        | Screen::CashTaken { key, .. }
        | Screen::TakenBack { key, .. }
        | Screen::Reversing { key, .. }
        | Screen::ReversalRefused { key, .. }
        | Screen::Reversed { key, .. }
        | Screen::Scan { key, .. }
        | Screen::ESlip { key, .. } => Some(key.to_string()),
        _ => None,
    }
}
