//! `counterfoil terminal`: a till with a text interface, and the same commands from a script.

mod doctor;

use super::{Failure, runtime, until_told_to_stop};
use crate::config::{self, terminal::TerminalFile};
use crate::driver::DriverHandle;
use crate::fleet::{Fleet, Input};
use crate::party;
use crate::qr;
use crypto::{Pin, SoftwareModule};
use doctor::TillDoctor;
use payment::{Amount, Stan, Surroundings, Track2, verdict};
use receipt::Language;
use std::cell::Cell;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use terminal::{Busy, Command, Screen};
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
    "sale 金额 [卡] 消费 · balance [卡] 余额 · reprint [凭证号] 重打印 · eslip [凭证号] 电子小票 · flush 清理待办（不扣款） · withdraw 撤回\n\
     yes|no 回答是否已交货 · signon 签到 · signoff 签退 · echo 回响 · status 状态 · quit 退出\n\
     doctor 打印医生 · d 答复（回答打印医生）",
    "sale AMOUNT [CARD] · balance [CARD] · reprint [TRACE] · eslip [TRACE] · flush (charges nothing) · withdraw\n\
     yes|no (goods handed over?) · signon · signoff · echo · status · quit\n\
     doctor (what is wrong with the printer) · d ANSWER (to the doctor)",
);

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let file: TerminalFile = config::read(&arguments.config).map_err(|error| error.to_string())?;
    let runtime = runtime()?;
    let (_, module) = file.resolve()?;
    let (running, shown) = runtime.block_on(async { party::terminals(&file) })?;
    let till = Till {
        handle: running.handle().clone(),
        module,
        file,
        zh,
        json: arguments.json,
        doctor: Cell::new(None),
    };
    // Whatever the script is waiting for, a signal and a stopped party end it.
    let result = runtime.block_on(async {
        tokio::select! {
            result = till.converse(arguments.script.clone(), shown) => result,
            () = until_told_to_stop() => Ok(()),
            () = till.handle.until_stopped() => {
                Err("the terminal stopped; its journal could not be written".to_owned())
            }
        }
    });
    running.stop()?;
    result.map(|()| ExitCode::SUCCESS)
}

