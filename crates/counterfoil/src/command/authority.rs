//! `counterfoil authority`: the sandbox's own certificate authority.

use super::Failure;
use crate::authority::{Authority, CERTIFICATE_DAYS, Issued};
use crate::config::{Problem, institution};
use crate::link::{Identity, TerminalRow};
use clap::value_parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// Arguments of `authority`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Makes an authority: key, certificate and an empty revocation list
    New {
        /// Its folder
        folder: PathBuf,
    },
    /// Issues a certificate with a key of its own; prints the tls table that names the files
    Issue {
        /// The authority's folder
        folder: PathBuf,
        #[command(flatten)]
        whom: Whom,
        /// The terminal's merchant, field 42
        #[arg(long, requires = "terminal")]
        merchant: Option<String>,
        /// So many terminals behind one line, counting up from --terminal
        #[arg(long, requires = "terminal", default_value_t = 1)]
        count: u32,
        /// Days for which it is good
        #[arg(long, default_value_t = CERTIFICATE_DAYS, value_parser = value_parser!(u64).range(1..=3_650))]
        days: u64,
    },
    /// Revokes a certificate: running parties close its connections and take no more
    Revoke {
        /// The authority's folder
        folder: PathBuf,
        /// Its serial number, as `list` shows it
        serial: String,
    },
    /// Every certificate that was issued
    List {
        /// The authority's folder
        folder: PathBuf,
    },
}

/// Whom a certificate names.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// A terminal, field 41
    #[arg(long, requires = "merchant")]
    terminal: Option<String>,
    /// A member of the network, its institution code
    #[arg(long)]
    member: Option<String>,
    /// A host that others connect to, its DNS name
    #[arg(long)]
    server: Option<String>,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let now = SystemTime::now();
    match &arguments.command {
        Command::New { folder } => {
            Authority::create(folder, now)?;
            let folder = folder.display();
            println!(
                "{}",
                if zh {
                    format!("已建立证书机构：{folder}（仅限沙箱）")
                } else {
                    format!("authority made: {folder} (sandbox only)")
                }
            );
        }
        Command::Issue {
            folder,
            whom,
            merchant,
            count,
            days,
        } => {
            let identity = identity(whom, merchant.as_deref(), *count)?;
            let (files, issued) = Authority::open(folder)?.issue(&identity, *days, now)?;
            println!("# {}", line(&issued, now, zh));
            println!("[tls]");
            for (name, file) in [
                ("ca", files.ca),
                ("certificate", files.certificate),
                ("key", files.key),
                ("crl", files.crl),
            ] {
                println!("{name} = {:?}", file.display().to_string());
            }
        }
        Command::Revoke { folder, serial } => {
            let issued = Authority::open(folder)?.revoke(serial, now)?;
            println!("{}", line(&issued, now, zh));
        }
        Command::List { folder } => {
            for issued in Authority::open(folder)?.issued() {
                println!("{}", line(issued, now, zh));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn identity(whom: &Whom, merchant: Option<&str>, count: u32) -> Result<Identity, Problem> {
    let Whom {
        terminal,
        member,
        server,
    } = whom;
    match (terminal, member, server) {
        (Some(first), _, _) => {
            TerminalRow::new(first, count, merchant.unwrap_or_default()).map(Identity::Terminals)
        }
        (_, Some(code), _) => institution(code).map(Identity::Member),
        (_, _, server) => Ok(Identity::Server(server.clone().unwrap_or_default())),
    }
}

fn line(issued: &Issued, now: SystemTime, zh: bool) -> String {
    let now_s = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let state = match (issued.revoked_s, now_s >= issued.not_after_s) {
        (Some(_), _) if zh => "已吊销",
        (Some(_), _) => "revoked",
        (None, true) if zh => "已过期",
        (None, true) => "expired",
        (None, false) if zh => "有效",
        (None, false) => "good",
    };
    let days = issued.not_after_s.saturating_sub(now_s) / 86_400;
    let rest = if zh {
        format!("剩余 {days} 天")
    } else {
        format!("{days} days left")
    };
    format!("{}  {state}  {rest}  {}", issued.serial, issued.name)
}
