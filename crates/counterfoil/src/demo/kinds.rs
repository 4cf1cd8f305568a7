//! Every kind of the counter, one after another at one till: what each does to the merchant's money and to the
//! cardholder's, and what is refused.

use super::till::Till;
use super::{Failed, World, columns, look, until};
use crate::config::Problem;
use crate::view::SaleView;
use payment::download::{Download, Step as DownloadStep};
use payment::kind::{Flow, PinRule, Rail};
use payment::{Amount, CNY, Currency, Kind, MerchantId, Posting, SaleKey, Stan};
use std::fmt::Write;
use std::time::Duration;
use terminal::{Named, Screen};

/// The till of this walk; the stories have those before.
const TILL: usize = 20;
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the positive sign may take.
const CLOSES: Duration = Duration::from_secs(5);

/// One transaction of the walk.
struct Step {
    kind: Kind,
    /// In fen; without it all that the original stands for.
    minor: Option<u64>,
    /// The step that it is about.
    about: Option<usize>,
    code: &'static str,
    /// What it adds to the merchant's money, in fen.
    merchant: i64,
    /// What it adds to what the cardholder can spend, in fen; of a barter, what it takes out of escrow.
    cardholder: i64,
    /// The test card.
    card: &'static str,
    /// The test card that receives the amount, where one does.
    to: &'static str,
}

const fn step(
    kind: Kind,
    minor: Option<u64>,
    about: Option<usize>,
    code: &'static str,
    merchant: i64,
    cardholder: i64,
) -> Step {
    Step {
        kind,
        minor,
        about,
        code,
        merchant,
        cardholder,
        card: "debit",
        to: "",
    }
}

const fn between(step: Step, card: &'static str, to: &'static str) -> Step {
    Step { card, to, ..step }
}

/// Each line: kind, amount, of which line, code, merchant, cardholder.
const STEPS: [Step; 33] = [
    step(Kind::BalanceInquiry, None, None, "00", 0, 0),
    step(Kind::Purchase, Some(12_800), None, "00", 12_800, -12_800),
    step(Kind::Void, None, Some(1), "00", -12_800, 12_800),
    step(Kind::Void, None, Some(1), "22", 0, 0),
    step(Kind::Purchase, Some(8_800), None, "00", 8_800, -8_800),
    step(Kind::Refund, Some(3_000), Some(4), "00", -3_000, 3_000),
    step(Kind::Refund, Some(5_801), Some(4), "64", 0, 0),
    step(Kind::Refund, Some(5_800), Some(4), "00", -5_800, 5_800),
    step(Kind::PreAuth, Some(50_000), None, "00", 0, -50_000),
    step(
        Kind::IncrementalAuth,
        Some(10_000),
        Some(8),
        "00",
        0,
        -10_000,
    ),
    step(Kind::Completion, Some(69_001), Some(8), "61", 0, 0),
    step(Kind::Completion, Some(58_000), Some(8), "00", 58_000, 2_000),
    step(Kind::CompletionVoid, None, Some(11), "00", -58_000, -2_000),
    step(Kind::PreAuthVoid, None, Some(8), "00", 0, 60_000),
    step(Kind::PreAuth, Some(20_000), None, "00", 0, -20_000),
    step(
        Kind::CompletionAdvice,
        Some(18_500),
        Some(14),
        "00",
        18_500,
        1_500,
    ),
    step(Kind::OfflineSale, Some(6_600), None, "00", 6_600, -6_600),
    step(Kind::Adjustment, Some(7_200), Some(16), "00", 600, -600),
    step(Kind::Purchase, Some(20_000), None, "00", 20_000, -20_000),
    step(
        Kind::TipAdjustment,
        Some(23_000),
        Some(18),
        "00",
        3_000,
        -3_000,
    ),
    step(Kind::TipAdjustment, Some(30_001), Some(18), "61", 0, 0),
    step(Kind::Refund, Some(1_000), Some(15), "00", -1_000, 1_000),
    step(Kind::Void, None, Some(18), "00", -23_000, 23_000),
    step(Kind::Completion, Some(100), Some(18), "12", 0, 0),
    // From one cardholder to another: nothing is owed to the merchant, and no bank keeps anything.
    between(
        step(Kind::Transfer, Some(4_600), None, "00", 0, 0),
        "debit",
        "credit",
    ),
    between(
        step(Kind::Transfer, Some(4_700), None, "00", 0, 0),
        "debit",
        "second",
    ),
    between(
        step(Kind::Transfer, Some(4_800), None, "14", 0, 0),
        "second",
        "lost",
    ),
    between(
        step(Kind::BarterSale, Some(12_300), None, "00", 0, -12_300),
        "buyer",
        "seller",
    ),
    between(
        step(Kind::BarterDelivery, None, Some(27), "00", 0, 12_300),
        "buyer",
        "",
    ),
    between(
        step(Kind::BarterReturn, None, Some(27), "22", 0, 0),
        "buyer",
        "",
    ),
    between(
        step(Kind::BarterSale, Some(5_000), None, "00", 0, -5_000),
        "buyer",
        "seller",
    ),
    between(
        step(Kind::BarterReturn, None, Some(30), "00", 0, 5_000),
        "buyer",
        "",
    ),
    between(
        step(Kind::Purchase, Some(100), None, "A1", 0, 0),
        "buyer",
        "",
    ),
];