struct Till {
    handle: DriverHandle<Fleet>,
    module: SoftwareModule,
    file: TerminalFile,
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
                self.file.merchant_name,
                self.file.id,
                self.say(HELP)
            );
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
            ["sale", amount] => self.sale(amount, None).await,
            ["sale", amount, card] => self.sale(amount, Some(card)).await,
            ["balance"] => self.balance(None).await,
            ["balance", card] => self.balance(Some(card)).await,
            ["reprint"] => self.press(Command::Reprint(None)),
            ["reprint", trace] => {
                let stan = trace
                    .parse()
                    .map_err(|_| format!("reprint {trace}: a trace number?"))?;
                self.press(Command::Reprint(Some(Stan(stan))))
            }
            ["eslip"] => self.press(Command::ESlip(None)),
            ["eslip", trace] => {
                let stan = trace
                    .parse()
                    .map_err(|_| format!("eslip {trace}: a trace number?"))?;
                self.press(Command::ESlip(Some(Stan(stan))))
            }
            ["flush"] => self.press(Command::Flush),
            ["withdraw"] => self.press(Command::Withdraw),
            ["yes"] => self.press(Command::GoodsHandedOver(true)),
            ["no"] => self.press(Command::GoodsHandedOver(false)),
            ["signon"] => self.press(Command::SignOn),
            ["signoff"] => self.press(Command::SignOff),
            ["echo"] => self.press(Command::Echo),
            ["status"] => self.status().await,
            ["doctor"] => self.call_doctor().await,
            ["d", answer @ ..] => self.answer_doctor(&answer.join(" ")).await,
            _ => Err(self.say(HELP).to_owned()),
        }
    }

    async fn call_doctor(&self) -> Result<(), Failure> {
        let printer = self
            .file
            .printer
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        let language = if self.zh { Language::Zh } else { Language::En };
        let doctor = TillDoctor::begin(self.handle.clone(), printer, language, self.json).await?;
        self.keep(doctor);
        Ok(())
    }

    async fn answer_doctor(&self, text: &str) -> Result<(), Failure> {
        let Some(mut doctor) = self.doctor.take() else {
            return Err(self.say(("先输入 doctor", "type doctor first")).to_owned());
        };
        let taken = doctor.answer(text).await;
        self.keep(doctor);
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
            self.keep(doctor);
            looked?;
        }
        Ok(())
    }

    fn keep(&self, doctor: TillDoctor) {
        self.doctor
            .set(Some(doctor).filter(|doctor| !doctor.is_over()));
    }

    async fn sale(&self, amount: &str, card: Option<&str>) -> Result<(), Failure> {
        let amount = Amount::parse_yuan(amount)
            .filter(|amount| amount.minor > 0)
            .ok_or_else(|| {
                format!(
                    "{amount}: {}",
                    self.say(("金额应如 128 或 128.00", "an amount such as 128 or 128.00"))
                )
            })?;
        let presented = Box::new(self.present(card).await?);
        self.press(Command::Sale { amount, presented })
    }

    async fn balance(&self, card: Option<&str>) -> Result<(), Failure> {
        let presented = Box::new(self.present(card).await?);
        self.press(Command::Balance { presented })
    }

    /// The holder of a test card presents it and enters the PIN.
    async fn present(&self, card: Option<&str>) -> Result<terminal::Presented, Failure> {
        let found = self
            .file
            .cards
            .iter()
            .find(|c| card.is_none_or(|name| c.name == name));
        let card = found.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.file.cards.iter().map(|c| c.name.as_str()).collect();
            format!(
                "{} {}",
                self.say(("可用的测试卡：", "test cards:")),
                names.join(" ")
            )
        })?;
        let module = self.module.clone();
        let look = self.handle.look(move |fleet, now| {
            let random = || [0; 32];
            let around = Surroundings {
                module: &module,
                now,
                random: &random,
            };
            let track =
                Track2::parse(format!("{}D{}201000000000", card.pan, card.expiry).as_bytes())?;
            let pin = card
                .pin
                .as_ref()
                .and_then(|pin| Pin::parse(pin.as_bytes()).ok());
            fleet
                .terminal(0)?
                .present(&around, track, pin.as_ref())
                .ok()
        });
        look.await
            .map_err(|refused| format!("{refused:?}"))?
            .ok_or_else(|| "the card could not be read".to_owned())
    }

    async fn status(&self) -> Result<(), Failure> {
        let look = self.handle.look(|fleet, _| {
            let terminal = fleet.terminal(0)?;
            let state = terminal.state();
            let recent: Vec<_> = state.completed().rev().take(5).copied().collect();
            Some((
                state.batch(),
                state.next_stan(),
                state.totals(),
                terminal.busy(),
                recent,
            ))
        });
        let Some((batch, stan, totals, busy, recent)) =
            look.await.map_err(|refused| format!("{refused:?}"))?
        else {
            return Ok(());
        };
        let waiting = busy.map_or_else(String::new, |busy| self.say(busy_words(busy)).to_owned());
        let sum = Amount::fen(totals.sales_minor);
        if self.zh {
            println!(
                "批次 {batch} · 下一凭证号 {stan} · 成交 {} 笔 {sum} · 冲正 {} 笔 {waiting}",
                totals.sales, totals.reversed
            );
        } else {
            println!(
                "batch {batch} · next trace {stan} · {} sold, {sum} · {} reversed {waiting}",
                totals.sales, totals.reversed
            );
        }
        for completed in recent {
            let ending = match completed.ending {
                terminal::Ending::Approved(a) if a.recovered => verdict::headline("recovered"),
                terminal::Ending::Approved(_) => verdict::headline("paid"),
                terminal::Ending::Declined(_) => ("未成功", "declined"),
                terminal::Ending::NotSent => ("未发出", "not sent"),
                terminal::Ending::Reversed {
                    never_debited: false,
                } => verdict::headline("reversed"),
                terminal::Ending::Reversed {
                    never_debited: true,
                } => verdict::headline("reversed_never_debited"),
                terminal::Ending::Case => ("已转人工", "with the acquirer's staff"),
            };
            let sale = completed.sale;
            println!(
                "  {} {} {} {} {}",
                sale.key.stan,
                completed.at.wall.text(),
                sale.amount,
                sale.card.masked(),
                self.say(ending)
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
        let input = Input::One(0, Box::new(terminal::Input::Cashier(command)));
        self.handle
            .send(input)
            .map_err(|refused| format!("{refused:?}"))
    }

    fn say(&self, words: (&'static str, &'static str)) -> &'static str {
        if self.zh { words.0 } else { words.1 }
    }

    fn show(&self, screen: &Screen) {
        let (text, goods) = self.words(screen);
        if self.json {
            let link = eslip_link(screen);
            println!(
                "{}",
                serde_json::json!({ "screen": screen_name(screen), "sale": sale_name(screen), "text": text, "link": link })
            );
        } else {
            let goods = goods.map_or(String::new(), |goods| format!("  【{goods}】"));
            println!("{text}{goods}");
            if let Some(code) = eslip_link(screen).and_then(qr::blocks) {
                print!("{code}");
            }
        }
    }

    /// The screen in words of the verdict table, and the goods word where one is due.
    fn words(&self, screen: &Screen) -> (String, Option<&'static str>) {
        let row = |id: &str| self.say(verdict::headline(id)).to_owned();
        let deliver = self.say(verdict::Goods::Deliver.words());
        let hold = self.say(verdict::Goods::Hold.words());
        let stop = self.say(verdict::Goods::DoNotDeliver.words());
        let cashier =
            |code: payment::ResponseCode| code.words(payment::response::Audience::Cashier, self.zh);
        match screen {
            Screen::SignedOn => (self.say(("签到成功", "Signed on")).to_owned(), None),
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
                (format!("{} · {}", row("confirming"), key.stan), Some(hold))
            }
            Screen::Approved {
                amount, recovered, ..
            } => (
                format!(
                    "{} {amount}",
                    row(if *recovered { "recovered" } else { "paid" })
                ),
                Some(deliver),
            ),
            Screen::Declined { code, .. } => (
                format!(
                    "{}{}",
                    self.say(("交易未成功：", "Declined: ")),
                    cashier(*code)
                ),
                Some(stop),
            ),
            Screen::NotSent(_) => (
                self.say((
                    "没有连上主机，请求未发出，没有扣款",
                    "No connection: nothing was sent, nothing debited",
                ))
                .to_owned(),
                Some(stop),
            ),
            Screen::Asking(_) => (
                self.say((
                    "没有收到应答，正在查询结果，请勿再次刷卡",
                    "No answer; asking what became of it. Do not present the card again",
                ))
                .to_owned(),
                Some(hold),
            ),
            Screen::Reversing { .. } => (row("reversing_silent"), Some(stop)),
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
            Screen::Reversed { never_debited, .. } => (
                row(if *never_debited {
                    "reversed_never_debited"
                } else {
                    "reversed"
                }),
                Some(stop),
            ),
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

const fn busy_words(busy: Busy) -> (&'static str, &'static str) {
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
        Busy::Exchanging => ("正在通信，请稍候", "Communicating; a moment please"),
    }
}

/// The screen's name in scripts and JSON.
fn screen_name(screen: &Screen) -> &'static str {
    match screen {
        Screen::SignedOn => "signed-on",
        Screen::SignedOff => "signed-off",
        Screen::SignOnRefused(_) => "sign-on-refused",
        Screen::EchoAnswered => "echo",
        Screen::HostSilent => "host-silent",
        Screen::Confirming(_) => "confirming",
        Screen::Approved { .. } => "approved",
        Screen::Declined { .. } => "declined",
        Screen::NotSent(_) => "not-sent",
        Screen::Asking(_) => "asking",
        Screen::Reversing { .. } => "reversing",
        Screen::ReversalRefused { .. } => "reversal-refused",
        Screen::Reversed { .. } => "reversed",
        Screen::Case(_) => "case",
        Screen::AskGoods(_) => "ask-goods",
        Screen::Balance(_) => "balance",
        Screen::BalanceRefused(_) => "balance-refused",
        Screen::Busy(_) => "busy",
        Screen::NothingPending => "nothing-pending",
        Screen::NoSuchSlip => "no-such-slip",
        Screen::ESlip { .. } => "e-slip",
    }
}

fn eslip_link(screen: &Screen) -> Option<&str> {
    match screen {
        Screen::ESlip { link, .. } => Some(link),
        _ => None,
    }
}

fn sale_name(screen: &Screen) -> Option<String> {
    match screen {
        Screen::Confirming(key)
        | Screen::NotSent(key)
        | Screen::Asking(key)
        | Screen::Case(key)
        | Screen::AskGoods(key)
        | Screen::Approved { key, .. }
        | Screen::Declined { key, .. }
        | Screen::Reversing { key, .. }
        | Screen::ReversalRefused { key, .. }
        | Screen::Reversed { key, .. }
        | Screen::ESlip { key, .. } => Some(key.to_string()),
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
