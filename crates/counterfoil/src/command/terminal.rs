//! `counterfoil terminal`: a till with a text interface, and the same commands from a script.

mod downloads;
mod guard;
mod order;

use super::doctor::show;
use super::{Failure, print_json, runtime, until_told_to_stop};
use crate::config::terminal::TerminalFile;
use crate::party;
use crate::qr;
use crate::till::counter::{Counter, kind_named};
use crate::till::doctor::TillDoctor;
use crate::till::screen::{self, busy_words, sale_name, screen_name, shown_code};
use crate::till::{self, Screens};
use payment::{Amount, Kind, Stan, verdict};
use receipt::{Language, PaperSeen, Search};
use std::cell::Cell;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use terminal::kernel::Interface;
use terminal::{Command, Screen};
use tokio::sync::mpsc;

/// Arguments of `terminal`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration file, as in examples/
    #[arg(long)]
    config: PathBuf,
    /// Reads commands from this file instead of the keyboard, `-` for standard input
    #[arg(long)]
    script: Option<PathBuf>,
    /// Shows every screen as one JSON object a line
    #[arg(long)]
    json: bool,
}

/// While it runs, the doctor looks at the printer this often.
const DOCTOR_LOOKS: Duration = Duration::from_secs(1);

const HELP: (&str, &str) = (
    "pay 金额 [卡|付款码|cash] 自动识别 · order 金额 顾客扫收款码 · wallet-refund 凭证号 [金额] 扫码退货\n\
     sale 金额 [卡] 刷卡消费 · insert 金额 [卡] 插卡消费 · tap 金额 [卡] 挥卡消费\n\
     void 凭证号 撤销 · refund 凭证号|参考号 [金额] 退货 · balance [卡] 余额 · kinds 全部交易种类\n\
     reprint [凭证号] 重打印 · eslip [凭证号] 电子小票 · flush 清理待办（不扣款） · withdraw 撤回\n\
     cash 金额 [instead 凭证号|终端/批次/凭证号] 现金 · anyway 原因 [卡] 关联后仍刷卡\n\
     yes|no 回答是否已交货 · signon 签到 · signoff 签退 · echo 回响 · settle 批结算 · shift 交接班 · status 状态 · quit 退出\n\
     paper complete|blank|partial|nothing|none [凭证号] 纸上看到的 · search 金额|*卡号后四位|日期|凭证号 找小票\n\
     printing on|off 开关打印 · resume 排除故障后继续 · clear 清空打印机后重打印\n\
     download [parameters|keys|applications] 下载参数、公钥、IC 卡参数 · downloads 已下载的内容\n\
     doctor 打印医生 · d 答复（回答打印医生）",
    "pay AMOUNT [CARD|CODE|cash] (by what is shown) · order AMOUNT (the customer scans) · wallet-refund TRACE [AMOUNT]\n\
     sale AMOUNT [CARD] (swipe) · insert AMOUNT [CARD] · tap AMOUNT [CARD]\n\
     void TRACE · refund TRACE|REFERENCE [AMOUNT] · balance [CARD] · kinds (all of them)\n\
     reprint [TRACE] · eslip [TRACE] · flush (charges nothing) · withdraw\n\
     cash AMOUNT [instead TRACE|TERMINAL/BATCH/TRACE] · anyway REASON [CARD]\n\
     yes|no (goods handed over?) · signon · signoff · echo · settle · shift · status · quit\n\
     paper complete|blank|partial|nothing|none [TRACE] (what the paper shows) · search AMOUNT|*LAST4|DATE|TRACE\n\
     printing on|off · resume (the jam is removed) · clear (what the printer holds, then reprint)\n\
     download [parameters|keys|applications] · downloads (what is here)\n\
     doctor (what is wrong with the printer) · d ANSWER (to the doctor)",
);

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let file = TerminalFile::read(&arguments.config).map_err(|error| error.to_string())?;
    let runtime = runtime()?;
    let (_, module) = file.resolve()?;
    let (running, shown) = runtime.block_on(async { party::terminals(&file) })?;
    let (screens, shown) = runtime.block_on(async { Screens::watch(shown) });
    let handle = running.handle().clone();
    let opened = match file.page {
        Some(address) => {
            let module = module.clone();
            let page = till::open(
                address,
                &file,
                handle.clone(),
                module,
                screens,
                file.public.clone(),
            );
            Some(runtime.block_on(page)?)
        }
        None => None,
    };
    let till = Till {
        counter: Counter::new(handle, module, file),
        page: opened,
        zh,
        json: arguments.json,
        doctor: Cell::new(None),
    };
    // Whatever the script is waiting for, a signal and a stopped party end it.
    let result = runtime.block_on(async {
        tokio::select! {
            result = till.converse(arguments.script.clone(), shown) => result,
            () = until_told_to_stop() => Ok(()),
            () = till.counter.handle.until_stopped() => {
                Err("the terminal stopped; its journal could not be written".to_owned())
            }
        }
    });
    running.stop()?;
    result.map(|()| ExitCode::SUCCESS)
}