/// The charges that no line above walks through: each once, for what its posting does.
fn others() -> impl Iterator<Item = Step> {
    let walked = |kind: Kind| STEPS.iter().any(|step| step.kind == kind);
    let charges = Kind::ALL.iter().copied().filter(move |kind| {
        let row = kind.row();
        let alone = row.original.is_none() && !row.receiver && row.unit == CNY;
        row.rail == Rail::Card && row.charges() && alone && !walked(*kind)
    });
    charges.zip(0..).map(|(kind, n)| {
        let minor: u64 = 9_100 + 100 * n;
        let merchant = match kind.row().posting {
            Posting::Debit => minor.cast_signed(),
            _ => 0,
        };
        step(
            kind,
            Some(minor),
            None,
            "00",
            merchant,
            -minor.cast_signed(),
        )
    })
}

/// What became of a step.
struct Line {
    kind: Kind,
    amount: Amount,
    code: String,
    sale: Option<SaleView>,
    merchant: i64,
    cardholder: i64,
    slips: usize,
    problem: Option<Problem>,
}

/// Walks through every kind and prints the table; false when one did something else than it must.
pub(super) async fn run(world: &World, zh: bool) -> Result<(), Failed> {
    println!(
        "\n{}",
        if zh {
            "── 柜台上的每一种交易 ──────────────────────"
        } else {
            "── Every kind of the counter ────────────────"
        }
    );
    let mut lines = Vec::new();
    let walked = walk(world, &mut lines).await;
    println!("{}", table(&rows_of(&lines, zh)));
    let problems = lines.iter().filter_map(|line| line.problem.as_ref());
    for problem in problems.clone().chain(walked.as_ref().err()) {
        println!(" ✕ {problem}");
    }
    match walked.is_ok() && problems.count() == 0 {
        true => Ok(()),
        false => Err(Failed),
    }
}

async fn walk(world: &World, lines: &mut Vec<Line>) -> Result<(), Problem> {
    let mut till = Till::start(world, TILL).await?;
    let mut keys = Vec::new();
    for (number, step) in STEPS.into_iter().chain(others()).enumerate() {
        let (line, key) = take(world, &mut till, number, &step, &keys).await?;
        keys.push(key);
        lines.push(line);
    }
    for download in Download::ALL {
        lines.push(fetch(&mut till, download).await?);
    }
    till.switch_off().await
}

/// The till fetches a download anew: it moves no money and prints nothing.
async fn fetch(till: &mut Till, download: Download) -> Result<Line, Problem> {
    let kind = download
        .kind(DownloadStep::Take)
        .ok_or("no such download")?;
    till.command(terminal::Command::Download(Some(download)))?;
    let over = |screen: &Screen| match screen {
        Screen::Downloaded { download: done, .. }
        | Screen::DownloadFailed { download: done, .. } => *done == download,
        _ => false,
    };
    let problem = match till.wait(over).await? {
        Screen::Downloaded { .. } => None,
        other => Some(format!("{kind:?}: {other:?}")),
    };
    Ok(Line {
        kind,
        amount: Amount::fen(0),
        code: if problem.is_none() { "00" } else { "–" }.to_owned(),
        sale: None,
        merchant: 0,
        cardholder: 0,
        slips: 0,
        problem,
    })
}

