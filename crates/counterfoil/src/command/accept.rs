//! `counterfoil accept`: the installation test of a printer, with a person at it, and its result as a file for terminals.
//!
//! Only a printer that passes every step is called truthful, by the words and by the exit status.

use super::terminal::read_lines;
use super::{Failure, runtime};
use crate::config::printer::PrinterFile;
use crate::printer::{PrinterAddress, Tested, Unguessable, accept};
use receipt::acceptance::{Proof, Step};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `accept`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the printer is: tcp:host:port, host:port, serial:/dev/ttyS0?baud=9600 or file:/dev/usb/lp0
    #[arg(long)]
    printer: PrinterAddress,
    /// Writes the result here, for the setting printer_installed of a terminal
    #[arg(long)]
    write: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let said = read_lines(None)?;
    let test = accept(&arguments.printer, Unguessable::random(), said, |step| {
        println!("{}", instruction(step, zh));
    });
    let tested = runtime()?
        .block_on(test)
        .map_err(|error| format!("{}: {error}", arguments.printer))?;
    let accepted = &tested.accepted;
    let file = PrinterFile::new(&accepted.device, accepted.proof, tested.speed_mm_per_s);
    println!("{}", verdict(&tested, zh));
    if let Some(path) = &arguments.write {
        std::fs::write(path, file.text()?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(match accepted.proof {
        Proof::Completed => ExitCode::SUCCESS,
        Proof::Parsed | Proof::None => ExitCode::from(1),
    })
}

fn number(step: Step) -> usize {
    1 + Step::ALL.iter().take_while(|other| **other != step).count()
}

fn instruction(step: Step, zh: bool) -> String {
    let pick = |words: (&'static str, &'static str)| if zh { words.0 } else { words.1 };
    let key = match step.waits_for_ready() {
        true => pick(("（按回车键继续）", " (Enter to continue)")),
        false => "",
    };
    let (at, of) = (number(step), Step::ALL.len());
    format!("{at}/{of} {}{key}", pick(step.words()))
}

/// What it is worth, who it is, and where it failed.
fn verdict(tested: &Tested, zh: bool) -> String {
    let pick = |words: (&'static str, &'static str)| if zh { words.0 } else { words.1 };
    let accepted = &tested.accepted;
    let (mark, words) = match accepted.proof {
        Proof::Completed => ("✓", accepted.proof.words()),
        Proof::Parsed | Proof::None => ("✕", accepted.proof.words()),
    };
    let mut lines = vec![format!("{mark} {}", pick(words))];
    if let Some(step) = accepted.failed {
        lines.push(match zh {
            true => format!("  第 {} 步未通过", number(step)),
            false => format!("  step {} was not passed", number(step)),
        });
    }
    let device = &accepted.device;
    let unknown = pick(("未回答", "no answer"));
    for (name, value) in [
        (("厂商", "maker"), &device.maker),
        (("型号", "model"), &device.model),
        (("固件", "firmware"), &device.firmware),
        (("序列号", "serial"), &device.serial),
    ] {
        let value = if value.is_empty() { unknown } else { value };
        lines.push(format!("  {} {value}", pick(name)));
    }
    if let Some(speed) = tested.speed_mm_per_s {
        lines.push(format!("  {} {speed} mm/s", pick(("速度", "speed"))));
    }
    lines.join("\n")
}
