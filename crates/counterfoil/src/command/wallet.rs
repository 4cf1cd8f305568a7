//! `counterfoil wallet`: a wallet of the sandbox with accounts, payment codes, orders and a page for its customers.

use super::{Failure, runtime, until_told_to_stop};
use crate::control;
use crate::wallet::signing::Credentials;
use crate::wallet::simulator::{Act, Settings, Simulator};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `wallet`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Loopback address of its interface and its page
    #[arg(long, default_value = "127.0.0.1:7400")]
    listen: SocketAddr,
    /// Folder of its books
    #[arg(long, default_value = "counterfoil-data/wallet")]
    data: PathBuf,
    /// Name of the acquirer that may ask
    #[arg(long, default_value = "48500001")]
    client: String,
    /// Secret shared with it; the default is a published sandbox value
    #[arg(
        long,
        default_value = "published sandbox secret",
        hide_default_value = true
    )]
    secret: String,
    /// Payments above this amount in yuan need the payer's word
    #[arg(long, default_value = "1000", value_parser = yuan)]
    password_above: i64,
    /// A fault: answer-lost, paid-answer-lost, slow, fail or never-pays, with *N for so many times, * for ever
    #[arg(long, value_parser = Act::parse)]
    fault: Vec<(Act, u32)>,
    /// How much later a slow answer comes, in milliseconds
    #[arg(long, default_value_t = 12_000)]
    slow_ms: u64,
}

fn yuan(text: &str) -> Result<i64, String> {
    let amount = payment::Amount::parse_yuan(text);
    amount
        .map(|amount| amount.minor as i64)
        .ok_or_else(|| "not an amount in yuan".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let settings = Settings {
        credentials: Credentials {
            client: arguments.client.clone(),
            secret: arguments.secret.clone().into_bytes(),
        },
        password_above_minor: arguments.password_above,
        base: format!("http://{}", arguments.listen),
        slow_ms: arguments.slow_ms,
    };
    let wallet = Simulator::open(&arguments.data, settings)?;
    for (act, times) in &arguments.fault {
        wallet.plan(*act, *times);
    }
    let runtime = runtime()?;
    let address = runtime.block_on(control::serve(arguments.listen, wallet.routes()))?;
    println!("wallet ready on http://{address}/");
    runtime.block_on(until_told_to_stop());
    Ok(ExitCode::SUCCESS)
}
