//! `counterfoil people`: accounts and API keys of an acquirer, from the machine that it runs on.
//!
//! Invariant: a password is typed without echo or read from a file, never an argument; every act is in the audit log.

use super::{Failure, print_json};
use crate::config::{Profile, merchant_id};
use crate::people::{People, Person, Refused, Role};
use clap::ValueEnum;
use crypto::Zeroizing;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Who acts, as the audit log names it: whoever may write the acquirer's files.
const HERE: &str = "command line";
/// Largest file of a password.
const FILE_BYTES_MAX: u64 = 4 * 1_024;

/// Arguments of `people`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where the people are.
#[derive(Debug, clap::Args)]
struct Place {
    /// The acquirer's data directory
    #[arg(long)]
    data: PathBuf,
}

/// A role.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Sees one merchant alone
    Merchant,
    /// Reads everything, changes nothing
    Auditor,
    /// Works the queue and proposes
    Operator,
    /// Approves and manages people
    Supervisor,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Adds an account
    Add {
        #[command(flatten)]
        place: Place,
        /// The name to sign in with
        name: String,
        /// What they may do
        #[arg(long)]
        role: RoleName,
        /// Whose portal, for a merchant's account
        #[arg(long)]
        merchant: Option<String>,
        /// File with the password in its first line; without it the password is typed
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// Lists accounts and API keys
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Shuts an account out and ends its sessions
    Disable {
        #[command(flatten)]
        place: Place,
        /// Whose
        name: String,
    },
    /// Lets an account in again and unlocks it
    Enable {
        #[command(flatten)]
        place: Place,
        /// Whose
        name: String,
    },
    /// Sets a new password and ends the account's sessions
    Password {
        #[command(flatten)]
        place: Place,
        /// Whose
        name: String,
        /// File with the password in its first line; without it the password is typed
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// Takes away a second factor that was lost; a new one is set up at the next sign-in
    SecondFactor {
        #[command(flatten)]
        place: Place,
        /// Whose
        name: String,
    },
    /// Makes an API key and prints it, this once
    Key {
        #[command(flatten)]
        place: Place,
        /// What it is for
        label: String,
        /// What it may do
        #[arg(long)]
        role: RoleName,
        /// Whose data it sees, for a merchant's key
        #[arg(long)]
        merchant: Option<String>,
    },
    /// Ends an API key
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its number, as `list` shows it
        id: u64,
    },
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::Merchant => Role::Merchant,
            Self::Auditor => Role::Auditor,
            Self::Operator => Role::Operator,
            Self::Supervisor => Role::Supervisor,
        }
    }
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let said = |refused: Refused| match refused {
        Refused::Trouble(trouble) => trouble.to_string(),
        refused if zh => refused.words().0.to_owned(),
        refused => refused.words().1.to_owned(),
    };
    match &arguments.command {
        Command::Add {
            place,
            name,
            role,
            merchant,
            password_file,
        } => {
            let person = Person {
                name: name.clone(),
                role: role.role(),
                merchant: merchant.as_deref().map(merchant_id).transpose()?,
            };
            let password = password(password_file.as_deref())?;
            let people = open(place)?;
            people.add(HERE, &person, &password).map_err(said)?;
        }
        Command::List { place } => {
            let people = open(place)?;
            let accounts = people.list().map_err(|error| error.to_string())?;
            let keys = people.keys().map_err(|error| error.to_string())?;
            let accounts: Vec<_> = accounts
                .iter()
                .map(|account| {
                    serde_json::json!({
                        "name": account.person.name,
                        "role": account.person.role,
                        "merchant": account.person.merchant.map(|merchant| merchant.to_string()),
                        "second_factor": account.second_factor,
                        "locked_until_ms": account.locked_until_ms,
                        "disabled": account.disabled,
                    })
                })
                .collect();
            print_json(&serde_json::json!({ "accounts": accounts, "keys": keys }))?;
        }
        Command::Disable { place, name } => {
            open(place)?.disable(HERE, name, true).map_err(said)?;
        }
        Command::Enable { place, name } => {
            open(place)?.disable(HERE, name, false).map_err(said)?;
        }
        Command::Password {
            place,
            name,
            password_file,
        } => {
            let password = password(password_file.as_deref())?;
            let people = open(place)?;
            people.set_password(HERE, name, &password).map_err(said)?;
        }
        Command::SecondFactor { place, name } => {
            open(place)?.reset_factor(HERE, name).map_err(said)?;
        }
        Command::Key {
            place,
            label,
            role,
            merchant,
        } => {
            let merchant = merchant.as_deref().map(merchant_id).transpose()?;
            let key = open(place)?.make_key(HERE, label, role.role(), merchant);
            println!("{}", key.map_err(said)?);
        }
        Command::Revoke { place, id } => {
            open(place)?.revoke_key(HERE, *id).map_err(said)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn open(place: &Place) -> Result<People, Failure> {
    People::open(&place.data, Profile::Production).map_err(|error| error.to_string())
}

fn password(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let Some(file) = file else {
        return rpassword::prompt_password("password: ")
            .map(Zeroizing::new)
            .map_err(|error| {
                format!("no terminal to type at ({error}); --password-file names a file")
            });
    };
    let problem = |error: std::io::Error| format!("{}: {error}", file.display());
    if std::fs::metadata(file).map_err(problem)?.len() > FILE_BYTES_MAX {
        return Err(format!(
            "{}: more than {FILE_BYTES_MAX} bytes",
            file.display()
        ));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(problem)?);
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}
