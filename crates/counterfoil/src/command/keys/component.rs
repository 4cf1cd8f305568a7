//! `keys component` and `keys master`: what one person makes, alone.

use super::{Failure, log_path, passphrase, random, read_text, typed, write_new};
use crate::ceremony::Log;
use crate::driver::wall;
use crypto::{Component, ComponentLabel, KeyAlgorithm, SealRandom, Zeroizing};
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Arguments of `keys component`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Whose component this is
    #[arg(long)]
    holder: String,
    /// File to write; an existing one stays
    #[arg(long)]
    out: PathBuf,
    /// Cipher of the key it will be part of
    #[arg(long, value_enum, default_value = "des")]
    algorithm: Algorithm,
    /// Bits of the key it will be part of, DES parity included
    #[arg(long, default_value_t = 128)]
    bits: usize,
    /// Type a component that was made elsewhere; it is not echoed
    #[arg(long, conflicts_with = "from")]
    enter: bool,
    /// Take a component that was made elsewhere from a file of hex
    #[arg(long)]
    from: Option<PathBuf>,
    /// Show the component once, on a terminal only
    #[arg(long)]
    show: bool,
    /// File whose first line is the passphrase, instead of typing it
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// The ceremony log [default: ceremony.log beside the file]
    #[arg(long)]
    ceremony_log: Option<PathBuf>,
}

/// A cipher.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Algorithm {
    /// DES and triple DES
    Des,
    /// AES
    Aes,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<(), Failure> {
    if arguments.show && !std::io::stdout().is_terminal() {
        return Err(pick(
            zh,
            "--show 只能在终端上使用：输出不得进入文件或管道",
            "--show wants a terminal: a component must not go into a file or a pipe",
        ));
    }
    let component = make(arguments, zh)?;
    let mut log = Log::open(&log_path(arguments.ceremony_log.as_deref(), &arguments.out))?;
    let prompt = pick(zh, "口令：", "Passphrase: ");
    let secret = passphrase(&prompt, arguments.passphrase_file.as_ref())?;
    if arguments.passphrase_file.is_none() {
        let again = passphrase(&pick(zh, "再输一次：", "Once more: "), None)?;
        if again != secret {
            return Err(pick(zh, "两次口令不同", "the two passphrases differ"));
        }
    }
    let label = ComponentLabel {
        holder: arguments.holder.trim().to_owned(),
        created: wall().text(),
    };
    let fresh = SealRandom {
        salt: *random()?,
        nonce: *random()?,
    };
    let sealed = component
        .seal(label, &secret, &fresh)
        .map_err(|error| error.to_string())?;
    let mut text = serde_json::to_string_pretty(&sealed).map_err(|error| error.to_string())?;
    text.push('\n');
    write_new(&arguments.out, &text)?;
    let check_value = hex(&component.check_value());
    let holders = [sealed.label.holder.clone()];
    log.append("component", "", &holders, &check_value)?;
    println!(
        "{}",
        if zh {
            format!("{} 的分量，校验值 {check_value}", holders[0])
        } else {
            format!("Component of {}, KCV {check_value}", holders[0])
        }
    );
    if arguments.show {
        eprintln!(
            "{}",
            pick(
                zh,
                "警告：下一行是明文分量。确认无人旁观、无录像，抄写后清屏。",
                "Warning: the next line is the clear component. Make sure that nobody and no camera watches; clear the screen afterwards.",
            )
        );
        println!("{}", *component.expose());
    }
    Ok(())
}

/// A random component, or one made elsewhere.
fn make(arguments: &Arguments, zh: bool) -> Result<Component, Failure> {
    let algorithm = match arguments.algorithm {
        Algorithm::Des => KeyAlgorithm::Des,
        Algorithm::Aes => KeyAlgorithm::Aes,
    };
    let entered = match &arguments.from {
        Some(file) => Some(read_text(file)?),
        None if arguments.enter => Some(typed(&pick(zh, "分量：", "Component: "))?),
        None => None,
    };
    let made = match entered {
        Some(text) => Component::parse(algorithm, &text),
        None if arguments.bits.is_multiple_of(8) => {
            Component::generate(algorithm, arguments.bits / 8, &*random()?)
        }
        None => Err(crypto::ComponentError::Length),
    };
    made.map_err(|error| error.to_string())
}

/// Arguments of `keys master`.
#[derive(Debug, clap::Args)]
pub(super) struct MasterArguments {
    /// File to write; an existing one stays
    #[arg(long)]
    out: PathBuf,
    /// Who makes it
    #[arg(long, required = true)]
    by: Vec<String>,
    /// The ceremony log [default: ceremony.log beside the file]
    #[arg(long)]
    ceremony_log: Option<PathBuf>,
}

pub(super) fn master(arguments: &MasterArguments, zh: bool) -> Result<(), Failure> {
    let mut log = Log::open(&log_path(arguments.ceremony_log.as_deref(), &arguments.out))?;
    let key: Zeroizing<[u8; 32]> = random()?;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in key.iter() {
        write!(text, "{byte:02X}").map_err(|error| error.to_string())?;
    }
    text.push('\n');
    write_new(&arguments.out, &text)?;
    log.append("master", "", &arguments.by, "")?;
    println!(
        "{}",
        if zh {
            format!("本地主密钥已写入 {}", arguments.out.display())
        } else {
            format!("Local master key written to {}", arguments.out.display())
        }
    );
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn pick(zh: bool, in_chinese: &str, in_english: &str) -> String {
    if zh { in_chinese } else { in_english }.to_owned()
}