struct Till {
    counter: Counter,
    /// Where its page is.
    page: Option<SocketAddr>,
    zh: bool,
    json: bool,
    /// The dialogue about the printer, while there is one.
    doctor: Cell<Option<TillDoctor>>,
}

impl Till {
    async fn converse(
        &self,
        script: Option<PathBuf>,
        mut shown: mpsc::UnboundedReceiver<party::Shown>,
    ) -> Result<(), Failure> {
        let scripted = script.is_some();
        let mut lines = read_lines(script)?;
        if !scripted && !self.json {
            println!(
                "{} · {}\n{}",
                self.counter.file.merchant_name,
                self.counter.file.id,
                self.say(HELP)
            );
            if let Some(page) = self.page {
                println!(
                    "{} http://{page}/",
                    self.say(("收银台网页：", "The till's page:"))
                );
            }
        }
        self.press(Command::SignOn)?;
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                Some((_, screen)) = shown.recv() => {
                    self.show(&screen);
                    continue;
                }
                () = tokio::time::sleep(DOCTOR_LOOKS) => {
                    self.look_again().await?;
                    continue;
                }
            };
            let Some(line) = line else { break };
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["quit"] => break,
                // Scripts wait for a screen by name, or for a while.
                ["wait", name] => {
                    self.wait(name, Duration::from_secs(120), &mut shown)
                        .await?
                }
                ["wait", name, seconds] => {
                    let seconds = seconds
                        .parse()
                        .map_err(|_| format!("wait {name} {seconds}: seconds?"))?;
                    self.wait(name, Duration::from_secs(seconds), &mut shown)
                        .await?;
                }
                ["sleep", ms] => {
                    let ms = ms
                        .parse()
                        .map_err(|_| format!("sleep {ms}: milliseconds?"))?;
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                }
                words => {
                    if let Err(problem) = self.obey(words).await {
                        if scripted {
                            return Err(problem);
                        }
                        println!("{problem}");
                    }
                }
            }
        }
        Ok(())
    }

    async fn obey(&self, words: &[&str]) -> Result<(), Failure> {
        match words {
            [] => Ok(()),
            ["insert", amount, card @ ..] => self.by_chip(Interface::Contact, amount, card).await,
            ["tap", amount, card @ ..] => self.by_chip(Interface::Contactless, amount, card).await,
            ["balance", card @ ..] => self.transact(Kind::BalanceInquiry, card).await,
            ["void", trace @ ..] => self.void(trace).await,
            ["kinds"] => {
                self.orders();
                Ok(())
            }
            ["reprint", trace @ ..] => {
                self.press(Command::Reprint(trace_number("reprint", trace)?))
            }
            ["eslip", trace @ ..] => self.press(Command::ESlip(trace_number("eslip", trace)?)),
            ["pay", words @ ..] => self.pay(words).await,
            ["cash", words @ ..] => self.cash(words).await,
            ["anyway", words @ ..] => self.anyway(words).await,
            ["flush"] => self.press(Command::Flush),
            ["withdraw"] => self.press(Command::Withdraw),
            ["yes"] => self.press(Command::GoodsHandedOver(true)),
            ["no"] => self.press(Command::GoodsHandedOver(false)),
            ["signon"] => self.press(Command::SignOn),
            ["signoff"] => self.press(Command::SignOff),
            ["echo"] => self.press(Command::Echo),
            ["settle"] => self.press(Command::Settle),
            ["shift"] => self.press(Command::CloseShift),
            ["status"] => self.status().await,
            ["download", what @ ..] => self.download(what),
            ["downloads"] => self.downloads().await,
            ["paper", seen, trace @ ..] => {
                let seen = paper_seen(seen).ok_or_else(|| {
                    format!("paper {seen}: complete, blank, partial, nothing, none?")
                })?;
                self.press(Command::Paper(trace_number("paper", trace)?, seen))
            }
            ["printing", "on"] => self.press(Command::Printing(true)),
            ["printing", "off"] => self.press(Command::Printing(false)),
            ["resume"] => self.press(Command::ResumePrinter),
            ["clear"] => self.press(Command::ClearPrinter),
            ["search", what @ ..] if !what.is_empty() => self.search(what).await,
            ["doctor"] => self.call_doctor().await,
            ["d", answer @ ..] => self.answer_doctor(&answer.join(" ")).await,
            [word, rest @ ..] if let Some(kind) = kind_named(word) => {
                self.transact(kind, rest).await
            }
            _ => Err(self.say(HELP).to_owned()),
        }
    }

    /// Slips in the spool by amount (`12.80`), last four digits (`*0005`), date (`2026-11-22`) or trace number.
    async fn search(&self, words: &[&str]) -> Result<(), Failure> {
        let mut search = Search::default();
        for word in words {
            match word.strip_prefix('*') {
                Some(four) => search.last_four = Some(four.to_owned()),
                None if word.contains('-') => search.date = Some((*word).to_owned()),
                None if word.contains('.') => {
                    let amount =
                        Amount::parse_yuan(word).ok_or_else(|| format!("search {word}?"))?;
                    search.amount_minor = Some(amount.minor);
                }
                None => {
                    let trace = word.parse().map_err(|_| format!("search {word}?"))?;
                    search.voucher = Some(trace);
                }
            }
        }
        let look = self.counter.look(move |terminal, _| {
            let spool = terminal.state().spool();
            let found = spool.search(&search).into_iter();
            found
                .map(|slip| (spool.evidence(slip.slip_id), slip))
                .collect::<Vec<_>>()
        });
        let found = look.await.map_err(|refusal| refusal.say(self.zh))?;
        if found.is_empty() {
            println!("{}", self.say(("没有这张小票", "No such slip")));
        }
        for (known, slip) in found {
            let state = known.map_or(("", ""), |(state, evidence, _)| state.words(evidence));
            println!(
                "  {:06} {} {} {} {} {}",
                slip.voucher,
                slip.date_time,
                Amount {
                    minor: slip.amount_minor,
                    currency: match slip.title.is_barter() {
                        true => payment::BARTER_UNIT,
                        false => payment::CNY,
                    },
                },
                slip.masked_pan,
                self.say(slip.title.words()),
                self.say(state)
            );
        }
        Ok(())
    }

    async fn call_doctor(&self) -> Result<(), Failure> {
        let printer = self.counter.file.printer.as_ref();
        let printer = printer.map_or_else(String::new, ToString::to_string);
        let doctor = TillDoctor::begin(self.counter.handle.clone(), printer, None).await?;
        self.keep(doctor)
    }

    async fn answer_doctor(&self, text: &str) -> Result<(), Failure> {
        let Some(mut doctor) = self.doctor.take() else {
            return Err(self.say(("先输入 doctor", "type doctor first")).to_owned());
        };
        let taken = doctor.answer(text).await;
        self.keep(doctor)?;
        match taken? {
            true => Ok(()),
            false => Err(format!(
                "{}{text}",
                self.say(("不是这一步的答复：", "no answer to this step: "))
            )),
        }
    }

    async fn look_again(&self) -> Result<(), Failure> {
        if let Some(mut doctor) = self.doctor.take() {
            let looked = doctor.look().await;
            self.keep(doctor)?;
            looked?;
        }
        Ok(())
    }

    /// Shows what the doctor said, and keeps it while it goes on.
    fn keep(&self, mut doctor: TillDoctor) -> Result<(), Failure> {
        let language = if self.zh { Language::Zh } else { Language::En };
        let fresh = doctor.take_fresh();
        if let Some(view) = doctor.view(language).filter(|_| fresh) {
            show(&view, self.json);
        }
        if let Some(ticket) = doctor.ticket() {
            match self.json {
                true => print_json(&ticket)?,
                false => print!("{}", ticket.text(language)),
            }
        }
        self.doctor
            .set(Some(doctor).filter(|doctor| !doctor.is_over()));
        Ok(())
    }

    async fn status(&self) -> Result<(), Failure> {
        let look = self.counter.look(|terminal, _| {
            let state = terminal.state();
            let recent: Vec<_> = state.completed().rev().take(5).copied().collect();
            let waiting: Vec<_> = state.advices().map(|advice| advice.sale.key).collect();
            (
                state.batch(),
                state.next_stan(),
                state.totals(),
                terminal.busy(),
                recent,
                waiting,
            )
        });
        let (batch, stan, totals, busy, recent, waiting_advices) =
            look.await.map_err(|refusal| refusal.say(self.zh))?;
        let waiting = busy.map_or_else(String::new, |busy| self.say(busy_words(busy)).to_owned());
        let sum = Amount::fen(totals.debits_minor);
        let credits = Amount::fen(totals.credits_minor);
        let cash = Amount::fen(totals.cash_minor);
        if self.zh {
            println!(
                "批次 {batch} · 下一凭证号 {stan} · 借记 {} 笔 {sum} · 贷记 {} 笔 {credits} · 现金 {} 笔 {cash} · 冲正 {} 笔 {waiting}",
                totals.debits, totals.credits, totals.cash, totals.reversed
            );
        } else {
            println!(
                "batch {batch} · next trace {stan} · {} debits, {sum} · {} credits, {credits} · {} cash, {cash} · {} reversed {waiting}",
                totals.debits, totals.credits, totals.cash, totals.reversed
            );
        }
        for completed in recent {
            let sale = completed.sale;
            let words = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
            let (zh, en) = match completed.ending {
                // Once the issuer has answered, an advice is not on its way any more.
                terminal::Ending::Approved(_)
                    if sale.kind.row().is_advice() && !waiting_advices.contains(&sale.key) =>
                {
                    verdict::headline(sale.kind, verdict::Situation::AdviceTaken)
                }
                terminal::Ending::Approved(a) => {
                    verdict::headline(sale.kind, verdict::approved(sale.kind, a.recovered))
                }
                terminal::Ending::Declined(_) => words(("未成功", "declined")),
                terminal::Ending::NotSent => words(("未发出", "not sent")),
                terminal::Ending::Reversed { never_debited } => {
                    verdict::headline(sale.kind, verdict::reversed(never_debited))
                }
                terminal::Ending::Case => words(("已转人工", "with the acquirer's staff")),
                terminal::Ending::Replaced => {
                    verdict::headline(sale.kind, verdict::Situation::ReversingReplaced)
                }
            };
            println!(
                "  {} {} {} {} {}",
                sale.key.stan,
                completed.at.wall.text(),
                sale.amount,
                sale.card.masked(),
                if self.zh { zh } else { en }
            );
        }
        Ok(())
    }

    async fn wait(
        &self,
        name: &str,
        limit: Duration,
        shown: &mut mpsc::UnboundedReceiver<party::Shown>,
    ) -> Result<(), Failure> {
        let seen = tokio::time::timeout(limit, async {
            while let Some((_, screen)) = shown.recv().await {
                self.show(&screen);
                if screen_name(&screen) == name {
                    return true;
                }
            }
            false
        });
        if seen.await.unwrap_or(false) {
            Ok(())
        } else {
            Err(format!(
                "wait {name}: it did not come within {} s",
                limit.as_secs()
            ))
        }
    }

    fn press(&self, command: Command) -> Result<(), Failure> {
        let pressed = self.counter.press(command);
        pressed.map_err(|refusal| refusal.say(self.zh))
    }

    fn say(&self, words: (&'static str, &'static str)) -> &'static str {
        if self.zh { words.0 } else { words.1 }
    }

    fn show(&self, screen: &Screen) {
        let (mut text, goods) = screen::words(screen, self.zh);
        if let Screen::Guard {
            earlier, amount, ..
        } = screen
        {
            text = format!("{text}\n{}", guard::ways_on(*earlier, *amount, self.zh));
        }
        if self.json {
            let link = shown_code(screen);
            println!(
                "{}",
                serde_json::json!({ "screen": screen_name(screen), "sale": sale_name(screen), "text": text, "link": link })
            );
        } else {
            let goods = goods.map_or(String::new(), |goods| format!("  【{goods}】"));
            println!("{text}{goods}");
            if let Some(code) = shown_code(screen).and_then(qr::blocks) {
                print!("{code}");
            }
        }
    }
}

