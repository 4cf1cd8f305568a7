//! `counterfoil printer`: a virtual receipt printer; what it prints appears here, and words typed here trouble it.

use super::{Failure, runtime, until_told_to_stop};
use crate::printer::Bench;
use receipt::Paper;
use std::io::BufRead;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `printer`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where it listens
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: SocketAddr,
    /// Width of the roll in millimetres, 58 or 80
    #[arg(long, default_value_t = 58)]
    paper_mm: u16,
}

const HELP: (&str, &str) = (
    "命令：out 缺纸 · paper 换纸 · open 开盖 · close 合盖 · blank 纸装反 · good 纸装正 · unplug 拔线 · plug 插线 · quit",
    "commands: out · paper · open · close · blank · good · unplug · plug · quit",
);

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let paper = match arguments.paper_mm {
        58 => Paper::Mm58,
        80 => Paper::Mm80,
        other => return Err(format!("--paper-mm {other} is not 58 or 80")),
    };
    let bench = Bench::new(paper);
    let runtime = runtime()?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(arguments.listen))
        .map_err(|error| format!("listen {}: {error}", arguments.listen))?;
    println!("printer ready on {}", arguments.listen);
    println!("{}", if zh { HELP.0 } else { HELP.1 });
    runtime.spawn(bench.clone().serve(listener));
    let typed = bench.clone();
    let (quit, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if !obey(&typed, line.trim(), zh) {
                let _ = quit.send(());
                return;
            }
        }
        // A closed standard input is not a command to stop: the printer may run in the background.
        std::mem::forget(quit);
    });
    runtime.block_on(async {
        tokio::select! {
            () = show(bench) => {}
            () = until_told_to_stop() => {}
            _ = told => {}
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn obey(bench: &Bench, word: &str, zh: bool) -> bool {
    match word {
        "out" => bench.with(|p| p.set_paper_out(true)),
        "paper" => bench.with(|p| p.set_paper_out(false)),
        "open" => bench.with(|p| p.set_cover_open(true)),
        "close" => bench.with(|p| p.set_cover_open(false)),
        "blank" => bench.with(|p| p.set_blank(true)),
        "good" => bench.with(|p| p.set_blank(false)),
        "unplug" => bench.set_linked(false),
        "plug" => bench.set_linked(true),
        "quit" => return false,
        "" => {}
        _ => println!("{}", if zh { HELP.0 } else { HELP.1 }),
    }
    true
}

/// Prints each slip as it is cut.
async fn show(bench: Bench) {
    let mut seen = 0;
    loop {
        let slips: Vec<String> = bench.with(|printer| {
            let fresh = printer
                .papers_after(seen)
                .iter()
                .map(|slip| slip.text.clone())
                .collect();
            seen = printer.papers_total();
            fresh
        });
        for slip in &slips {
            println!("{slip}\n✂ {}", "┄".repeat(30));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
