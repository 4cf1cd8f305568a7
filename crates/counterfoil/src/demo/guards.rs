//! "Do not swipe again" between two tills of one merchant: what each way on does to the merchant's money, to the
//! cardholder's and to the drawer.

use super::kinds::{money, signed, table};
use super::till::Till;
use super::{Failed, World, look, until};
use crate::config::Problem;
use crate::fault::{Act, Direction, Fault};
use payment::{Amount, CNY, Kind, LinkReason, Linked, SaleKey};
use std::time::Duration;
use terminal::{Command, Ending, Order, Screen};

/// The tills of this walk; those before are taken.
const TILLS: (usize, usize) = (21, 22);
const PATIENCE: Duration = Duration::from_secs(20);
/// The issuer's answer comes so late: within its time-out, and behind the second till's question.
const SLOW: Duration = Duration::from_millis(900);

/// What the second till does.
#[derive(Clone, Copy)]
enum Way {
    Wait,
    Cash,
    ChargeAnyway,
}

struct Step {
    zh: &'static str,
    en: &'static str,
    way: Way,
    minor: u64,
    /// How the first till's sale ends.
    closed: &'static str,
    /// What it adds to the merchant's money, in fen.
    merchant: i64,
    /// What it adds to what the cardholder can spend, in fen.
    cardholder: i64,
    /// What it adds to the second till's cash, in fen.
    cash: i64,
}

const STEPS: [Step; 3] = [
    Step {
        zh: "拦下再次刷卡，等待结果",
        en: "A second swipe is held back; wait",
        way: Way::Wait,
        minor: 4_100,
        closed: "paid",
        merchant: 4_100,
        cardholder: -4_100,
        cash: 0,
    },
    Step {
        zh: "改收现金，迟到的同意自动退回",
        en: "Cash instead; the late approval refunds itself",
        way: Way::Cash,
        minor: 4_200,
        closed: "reversed",
        merchant: 0,
        cardholder: 0,
        cash: 4_200,
    },
    Step {
        zh: "关联后仍刷卡，前一笔自动冲正",
        en: "Charged anyway, linked; the earlier one is reversed",
        way: Way::ChargeAnyway,
        minor: 4_300,
        closed: "reversed",
        merchant: 4_300,
        cardholder: -4_300,
        cash: 0,
    },
];

/// Walks through the ways on and prints the table; false when one did something else than it must.
pub(super) async fn run(world: &World, zh: bool) -> Result<(), Failed> {
    println!(
        "\n{}",
        if zh {
            "── 请勿再次刷卡 ──────────────────────────"
        } else {
            "── Do not present the card again ────────────"
        }
    );
    let head = match zh {
        true => ["", "做法", "第一笔", "商户", "持卡人可用", "现金"],
        false => ["", "way on", "first sale", "merchant", "cardholder", "cash"],
    };
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let walked = walk(world, zh, &mut rows).await;
    world.bank.heal();
    println!("{}", table(&rows));
    if let Err(problem) = &walked {
        println!(" ✕ {problem}");
    }
    walked.map_err(|_| Failed)
}

async fn walk(world: &World, zh: bool, rows: &mut Vec<Vec<String>>) -> Result<(), Problem> {
    let mut first = Till::start(world, TILLS.0).await?;
    let mut second = Till::start(world, TILLS.1).await?;
    for step in &STEPS {
        let row = take(world, &mut first, &mut second, step, zh).await;
        rows.push(row?);
    }
    first.switch_off().await?;
    second.switch_off().await
}

