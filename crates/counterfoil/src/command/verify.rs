//! `counterfoil verify`: recomputes everything from the journals and says what differs.

use super::{Failure, print_json};
use crate::verify;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Data directories of parties, or one directory that holds them
    #[arg(default_value = "counterfoil-data/demo")]
    data: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let directories = super::party_directories(&arguments.data)?;
    let report = verify::run(&directories);
    if arguments.json {
        print_json(&report)?;
    } else {
        tell(&report, zh);
    }
    Ok(if report.clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(report: &verify::Report, zh: bool) {
    for party in &report.parties {
        let (rows, records) = (party.rows, party.records);
        let text = if zh {
            format!("{rows} 行日志，{records} 条记录，链完整")
        } else {
            format!("{rows} journal rows, {records} records, chain whole")
        };
        println!("{:<10} {} · {text}", party.party, party.data.display());
    }
    let (sales, debits, endings) = (
        report.sales_compared,
        report.debits_compared,
        report.endings_compared,
    );
    if zh {
        println!("核对：{sales} 笔成交、{debits} 笔扣款、{endings} 笔终端结果");
    } else {
        println!(
            "compared: {sales} standing sales, {debits} standing debits, {endings} endings at terminals"
        );
    }
    for (found, mark) in report
        .problems
        .iter()
        .map(|f| (f, "✕"))
        .chain(report.open.iter().map(|f| (f, "◐")))
    {
        println!(
            "{mark} {} · {}",
            if zh { found.zh } else { found.en },
            found.count
        );
        found.listed.iter().for_each(|line| println!("    {line}"));
    }
    println!(
        "{}",
        match (report.clean, zh) {
            (true, true) => "✓ 一致",
            (true, false) => "✓ clean",
            (false, true) => "✕ 有差异",
            (false, false) => "✕ differences found",
        }
    );
}