async fn take(
    world: &World,
    till: &mut Till,
    number: usize,
    step: &Step,
    keys: &[Option<SaleKey>],
) -> Result<(Line, Option<SaleKey>), Problem> {
    let (merchant, unit) = (till.merchant()?, step.kind.row().unit);
    let (before, slips) = (money(world, merchant, unit).await?, till.slips().0);
    let about = step.about.and_then(|n| keys.get(n).copied().flatten());
    let named = match (step.about, about) {
        (Some(n), None) => {
            return Err(format!("step {number} is about step {n}, which has no key"));
        }
        (_, about) => about.map(|key| Named::Own(key.stan)),
    };
    // What the till itself would not start is asked by the reference on the slip, as another till would.
    let named = match (named, about) {
        (Some(_), Some(key)) if !till.has_own(step.kind, key.stan).await? => {
            Some(Named::Typed(world.named(key).await?))
        }
        (named, _) => named,
    };
    let in_unit = |minor| Amount {
        minor,
        currency: unit,
    };
    let amount = step.minor.map(in_unit);
    let key = till.order(step, amount, named).await?;
    let code = match step.kind.row().flow {
        Flow::Online if !step.kind.row().moves_money() => till.balance_code().await?,
        _ => match key {
            Some(key) => answered(world, key).await?,
            None => return Err(format!("step {number} has no key")),
        },
    };
    let expected = (before.0 + step.merchant, before.1 + step.cardholder);
    let settled = until(PATIENCE, || async {
        (money(world, merchant, unit).await.ok()? == expected).then_some(())
    });
    let right = code == step.code && settled.await.is_some();
    let after = money(world, merchant, unit).await?;
    if code == "00" && step.kind.row().moves_money() {
        let printed = until(PATIENCE, || async {
            (till.slips().0 >= slips + 2).then_some(())
        });
        printed.await.ok_or(format!("step {number}: no slip"))?;
    }
    let sale = match key {
        Some(key) => closed(world, key).await,
        None => None,
    };
    let line = Line {
        kind: step.kind,
        amount: amount.unwrap_or(in_unit(sale.as_ref().map_or(0, |sale| sale.amount_minor))),
        sale,
        merchant: after.0 - before.0,
        cardholder: after.1 - before.1,
        slips: till.slips().0 - slips,
        problem: (!right).then(|| {
            format!(
                "step {number}: {:?} {code} instead of {}, {after:?} instead of {expected:?}",
                step.kind, step.code
            )
        }),
        code,
    };
    Ok((line, key))
}

/// What the acquirer knows of a transaction once nobody owes a step, or what it knows after a while.
async fn closed(world: &World, key: SaleKey) -> Option<SaleView> {
    let known = || async {
        let sale = look(world, key.to_string()).await;
        sale.filter(|sale| sale.due_ms.is_none())
    };
    match until(CLOSES, known).await {
        Some(sale) => Some(sale),
        None => look(world, key.to_string()).await,
    }
}

/// Field 39 of the first answer, once there is one.
async fn answered(world: &World, key: SaleKey) -> Result<String, Problem> {
    let known = || async {
        let look = world.acquirer().look(move |acquirer, _| {
            let answer = acquirer.state().sale(&key)?.answer?;
            Some(answer.code.to_string())
        });
        look.await.ok().flatten()
    };
    until(PATIENCE, known)
        .await
        .ok_or_else(|| format!("{key} was never answered"))
}

/// What the merchant is owed, and what stands against the cardholders as a negative number, in fen; of quota, what is in
/// escrow.
pub(super) async fn money(
    world: &World,
    merchant: MerchantId,
    unit: Currency,
) -> Result<(i64, i64), Problem> {
    let refused = |refused| format!("{refused:?}");
    let payable = world
        .acquirer()
        .look(move |acquirer, _| acquirer.state().books().payable(&merchant))
        .await
        .map_err(refused)?;
    let mut suspense = 0;
    for issuer in world.issuers_in(unit) {
        let look = issuer.look(|issuer, _| issuer.suspense());
        suspense += look.await.map_err(refused)?;
    }
    Ok((payable, -suspense))
}

