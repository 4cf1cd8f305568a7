//! `counterfoil printer`: a virtual receipt printer; what it prints appears here, on a page and in a folder, and words
//! typed here or buttons pressed there trouble it.

use super::{Failure, runtime, until_told_to_stop};
use crate::control;
use crate::printer::{Bench, Folder, page};
use receipt::Paper;
use receipt::virtual_printer::{Echo, Fault, Told};
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
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
    /// Millimetres of paper a second; 0 prints at once
    #[arg(long, default_value_t = 200)]
    speed_mm: u32,
    /// Loopback address of a page that shows the printer and its paper, for instance 127.0.0.1:9180
    #[arg(long)]
    page: Option<SocketAddr>,
    /// Folder that gets every piece of paper as 0001.png, 0001.svg and 0001.txt
    #[arg(long)]
    folder: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let paper = match arguments.paper_mm {
        58 => Paper::Mm58,
        80 => Paper::Mm80,
        other => return Err(format!("--paper-mm {other} is not 58 or 80")),
    };
    let mut folder = arguments.folder.as_deref().map(Folder::open).transpose()?;
    let bench = Bench::new(paper);
    let speed = (arguments.speed_mm > 0).then_some(arguments.speed_mm);
    bench.with(|printer| printer.set_speed(speed));
    let runtime = runtime()?;
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(arguments.listen))
        .map_err(|error| format!("listen {}: {error}", arguments.listen))?;
    println!("printer ready on {}", arguments.listen);
    if let Some(address) = arguments.page {
        let address = runtime
            .block_on(control::serve(address, page(bench.clone(), zh)))
            .map_err(|error| format!("--page: {error}"))?;
        println!("page: http://{address}/");
    }
    println!("{}", help(zh));
    runtime.spawn(bench.clone().serve(listener));
    let typed = bench.clone();
    let (quit, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match line.trim() {
                "" => {}
                "quit" => {
                    let _ = quit.send(());
                    return;
                }
                "help" => println!("{}", help(zh)),
                "state" => println!("{}", state(&typed, zh)),
                word if typed.obey(word) => println!("{}", state(&typed, zh)),
                word => println!("? {word}\n{}", help(zh)),
            }
        }
        // A closed standard input is not a command to stop: the printer may run in the background.
        std::mem::forget(quit);
    });
    runtime.block_on(async {
        tokio::select! {
            stopped = show(bench, &mut folder, zh) => stopped,
            () = until_told_to_stop() => Ok(()),
            _ = told => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn state(bench: &Bench, zh: bool) -> String {
    let (in_zh, in_en) = bench.state();
    let papers = bench.with(|printer| printer.papers_total());
    match zh {
        true => format!("状态：{in_zh}已出纸 {papers} 张。"),
        false => format!("state: {in_en} Papers so far: {papers}."),
    }
}

/// Every word, with what it brings about.
fn help(zh: bool) -> String {
    let pick = |words: (&'static str, &'static str)| if zh { words.0 } else { words.1 };
    let faults = Fault::ALL.map(|fault| {
        let (bring, end) = fault.commands();
        format!("{bring}/{end} {}", pick(fault.words()))
    });
    let echoes = Echo::ALL.map(|echo| format!("{} {}", echo.command(), pick(echo.words())));
    let told = Told::ALL.map(|told| format!("{} {}", told.command(), pick(told.words())));
    let (commands, faults_are, ids, status) = match zh {
        true => (
            "命令：state 状态 · shut 关钱箱 · help · quit",
            "故障（开始/结束）",
            "凭证号",
            "状态应答",
        ),
        false => (
            "commands: state · shut (the drawer) · help · quit",
            "faults (begin/end)",
            "process IDs",
            "status",
        ),
    };
    format!(
        "{commands}\n{faults_are}: {}\n{ids}: {}\n{status}: {}",
        faults.join(" · "),
        echoes.join(" · "),
        told.join(" · ")
    )
}

/// Shows each slip as it is cut, and keeps it in the folder.
async fn show(bench: Bench, folder: &mut Option<Folder>, zh: bool) -> Result<(), Failure> {
    let mut seen = 0;
    loop {
        let (slips, paper) = bench.with(|printer| {
            let fresh = printer.papers_after(seen).to_vec();
            seen = printer.papers_total();
            (fresh, printer.paper())
        });
        for slip in &slips {
            println!("{}\n✂ {}", slip.text, "┄".repeat(30));
            if let Some(folder) = folder {
                let number = folder.keep(slip, paper)?;
                println!("{} {number:04}", if zh { "已存" } else { "kept as" });
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
