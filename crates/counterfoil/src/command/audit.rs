//! `counterfoil audit`: proves that nobody changed the audit log.

use super::Failure;
use crate::people::audit;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Recomputes the chain and names the first record that is not as it was written
    Verify {
        /// The acquirer's data directory
        #[arg(long)]
        data: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Command::Verify { data } = &arguments.command;
    match audit::verify(data).map_err(|error| format!("{}: {error}", data.display()))? {
        Ok(head) => {
            println!("✓ {}", head.text());
            Ok(ExitCode::SUCCESS)
        }
        Err(damage) => {
            println!("✕ {damage}");
            Ok(ExitCode::FAILURE)
        }
    }
}
