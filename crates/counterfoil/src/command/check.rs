//! `counterfoil config check`: every file by itself, then the time-outs of all of them together.

use super::Failure;
use crate::config::{
    self, Problem, acquirer::AcquirerFile, issuer::IssuerFile, link::Link, network::NetworkFile,
    terminal::TerminalFile,
};
use payment::timeouts::Ladder;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `config check`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files; which party each is for follows from its file name (acquirer, network, issuer, terminal)
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    let mut ladders = Vec::new();
    for file in &arguments.files {
        let (ladder, links) = check(file)?;
        println!("✓ {}", file.display());
        for link in links {
            println!("  {}", link.told(zh));
        }
        ladders.push((file, ladder));
    }
    if let Some(((first, ladder), (other, differs))) = ladders.first().and_then(|first| {
        Some((
            first,
            ladders.iter().find(|(_, ladder)| *ladder != first.1)?,
        ))
    }) {
        return Err(format!(
            "{} and {} name different time-outs ({ladder:?} and {differs:?}); parties that meet must share one ladder",
            first.display(),
            other.display()
        ));
    }
    println!(
        "{}",
        if zh {
            "全部有效，超时逐级嵌套。"
        } else {
            "All valid; the time-outs nest."
        }
    );
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path) -> Result<(Ladder, Vec<Link>), Failure> {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let named = |problem: Problem| format!("{}: {problem}", file.display());
    let read = |error: config::ConfigError| error.to_string();
    let (ladder, links) = match ["acquirer", "network", "issuer", "terminal"]
        .into_iter()
        .find(|party| stem.contains(party))
    {
        Some("acquirer") => {
            let file = AcquirerFile::read(file).map_err(read)?;
            file.resolve().map_err(named)?;
            let links = vec![file.link(), file.network.link(file.profile)];
            (file.timeouts, links)
        }
        Some("network") => {
            let file: NetworkFile = config::read(file).map_err(read)?;
            file.resolve().map_err(named)?;
            (file.timeouts, vec![file.link()])
        }
        Some("issuer") => {
            let file: IssuerFile = config::read(file).map_err(read)?;
            file.resolve().map_err(named)?;
            (file.timeouts, vec![file.network.link(file.profile)])
        }
        Some(_) => {
            let file = TerminalFile::read(file).map_err(read)?;
            file.resolve().map_err(named)?;
            (file.timeouts, vec![file.link()])
        }
        None => {
            return Err(named(
                "the file name must contain acquirer, network, issuer or terminal".to_owned(),
            ));
        }
    };
    let links: Vec<Link> = links.into_iter().collect::<Result<_, _>>().map_err(named)?;
    links.iter().try_for_each(Link::check).map_err(named)?;
    Ok((ladder, links))
}
