//! The stories: what breaks, what everybody sees while it is broken, and how it ends.

use super::till::Till;
use super::{Ending, World, look, tell_open, until};
use crate::config::Problem;
use crate::fault::{Act, Direction, Fault};
use crate::wallet::simulator as wallet;
use crypto::Pan;
use payment::{Amount, Kind, SaleKey};
use receipt::PrintedSlip;
use std::time::{Duration, Instant};
use terminal::Screen;
use terminal::kernel::Interface;

/// A story.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// Its name; `F…` names the fault (product reference A.0).
    pub id: &'static str,
    /// Title in zh-CN.
    pub zh: &'static str,
    /// Title in English.
    pub en: &'static str,
    /// What happens, in zh-CN.
    pub tale_zh: &'static str,
    /// What happens, in English.
    pub tale_en: &'static str,
    /// Amount in fen; each story has its own.
    amount: u64,
    /// Rows of the verdict table that may stand while the loop is open; empty when it closes at once.
    open: &'static [&'static str],
    /// The row at the end.
    closed: &'static str,
    /// Slips at the end: originals and marked copies.
    slips: (usize, usize),
    plot: Plot,
}

#[derive(Clone, Copy, Debug)]
enum Plot {
    Clean,
    RequestLost,
    IssuerAnswerLost,
    NetworkAnswerLost,
    LastHopLost,
    TillDiesBeforeJournal,
    TillDiesBeforePrinting,
    PaperOut,
    PrinterUnplugged,
    LateApproval,
    RequestTwice,
    ReversalLost,
    SlowHop,
    InsufficientFunds,
    /// A test card of this name.
    Chip(&'static str, Interface),
    PaymentCode,
    ScannedOrder,
}

/// Every story, in the order of the demo.
pub const STORIES: &[Story] = &[
    Story {
        id: "OK",
        zh: "一笔正常的消费",
        en: "A clean sale",
        tale_zh: "请求去，应答回，小票出来：八个环节全部闭合。",
        tale_en: "The request goes out, the answer comes back, the slip comes out: all eight hops close.",
        amount: 12_800,
        open: &[],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::Clean,
    },
    Story {
        id: "F1",
        zh: "请求在到银联之前丢失",
        en: "The request is lost before the network",
        tale_zh: "银行从未见到这笔交易。前置超时后自动冲正，发卡行答：没有扣过款。",
        tale_en: "The bank never saw the sale. The acquirer times out and reverses; the issuer says nothing was debited.",
        amount: 4_510,
        open: &["confirming", "reversing_silent"],
        closed: "reversed_never_debited",
        slips: (1, 0),
        plot: Plot::RequestLost,
    },
    Story {
        id: "F2",
        zh: "短信来了，小票没有：发卡行的应答丢失",
        en: "SMS but no slip: the issuer's answer is lost",
        tale_zh: "发卡行已扣款并发了短信，应答却没有回到银联。无人操作，自动冲正，款项退回。",
        tale_en: "The bank debited and sent its SMS, but the answer never reached the network. It is reversed unasked; the money returns.",
        amount: 12_801,
        open: &["confirming", "reversing_network_gave_up"],
        closed: "reversed",
        slips: (1, 0),
        plot: Plot::IssuerAnswerLost,
    },
    Story {
        id: "F3",
        zh: "银联的应答没有回到前置",
        en: "The network's answer is lost",
        tale_zh: "前置分不清是请求丢了还是应答丢了，所以无论如何都冲正。",
        tale_en: "The acquirer cannot tell a lost request from a lost answer, so it reverses either way.",
        amount: 3_650,
        open: &["confirming", "reversing_silent"],
        closed: "reversed",
        slips: (1, 0),
        plot: Plot::NetworkAnswerLost,
    },
    Story {
        id: "F4",
        zh: "应答在最后一段丢失",
        en: "The answer is lost on the last hop",
        tale_zh: "前置知道已成功，POS 没有听到。终端自己来问，找回结果并打印：交易保留，不冲正。",
        tale_en: "The acquirer knows it is approved, the POS heard nothing. The terminal asks, recovers the result and prints: the sale is kept.",
        amount: 22_000,
        open: &["approved_unconfirmed", "approved_undelivered"],
        closed: "recovered",
        slips: (2, 0),
        plot: Plot::LastHopLost,
    },
    Story {
        id: "F5",
        zh: "POS 收到应答、还没记下就断电",
        en: "The POS dies before it wrote the answer down",
        tale_zh: "断电时应答正在路上。重新开机后终端先问结果，再打印。",
        tale_en: "Power goes while the answer is on its way. Back on, the terminal first asks, then prints.",
        amount: 990,
        open: &["approved_unconfirmed", "approved_undelivered"],
        closed: "recovered",
        slips: (2, 0),
        plot: Plot::TillDiesBeforeJournal,
    },
    Story {
        id: "F6",
        zh: "POS 记下了结果，打印前断电",
        en: "The POS dies before it printed",
        tale_zh: "结果已在日志里，小票还没出。重新开机后自动补上，正好一份。",
        tale_en: "The outcome is in the journal, the slip is not on paper. Back on, it prints by itself, exactly once.",
        amount: 15_600,
        open: &["approved_unconfirmed", "paid_not_printed", "paid_eslip"],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::TillDiesBeforePrinting,
    },
    Story {
        id: "F7a",
        zh: "缺纸",
        en: "Out of paper",
        tale_zh: "款已收妥，小票打不出。换上纸，自动补打；钱一分不动。",
        tale_en: "The money is taken, the slip cannot print. New paper, and it prints by itself; the money does not move.",
        amount: 5_800,
        open: &["approved_unconfirmed", "paid_not_printed", "paid_eslip"],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::PaperOut,
    },
    Story {
        id: "F7d",
        zh: "打印机脱机",
        en: "The printer is offline",
        tale_zh: "网线松了。插回去，小票自己出来。",
        tale_en: "The cable is loose. Plugged in again, the slip comes out by itself.",
        amount: 6_200,
        open: &["approved_unconfirmed", "paid_not_printed", "paid_eslip"],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::PrinterUnplugged,
    },
    Story {
        id: "F8",
        zh: "成功应答在冲正发出之后才到",
        en: "The approval arrives after the reversal left",
        tale_zh: "迟到的“同意”不会改变什么：冲正照常完成，不会扣两次，也不会漏退。",
        tale_en: "A late approval changes nothing: the reversal completes, no double debit, nothing kept.",
        amount: 33_300,
        open: &[
            "confirming",
            "reversing_silent",
            "reversing_late_approval",
            "reversed",
        ],
        closed: "reversed",
        slips: (1, 0),
        plot: Plot::LateApproval,
    },
    Story {
        id: "F9",
        zh: "同一请求到了两次",
        en: "The same request arrives twice",
        tale_zh: "网络把请求复制了一份。第二份得到同样的应答，不会再扣一次。",
        tale_en: "The network duplicates the request. The second copy gets the same answer and debits nothing.",
        amount: 7_700,
        open: &[],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::RequestTwice,
    },
    Story {
        id: "F10",
        zh: "冲正也丢了",
        en: "The reversal is lost too",
        tale_zh: "应答丢失，头三次冲正也丢失。冲正不会放弃，直到发卡行确认。",
        tale_en: "The answer is lost, and the first three reversals as well. The reversal is never given up until the issuer confirms.",
        amount: 8_800,
        open: &["confirming", "reversing_silent", "reversal_retrying"],
        closed: "reversed",
        slips: (1, 0),
        plot: Plot::ReversalLost,
    },
    Story {
        id: "F12",
        zh: "一段很慢",
        en: "One hop is slow",
        tale_zh: "应答慢了八百毫秒，仍在超时之内：请稍候，然后成功。",
        tale_en: "The answer takes 800 ms longer, still within the time-out: wait, then paid.",
        amount: 11_100,
        open: &["confirming"],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::SlowHop,
    },
    Story {
        id: "51",
        zh: "余额不足",
        en: "Not enough funds",
        tale_zh: "发卡行拒绝：没有扣款，请换一种方式付款。",
        tale_en: "The issuer declines: nothing was debited, use another way of paying.",
        amount: 4_999_999,
        open: &[],
        closed: "declined",
        slips: (0, 0),
        plot: Plot::InsufficientFunds,
    },
    Story {
        id: "IC",
        zh: "插卡消费，输密",
        en: "An inserted chip with PIN",
        tale_zh: "卡片自己计算 ARQC，发卡行验证后以 ARPC 作答，卡片认出自己的银行，给出 TC。",
        tale_en: "The card computes its ARQC, the bank checks it and answers with an ARPC, the card recognises its bank and gives its TC.",
        amount: 6_610,
        open: &[],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::Chip("chip", Interface::Contact),
    },
    Story {
        id: "TAP",
        zh: "挥卡，限额内免密免签",
        en: "A tap up to the limit, without PIN",
        tale_zh: "挥卡一次即得密文，限额以内不输密、不签名。",
        tale_en: "One tap gives the cryptogram; up to the limit neither PIN nor signature is asked for.",
        amount: 2_350,
        open: &[],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::Chip("chip", Interface::Contactless),
    },
    Story {
        id: "59",
        zh: "伪造的芯片：ARQC 不对",
        en: "A forged chip: the ARQC is wrong",
        tale_zh: "卡号是真的，密钥不是。发卡行验不过密文，拒绝，分文未动。",
        tale_en: "The number is real, the key is not. The bank cannot verify the cryptogram and declines; no money moves.",
        amount: 9_900,
        open: &[],
        closed: "declined",
        slips: (0, 0),
        plot: Plot::Chip("forged", Interface::Contact),
    },
    Story {
        id: "96",
        zh: "主机批准，卡片拒绝：ARPC 不对",
        en: "Approved by the host, refused by the card: the ARPC is wrong",
        tale_zh: "卡片认不出发卡行的应答，给出 AAC。终端不打印成功，以原因 96 自动冲正，款项退回。",
        tale_en: "The card does not recognise its bank's answer and gives an AAC. The terminal prints no sale and reverses with reason 96; the money returns.",
        amount: 7_720,
        open: &[],
        closed: "reversed",
        slips: (1, 0),
        plot: Plot::Chip("bent", Interface::Contact),
    },
    Story {
        id: "W1",
        zh: "顾客出示付款码，应答丢失",
        en: "The customer shows a payment code, and the answer is lost",
        tale_zh: "钱包扣了款，应答却丢了。前置不重扣，只轮询，问到“已支付”才算成功。",
        tale_en: "The wallet took the money and its answer was lost. The acquirer charges nothing again: it polls, and only \"paid\" counts.",
        amount: 2_680,
        open: &[],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::PaymentCode,
    },
    Story {
        id: "W2",
        zh: "顾客扫收款码付款",
        en: "The customer scans the shop's code",
        tale_zh: "终端显示订单的二维码，顾客在手机上确认，终端查询到结果后打印。",
        tale_en: "The till shows the order's code, the customer agrees on the phone, the till asks for the result and prints.",
        amount: 3_880,
        open: &[],
        closed: "paid",
        slips: (2, 0),
        plot: Plot::ScannedOrder,
    },
];

/// Who pays by wallet.
const CUSTOMER: &str = "li";
const HALF_A_SECOND: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a story on a till of its own.
pub(super) async fn run(world: &World, story: &Story, zh: bool) -> (Ending, Vec<PrintedSlip>) {
    let mut ending = Ending {
        id: story.id,
        title: (story.zh.to_owned(), story.en.to_owned()),
        sale: None,
        slips: (0, 0),
        heal_seconds: None,
        problems: Vec::new(),
    };
    let mut slips = Vec::new();
    let stage = world.hosts().stage;
    let _stage = stage.lock().await;
    if let Err(problem) = play(world, story, zh, &mut ending, &mut slips).await {
        ending.problems.push(problem);
    }
    world.upstream.heal();
    world.bank.heal();
    (ending, slips)
}

async fn play(
    world: &World,
    story: &Story,
    zh: bool,
    ending: &mut Ending,
    slips: &mut Vec<PrintedSlip>,
) -> Result<(), Problem> {
    let number = STORIES.iter().position(|s| s.id == story.id).unwrap_or(0) + 1;
    let mut till = Till::start(world, number).await?;
    let before = suspense(world).await?;
    let notices = world.notices().len();
    break_hops(world, &till, story.plot);
    let spent = spent(world)?;
    let key = begin(world, &mut till, story).await?;
    let healed = unfold(world, &mut till, story, key, zh).await?;
    let reached = until(PATIENCE, || async {
        let sale = look(world, key.to_string()).await?;
        (sale.row == story.closed).then_some((sale, Instant::now()))
    })
    .await;
    let Some((sale, closed_at)) = reached else {
        let now = look(world, key.to_string())
            .await
            .map_or_else(|| "nothing".to_owned(), |s| s.row);
        ending.sale = look(world, key.to_string()).await;
        return Err(format!(
            "the acquirer says {now}, expected {}",
            story.closed
        ));
    };
    ending.heal_seconds = healed.map(|at| closed_at.saturating_duration_since(at).as_secs_f64());
    ending.sale = Some(sale);
    until(PATIENCE, || async {
        (till.slips() == story.slips).then_some(())
    })
    .await;
    ending.slips = till.slips();
    *slips = till.printer.with(|printer| printer.papers().to_vec());
    check(world, &till, story, (before, spent), ending).await?;
    for (chinese, english) in &world.notices()[notices..] {
        println!(" ✉ {}", if zh { chinese } else { english });
    }
    if story.id == "OK" {
        println!("{}", till.paper());
    }
    till.switch_off().await
}

/// Plans the faults of a plot.
fn break_hops(world: &World, till: &Till, plot: Plot) {
    let fault = |mti, direction, act, times| Fault {
        mti: Some(mti),
        direction,
        act,
        times,
    };
    match plot {
        Plot::Clean | Plot::InsufficientFunds | Plot::ScannedOrder | Plot::Chip(..) => {}
        Plot::PaymentCode => world.wallet.plan(wallet::Act::LosePaidAnswer, 1),
        Plot::RequestLost => world
            .upstream
            .plan(fault(0x0200, Direction::Forth, Act::Drop, 1)),
        Plot::IssuerAnswerLost => world
            .bank
            .plan(fault(0x0210, Direction::Forth, Act::Drop, 1)),
        Plot::NetworkAnswerLost => {
            world
                .upstream
                .plan(fault(0x0210, Direction::Back, Act::Drop, 1))
        }
        Plot::LastHopLost => till.hop.plan(fault(0x0210, Direction::Back, Act::Drop, 1)),
        Plot::TillDiesBeforeJournal => {
            till.hop.plan(fault(
                0x0210,
                Direction::Back,
                Act::Delay(Duration::from_millis(1_500)),
                1,
            ));
        }
        Plot::TillDiesBeforePrinting | Plot::PrinterUnplugged => till.printer.set_linked(false),
        Plot::PaperOut => till.printer.with(|printer| printer.set_paper_out(true)),
        Plot::LateApproval => {
            let late = Duration::from_millis(world.ladder().acquirer_ms + 300);
            world
                .upstream
                .plan(fault(0x0210, Direction::Back, Act::Delay(late), 1));
        }
        Plot::RequestTwice => till
            .hop
            .plan(fault(0x0200, Direction::Forth, Act::Twice, 1)),
        Plot::ReversalLost => {
            world
                .upstream
                .plan(fault(0x0210, Direction::Back, Act::Drop, 1));
            world
                .upstream
                .plan(fault(0x0420, Direction::Forth, Act::Drop, 3));
        }
        Plot::SlowHop => {
            world.upstream.plan(fault(
                0x0210,
                Direction::Back,
                Act::Delay(Duration::from_millis(800)),
                1,
            ));
        }
    }
}

/// Plays the middle of a story; gives the moment from which healing counts.
async fn unfold(
    world: &World,
    till: &mut Till,
    story: &Story,
    key: SaleKey,
    zh: bool,
) -> Result<Option<Instant>, Problem> {
    let ladder = world.ladder();
    let started = Instant::now();
    let after = |ms: u64| Some(started + Duration::from_millis(ms));
    match story.plot {
        Plot::Clean
        | Plot::RequestTwice
        | Plot::InsufficientFunds
        | Plot::PaymentCode
        | Plot::Chip(..) => {
            return Ok(None);
        }
        Plot::ScannedOrder => {
            let scan = |screen: &Screen| matches!(screen, Screen::Scan { .. });
            let Screen::Scan { qr, .. } = till.wait(scan).await? else {
                return Ok(None);
            };
            if let Some(code) = crate::qr::blocks(qr.as_str()) {
                print!("{code}");
            }
            let number = qr
                .as_str()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let agrees = world.wallet.confirm(&number, Some(CUSTOMER))?;
            return agrees
                .then_some(None)
                .ok_or_else(|| "the wallet knows no such order".to_owned());
        }
        Plot::TillDiesBeforeJournal => {
            tokio::time::sleep(HALF_A_SECOND).await;
            till.switch_off().await?;
            open(world, story, key, zh).await?;
            till.switch_on()?;
            return Ok(Some(Instant::now()));
        }
        Plot::TillDiesBeforePrinting => {
            till.wait(|screen| matches!(screen, Screen::Approved { .. }))
                .await?;
            till.switch_off().await?;
            open(world, story, key, zh).await?;
            till.printer.set_linked(true);
            till.switch_on()?;
            return Ok(Some(Instant::now()));
        }
        Plot::PaperOut | Plot::PrinterUnplugged => {
            until(PATIENCE, || async {
                let row = look(world, key.to_string()).await?.row;
                matches!(&*row, "paid_not_printed" | "paid_eslip").then_some(())
            })
            .await;
            open(world, story, key, zh).await?;
            till.printer.with(|printer| printer.set_paper_out(false));
            till.printer.set_linked(true);
            return Ok(Some(Instant::now()));
        }
        Plot::LateApproval | Plot::ReversalLost => {
            tokio::time::sleep(Duration::from_millis(ladder.acquirer_ms + 100)).await;
        }
        Plot::RequestLost
        | Plot::NetworkAnswerLost
        | Plot::IssuerAnswerLost
        | Plot::LastHopLost
        | Plot::SlowHop => {
            tokio::time::sleep(HALF_A_SECOND).await;
        }
    }
    open(world, story, key, zh).await?;
    Ok(match story.plot {
        Plot::IssuerAnswerLost => after(ladder.network_ms),
        Plot::LastHopLost => after(ladder.terminal_ms),
        Plot::ReversalLost => {
            // The hop works again once the planned losses are used up: three attempts after the time-out.
            after(ladder.acquirer_ms + 2_500)
        }
        Plot::SlowHop => None,
        _ => after(ladder.acquirer_ms),
    })
}

/// What is said while the loop is open must be one of the story's open rows.
async fn open(world: &World, story: &Story, key: SaleKey, zh: bool) -> Result<(), Problem> {
    let sale = look(world, key.to_string())
        .await
        .ok_or("the acquirer does not know the sale")?;
    tell_open(&sale, zh);
    if story.open.contains(&sale.row.as_str()) || sale.row == story.closed {
        return Ok(());
    }
    Err(format!(
        "while open the acquirer says {}, expected one of {:?}",
        sale.row, story.open
    ))
}

/// Money, paper and books at the end.
async fn check(
    world: &World,
    till: &Till,
    story: &Story,
    (suspense_before, spent_before): (i64, i64),
    ending: &mut Ending,
) -> Result<(), Problem> {
    let kept = matches!(story.closed, "paid" | "recovered");
    let moved = if kept { story.amount as i64 } else { 0 };
    let scanned = matches!(story.plot, Plot::PaymentCode | Plot::ScannedOrder);
    for (who, took, expected) in [
        (
            "issuer",
            suspense(world).await? - suspense_before,
            if scanned { 0 } else { moved },
        ),
        (
            "wallet",
            spent(world)? - spent_before,
            if scanned { moved } else { 0 },
        ),
    ] {
        if took != expected {
            ending.problems.push(format!(
                "the {who} took {took} fen for this sale, expected {expected}"
            ));
        }
    }
    if let Err(error) = world.wallet.audit() {
        ending.problems.push(format!("the wallet's books: {error}"));
    }
    if till.slips() != story.slips {
        ending.problems.push(format!(
            "slips on paper {:?}, expected {:?}",
            till.slips(),
            story.slips
        ));
    }
    let audited = world
        .issuer()
        .look(|issuer, _| issuer.audit().map_err(|error| format!("{error:?}")))
        .await;
    if let Ok(Err(error)) = audited {
        ending.problems.push(format!("the issuer's books: {error}"));
    }
    let audited = world
        .acquirer()
        .look(|a, _| {
            a.state()
                .books()
                .ledger()
                .audit()
                .map_err(|error| format!("{error:?}"))
        })
        .await;
    if let Ok(Err(error)) = audited {
        ending
            .problems
            .push(format!("the acquirer's books: {error}"));
    }
    Ok(())
}

/// What the wallet has taken from its customer so far, in fen.
fn spent(world: &World) -> Result<i64, Problem> {
    let accounts = world.wallet.accounts()?;
    let customer = accounts.iter().find(|account| account.name == CUSTOMER);
    Ok(customer.map_or(0, |account| -account.balance_minor))
}

/// The customer presents a card, a code, or a telephone.
async fn begin(world: &World, till: &mut Till, story: &Story) -> Result<SaleKey, Problem> {
    let amount = Amount::fen(story.amount);
    match story.plot {
        Plot::PaymentCode => {
            let code = world.wallet.new_code(CUSTOMER)?.ok_or("no such customer")?;
            let code = Pan::parse(code.as_bytes()).map_err(|error| format!("{error:?}"))?;
            till.scan(Kind::WalletSale, amount, Some(code)).await
        }
        Plot::ScannedOrder => till.scan(Kind::WalletOrder, amount, None).await,
        Plot::Chip(card, interface) => till.sell_by_chip(amount, card, interface).await,
        _ => till.sell(amount).await,
    }
}

async fn suspense(world: &World) -> Result<i64, Problem> {
    world
        .issuer()
        .look(|issuer, _| issuer.suspense())
        .await
        .map_err(|refused| format!("{refused:?}"))
}
