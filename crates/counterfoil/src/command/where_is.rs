//! `counterfoil where`: asks the acquirer's control port; when it is down, reads its journal.

use super::{Failure, demo, print_json};
use crate::view::{self, SaleView};
use crate::witness::{self, Testimony};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `where`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// terminal/trace, terminal/batch/trace, or retrieval reference number
    reference: String,
    /// The acquirer's control port
    #[arg(long, default_value = demo::CONTROL)]
    control: SocketAddr,
    /// The acquirer's data directory, read when the port does not answer
    #[arg(long, default_value = "counterfoil-data/demo/acquirer")]
    data: PathBuf,
    /// Also what every other party's journal says, strongest evidence first
    #[arg(long)]
    all: bool,
    /// Data directories of the parties for --all, or one that holds them
    #[arg(long, default_value = demo::DATA)]
    parties: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let found = match ask(arguments.control, &arguments.reference)? {
        Asked::Answered(found) => found,
        Asked::Down => {
            crate::replay::acquirer_sale(&arguments.data, &arguments.reference)?.map(Box::new)
        }
    };
    let Some(sale) = found else {
        let (zh_text, en_text) = (
            "收单机构没有见过这笔交易",
            "the acquirer never saw this sale",
        );
        return Err(format!(
            "{}: {}",
            arguments.reference,
            if zh { zh_text } else { en_text }
        ));
    };
    let said = if arguments.all {
        testimony(&sale, &arguments.parties)?
    } else {
        Vec::new()
    };
    if arguments.json && arguments.all {
        print_json(&serde_json::json!({ "sale": sale, "testimony": said }))?;
    } else if arguments.json {
        print_json(&sale)?;
    } else {
        print!("{}", view::text(&sale, zh));
        for witness in &said {
            let (zh_name, en_name) = witness.party.words();
            let (name, says) = if zh {
                (zh_name, &witness.says.0)
            } else {
                (en_name, &witness.says.1)
            };
            println!("  {name} · {says} · {}", witness.data.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the parties below these directories say of the sale.
fn testimony(sale: &SaleView, parties: &[PathBuf]) -> Result<Vec<Testimony>, Failure> {
    let mut parts = sale.key.split('/');
    let terminal = parts.next().unwrap_or_default();
    let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let (batch, stan) = (number(), number());
    witness::ask(
        &super::party_directories(parties)?,
        &sale.rrn,
        terminal,
        batch,
        stan,
    )
}

enum Asked {
    Answered(Option<Box<SaleView>>),
    Down,
}

fn ask(control: SocketAddr, reference: &str) -> Result<Asked, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(std::time::Duration::from_secs(5)))
        .http_status_as_error(false)
        .build()
        .into();
    let Ok(mut answer) = agent
        .get(format!("http://{control}/v1/where/{reference}"))
        .call()
    else {
        return Ok(Asked::Down);
    };
    let text = answer
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    match answer.status().as_u16() {
        200 => serde_json::from_str(&text)
            .map(|sale| Asked::Answered(Some(Box::new(sale))))
            .map_err(|error| error.to_string()),
        404 => Ok(Asked::Answered(None)),
        status => Err(format!("control port {control} answered {status}: {text}")),
    }
}
