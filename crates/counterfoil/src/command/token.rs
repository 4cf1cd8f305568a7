//! `counterfoil token`: prepares a PKCS#11 token to hold a party's keys.
//!
//! Invariant: keys are generated inside the token and shown nowhere; a token that has them already is left as it is.

use super::Failure;
use crate::token::{TokenError, TokenPlace, prepare};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `token`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Generates the master keys inside the token
    Prepare(Place),
}

/// Which token.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The vendor's PKCS#11 library
    #[arg(long)]
    pkcs11: PathBuf,
    /// The token's label
    #[arg(long)]
    token: String,
    /// File with the user PIN [default: COUNTERFOIL_TOKEN_PIN]
    #[arg(long)]
    pin_file: Option<PathBuf>,
}

impl Place {
    fn find(&self) -> Result<TokenPlace, TokenError> {
        TokenPlace::new(
            self.pkcs11.clone(),
            self.token.clone(),
            self.pin_file.as_deref(),
        )
    }
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let Action::Prepare(place) = &arguments.action;
    place
        .find()
        .and_then(|place| prepare(&place))
        .map_err(|error| error.to_string())?;
    println!(
        "{}",
        if zh {
            format!("令牌 {}：主密钥已在令牌内生成", place.token)
        } else {
            format!("token {}: master keys generated inside it", place.token)
        }
    );
    Ok(ExitCode::SUCCESS)
}