async fn take(
    world: &World,
    first: &mut Till,
    second: &mut Till,
    step: &Step,
    zh: bool,
) -> Result<Vec<String>, Problem> {
    let merchant = first.merchant()?;
    for till in [&*first, &*second] {
        let settled = || async {
            let look = till.look(|terminal| terminal.state().is_settled().then_some(()));
            look.await.ok().flatten()
        };
        until(PATIENCE, settled)
            .await
            .ok_or_else(|| format!("{}: a till is not ready", step.en))?;
    }
    let (before, cash) = (
        money(world, merchant, CNY).await?,
        cash_minor(second).await?,
    );
    world.bank.plan(Fault {
        mti: Some(0x0210),
        direction: Direction::Forth,
        act: Act::Delay(SLOW),
        times: 1,
    });
    let amount = Amount::fen(step.minor);
    let earlier = first.sell(amount).await?;
    second.sell(amount).await?;
    let guard = |screen: &Screen| matches!(screen, Screen::Guard { .. } | Screen::Approved { .. });
    match second.wait(guard).await? {
        Screen::Guard { earlier: told, .. } if told == earlier => {}
        other => return Err(format!("{}: the second till showed {other:?}", step.en)),
    }
    go_on(second, step.way, amount, earlier).await?;
    let closed = until(PATIENCE, || async {
        let sale = look(world, earlier.to_string()).await?;
        (sale.row == step.closed).then_some(sale)
    });
    let sale = closed
        .await
        .ok_or_else(|| format!("{}: {earlier} did not end as {}", step.en, step.closed))?;
    let expected = (before.0 + step.merchant, before.1 + step.cardholder);
    let settled = until(PATIENCE, || async {
        (money(world, merchant, CNY).await.ok()? == expected).then_some(())
    });
    settled
        .await
        .ok_or_else(|| format!("{}: the money is not where it must be", step.en))?;
    if step.closed == "reversed" {
        knows_that_it_was_taken_back(first, earlier)
            .await
            .ok_or_else(|| format!("{}: the first till still has {earlier}", step.en))?;
    }
    let taken = cash_minor(second).await? - cash;
    if taken != step.cash {
        return Err(format!("{}: {taken} fen of cash", step.en));
    }
    let say = |words: (&str, &str)| if zh { words.0 } else { words.1 }.to_owned();
    Ok(vec![
        "✓".to_owned(),
        say((step.zh, step.en)),
        say((&sale.headline.0, &sale.headline.1)),
        signed(step.merchant, CNY, zh),
        signed(step.cardholder, CNY, zh),
        signed(step.cash, CNY, zh),
    ])
}

/// The first till heard by its own question or by a notice that its sale does not stand.
async fn knows_that_it_was_taken_back(first: &Till, sale: SaleKey) -> Option<()> {
    let knows = || async {
        let look = first.look(move |terminal| {
            let mut completed = terminal.state().completed();
            let own = completed.find(|completed| completed.sale.key == sale)?;
            matches!(own.ending, Ending::Reversed { .. }).then_some(())
        });
        look.await.ok().flatten()
    };
    until(PATIENCE, knows).await
}

/// What the second cashier does about the refusal.
async fn go_on(till: &mut Till, way: Way, amount: Amount, earlier: SaleKey) -> Result<(), Problem> {
    match way {
        Way::Wait => Ok(()),
        Way::Cash => {
            let instead_of = Some(earlier);
            till.command(Command::Cash { amount, instead_of })?;
            let taken = |screen: &Screen| matches!(screen, Screen::CashTaken { .. });
            till.wait(taken).await.map(drop)
        }
        Way::ChargeAnyway => {
            let presented = till.present().await?;
            let reason = LinkReason::Cardholder;
            till.command(Command::Transact(Box::new(Order {
                kind: Kind::Purchase,
                amount: Some(amount),
                presented: Some(presented),
                original: None,
                linked: Some(Linked { earlier, reason }),
                to: None,
            })))?;
            let approved = |screen: &Screen| matches!(screen, Screen::Approved { .. });
            till.wait(approved).await.map(drop)
        }
    }
}

/// The till's cash, in fen.
async fn cash_minor(till: &Till) -> Result<i64, Problem> {
    let look = till.look(|terminal| Some(terminal.state().totals().cash_minor as i64));
    look.await?.ok_or_else(|| "the till is off".to_owned())
}
