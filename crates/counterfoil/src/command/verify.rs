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

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directories = super::party_directories(&arguments.data)?;
    let report = verify::run(&directories);
    if arguments.json {
        print_json(&report)?;
    } else {
        print!("{report}");
    }
    Ok(if report.clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
