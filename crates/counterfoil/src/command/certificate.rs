//! `counterfoil certificate`: checks outcome certificates without asking anybody, and fetches them from a running acquirer.

use super::{Failure, demo};
use crate::eslip::{EXPORT_LINES_MAX, Shown};
use payment::Certificate;
use payment::certificate::{CertificateError, Signed, verify_chain};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `certificate`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Checks a certificate, a chain, or both; needs no network
    Verify {
        /// The text of the certificate, as its QR code holds it; without one only the chain is checked
        text: Option<String>,
        /// The acquirer's public key: 64 hex characters, or a file that holds them
        #[arg(long)]
        key: String,
        /// A chain as `export` writes it: every number and digest is checked, and whether the sale was reversed later
        #[arg(long)]
        chain: Option<PathBuf>,
    },
    /// Every certificate of one sale
    Show {
        /// terminal/trace, terminal/batch/trace, retrieval reference number, or link id
        sale: String,
        /// The acquirer's control port
        #[arg(long, default_value = demo::CONTROL)]
        control: SocketAddr,
    },
    /// The whole chain, one certificate a line
    Export {
        /// The acquirer's control port
        #[arg(long, default_value = demo::CONTROL)]
        control: SocketAddr,
    },
    /// The public key, which the acquirer publishes at /.well-known/counterfoil-certificate-key
    Key {
        /// The acquirer's control port
        #[arg(long, default_value = demo::CONTROL)]
        control: SocketAddr,
    },
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Verify { text, key, chain } => {
            verify(text.as_deref(), key, chain.as_deref(), zh)?;
        }
        Command::Show { sale, control } => {
            let shown: Vec<Shown> =
                serde_json::from_str(&ask(*control, &format!("certificate/{sale}"))?)
                    .map_err(|error| error.to_string())?;
            for Shown {
                number,
                outcome,
                at,
                text,
            } in shown
            {
                let (zh_words, en_words) = outcome.words();
                println!(
                    "№ {number} · {at} · {}\n{text}",
                    if zh { zh_words } else { en_words }
                );
            }
        }
        Command::Export { control } => export(*control)?,
        Command::Key { control } => print!("{}", ask(*control, "certificate-key")?),
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(text: Option<&str>, key: &str, chain: Option<&Path>, zh: bool) -> Result<(), Failure> {
    let public = public_key(key)?;
    let why = |error: CertificateError| {
        let (zh_words, en_words) = error.words();
        if zh {
            format!("核验未通过：{zh_words}")
        } else {
            format!("not genuine: {en_words}")
        }
    };
    let certificate = text
        .map(|text| Signed::parse(text)?.verify(&public))
        .transpose()
        .map_err(why)?;
    let chain = match chain {
        Some(path) => {
            let lines = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let lines = lines.lines().filter(|line| !line.trim().is_empty());
            Some(verify_chain(lines, &public).map_err(why)?)
        }
        None => None,
    };
    match (&certificate, &chain) {
        (None, None) => {
            return Err(pick(
                zh,
                "需要凭证文本或 --chain",
                "a certificate or --chain is wanted",
            )
            .to_owned());
        }
        (Some(certificate), None) => print!("{}", told(certificate, None, zh)),
        (Some(certificate), Some(chain)) => {
            if !chain.contains(certificate) {
                return Err(pick(
                    zh,
                    "核验未通过：签名相符，但这张凭证不在链上",
                    "not genuine: the signature matches, and the chain does not hold it",
                )
                .to_owned());
            }
            let newest = chain
                .iter()
                .rev()
                .find(|later| later.sale == certificate.sale);
            print!(
                "{}",
                told(
                    certificate,
                    newest.filter(|later| later.number > certificate.number),
                    zh
                )
            );
        }
        (None, Some(_)) => {}
    }
    if let Some(chain) = &chain {
        let length = chain.len();
        if zh {
            println!("链完整：{length} 张，编号与摘要没有缺口");
        } else {
            println!("the chain is whole: {length} certificates, no gap in number or digest");
        }
    }
    Ok(())
}

const fn pick<'a>(zh: bool, zh_words: &'a str, en_words: &'a str) -> &'a str {
    if zh { zh_words } else { en_words }
}

/// What a genuine certificate says; `later` is a newer one of the same sale.
fn told(certificate: &Certificate, later: Option<&Certificate>, zh: bool) -> String {
    let (zh_words, en_words) = certificate.outcome.words();
    let Certificate {
        sale,
        rrn,
        amount,
        number,
        key,
        at,
        ..
    } = certificate;
    let mut text = if zh {
        format!(
            "真实：{zh_words}\n  金额 {amount}\n  商户 {}\n  终端/批次/凭证号 {sale}\n  参考号 {rrn}\n  签发于 {}，第 {number} 号，密钥 {key}\n",
            sale.merchant,
            at.text()
        )
    } else {
        format!(
            "genuine: {en_words}\n  amount {amount}\n  merchant {}\n  terminal/batch/trace {sale}\n  reference {rrn}\n  signed {} China time, no. {number}, key {key}\n",
            sale.merchant,
            at.text()
        )
    };
    let after = match (later.map(|later| (later.number, later.outcome.words())), zh) {
        (Some((number, (words, _))), true) => format!("  此后已有变化：第 {number} 号，{words}\n"),
        (Some((number, (_, words))), false) => format!("  changed later: no. {number}, {words}\n"),
        (None, true) => "  签发之后是否有变化，请看电子小票\n".to_owned(),
        (None, false) => "  the e-slip says whether it changed after that\n".to_owned(),
    };
    text.push_str(&after);
    text
}

fn public_key(key: &str) -> Result<[u8; 32], Failure> {
    let hex = if key.len() == 64 {
        key.to_owned()
    } else {
        std::fs::read_to_string(key).map_err(|error| format!("--key {key}: {error}"))?
    };
    let hex = hex.trim();
    let byte = |n: usize| {
        hex.get(2 * n..2 * n + 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes
        .filter(|_| hex.len() == 64)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "--key: must be 64 hex characters, or a file that holds them".to_owned())
}

fn export(control: SocketAddr) -> Result<(), Failure> {
    let mut after = 0_u64;
    loop {
        let lines = ask(control, &format!("certificates?after={after}"))?;
        print!("{lines}");
        let count = lines.lines().count() as u64;
        after += count;
        if count < u64::from(EXPORT_LINES_MAX) {
            return Ok(());
        }
    }
}

fn ask(control: SocketAddr, what: &str) -> Result<String, Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(std::time::Duration::from_secs(30)))
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .get(format!("http://{control}/v1/{what}"))
        .call()
        .map_err(|error| format!("control port {control}: {error}"))?;
    let text = answer
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    match answer.status().as_u16() {
        200 => Ok(text),
        status => Err(format!("control port {control} answered {status}: {text}")),
    }
}