fn trace_number(command: &str, words: &[&str]) -> Result<Option<Stan>, Failure> {
    match words {
        [] => Ok(None),
        [trace] => match trace.parse() {
            Ok(stan) => Ok(Some(Stan(stan))),
            Err(_) => Err(format!("{command} {trace}: a trace number?")),
        },
        _ => Err(format!("{command}: one trace number?")),
    }
}

fn paper_seen(word: &str) -> Option<PaperSeen> {
    match word {
        "complete" => Some(PaperSeen::Complete),
        "blank" => Some(PaperSeen::Blank),
        "partial" => Some(PaperSeen::Partial),
        "nothing" => Some(PaperSeen::Nothing),
        "none" => Some(PaperSeen::NotNeeded),
        _ => None,
    }
}

/// Lines of a script or of the keyboard, read on a thread of their own.
pub(super) fn read_lines(script: Option<PathBuf>) -> Result<mpsc::Receiver<String>, Failure> {
    let (lines, read) = mpsc::channel(1);
    let reader: Box<dyn BufRead + Send> = match script {
        Some(path) if path.as_os_str() != "-" => {
            let file = std::fs::File::open(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            Box::new(std::io::BufReader::new(file))
        }
        _ => Box::new(std::io::BufReader::new(std::io::stdin())),
    };
    std::thread::spawn(move || {
        for line in reader.lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    Ok(read)
}