fn rows_of(lines: &[Line], zh: bool) -> Vec<Vec<String>> {
    let head: [&str; 7] = if zh {
        ["", "交易", "金额", "应答", "商户", "持卡人可用", "小票"]
    } else {
        [
            "",
            "kind",
            "amount",
            "code",
            "merchant",
            "cardholder",
            "slips",
        ]
    };
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in lines {
        let row = line.kind.row();
        let words = line.sale.as_ref().map(|sale| &sale.headline);
        let headline = words.map_or("", |(chinese, english)| if zh { chinese } else { english });
        rows.push(vec![
            if line.problem.is_none() { "✓" } else { "✕" }.to_owned(),
            if zh { row.zh } else { row.en }.to_owned(),
            match row.moves_money() {
                true => line.amount.text(zh),
                false => "–".to_owned(),
            },
            format!("{} {headline}", line.code),
            signed(line.merchant, row.unit, zh),
            signed(line.cardholder, row.unit, zh),
            match line.slips {
                0 => "–".to_owned(),
                slips => slips.to_string(),
            },
        ]);
    }
    rows
}

/// Rows one below the other, each column as wide as its widest cell.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let cells = rows.first().map_or(0, Vec::len);
    let width = |c: usize| rows.iter().map(|row| columns(&row[c])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..cells).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell}{}  ", " ".repeat(width - columns(cell)));
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// An amount with its sign; nothing is a dash.
pub(super) fn signed(minor: i64, currency: Currency, zh: bool) -> String {
    let amount = Amount {
        minor: minor.unsigned_abs(),
        currency,
    }
    .text(zh);
    match minor {
        0 => "–".to_owned(),
        minor if minor < 0 => format!("−{amount}"),
        _ => format!("+{amount}"),
    }
}

impl Till {
    /// Whether the till itself knows a transaction that this kind could be about.
    async fn has_own(&self, kind: Kind, stan: Stan) -> Result<bool, Problem> {
        let look = self.look(move |terminal| {
            let mut completed = terminal.state().completed();
            completed.find(|c| {
                c.sale.key.stan == stan && c.approval().is_some() && kind.may_be_about(c.sale.kind)
            })?;
            Some(())
        });
        Ok(look.await?.is_some())
    }

    /// Orders a transaction; gives its key where the till shows one.
    async fn order(
        &mut self,
        step: &Step,
        amount: Option<Amount>,
        original: Option<Named>,
    ) -> Result<Option<SaleKey>, Problem> {
        let (kind, own) = (step.kind, matches!(original, Some(Named::Own(_))));
        let presented = match own && kind.row().pin != PinRule::Always {
            true => None,
            false => Some(self.bring(kind, step.card).await?),
        };
        let to = match kind.row().receiver {
            true => Some(self.receiving(step.to).await?),
            false => None,
        };
        // The acquirer's answer to the one before may still be on its way.
        let free = || async {
            let busy = self.look(|terminal| Some(terminal.busy())).await.ok()??;
            busy.is_none().then_some(())
        };
        until(PATIENCE, free).await;
        let next = self.look(|terminal| Some(terminal.state().next_stan()));
        let next = next.await?.ok_or("the till is off")?;
        self.command(terminal::Command::Transact(Box::new(terminal::Order {
            kind,
            amount,
            presented,
            original,
            linked: None,
            to,
        })))?;
        // Screens of the transaction before may still come.
        let wanted = |screen: &Screen| match screen {
            Screen::Confirming(key) | Screen::Approved { key, .. } => key.stan == next,
            Screen::Busy(_) | Screen::NoSuchOriginal => true,
            _ => false,
        };
        match self.wait(wanted).await? {
            Screen::Confirming(key) | Screen::Approved { key, .. } => Ok(Some(key)),
            other => Err(format!("the till answered {other:?}")),
        }
    }

    /// The code of a balance inquiry.
    async fn balance_code(&mut self) -> Result<String, Problem> {
        let balance =
            |screen: &Screen| matches!(screen, Screen::Balance(_) | Screen::BalanceRefused(_));
        Ok(match self.wait(balance).await? {
            Screen::BalanceRefused(code) => code.to_string(),
            _ => "00".to_owned(),
        })
    }
}
