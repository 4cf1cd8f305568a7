//! `counterfoil keys`: the key ceremony — components, dual control, key blocks, rotation — and its log.
//!
//! Invariant: no key byte is printed but by `component --show`, on a terminal, after a warning; every act is in the log before the key
//! store has its effect.

mod block;
mod combine;
mod component;
mod rotation;
mod show;

use super::Failure;
use crate::ceremony::Log;
use crate::config::{
    Profile,
    keys::module_of_file,
    security::{PartyModule, SecurityText},
};
use crate::key_store::{KeyStore, check_value};
use crypto::{Component, KeyCustody, KeyUsage, Passphrase, SealedComponent, WrappedKey, Zeroizing};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Largest file of a component or a passphrase.
const FILE_BYTES_MAX: u64 = 64 * 1_024;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Makes the local master key of an installation, in a file that only its owner can read
    Master(component::MasterArguments),
    /// Makes one holder's component, under the holder's passphrase; shows its check value only
    Component(component::Arguments),
    /// Combines components of different holders to a key, inside the module
    Combine(combine::Arguments),
    /// Lists the keys of a store, never a key itself
    Show(show::Arguments),
    /// Prints a key as a TR-31 key block
    Export(block::ExportArguments),
    /// Takes a key from a TR-31 key block
    Import(block::ImportArguments),
    /// Gives a key its next generation; the old one serves on until its end
    Rotate(rotation::RotateArguments),
    /// Ends a key now
    Retire(rotation::RetireArguments),
    /// Shows the ceremony log, or proves that no line was changed
    Log(show::LogArguments),
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Master(arguments) => component::master(arguments, zh),
        Command::Component(arguments) => component::run(arguments, zh),
        Command::Combine(arguments) => combine::run(arguments, zh),
        Command::Show(arguments) => show::run(arguments, zh),
        Command::Export(arguments) => block::export(arguments, zh),
        Command::Import(arguments) => block::import(arguments, zh),
        Command::Rotate(arguments) => rotation::rotate(arguments, zh),
        Command::Retire(arguments) => rotation::retire(arguments, zh),
        Command::Log(arguments) => show::log(arguments, zh),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Where the keys are, and what opens them.
#[derive(Debug, clap::Args)]
struct StoreArguments {
    /// The key store
    #[arg(long)]
    store: PathBuf,
    #[command(flatten)]
    master: MasterArguments,
    /// The ceremony log [default: ceremony.log beside the store]
    #[arg(long)]
    ceremony_log: Option<PathBuf>,
}

/// What the keys of a store hang from: a file, or a token.
#[derive(Debug, clap::Args)]
struct MasterArguments {
    /// File of the local master key, as the parties' configuration names it
    #[arg(long, required_unless_present = "pkcs11", conflicts_with = "pkcs11")]
    local_master_key: Option<PathBuf>,
    /// Or the PKCS#11 library of the token that holds the master keys
    #[arg(long, requires = "token")]
    pkcs11: Option<PathBuf>,
    /// The token's label
    #[arg(long, requires = "pkcs11")]
    token: Option<String>,
    /// File with the token's user PIN [default: COUNTERFOIL_TOKEN_PIN]
    #[arg(long, requires = "pkcs11")]
    pin_file: Option<PathBuf>,
}

impl MasterArguments {
    fn module(&self) -> Result<PartyModule, Failure> {
        match (&self.local_master_key, &self.pkcs11, &self.token) {
            (Some(file), ..) => module_of_file(file, Profile::Sandbox).map(PartyModule::Software),
            (None, Some(pkcs11), Some(token)) => PartyModule::of_token(&SecurityText {
                pkcs11: pkcs11.clone(),
                token: token.clone(),
                pin_file: self.pin_file.clone(),
            }),
            _ => Err("--local-master-key or --pkcs11 is needed".to_owned()),
        }
    }
}

/// A store open for one act, with its log locked and found whole.
struct Custody {
    path: PathBuf,
    module: PartyModule,
    store: KeyStore,
    log: Log,
}

impl Custody {
    /// Opens all three, or begins store and log.
    fn open(arguments: &StoreArguments) -> Result<Self, Failure> {
        let module = arguments.master.module()?;
        let log = Log::open(&log_path(
            arguments.ceremony_log.as_deref(),
            &arguments.store,
        ))?;
        let store = KeyStore::open_or_begin(&arguments.store, &module)?;
        log.continues(&store.log)?;
        Ok(Self {
            path: arguments.store.clone(),
            module,
            store,
            log,
        })
    }

    /// Writes the act into the log and then, where `changed`, the store.
    fn close(
        mut self,
        act: &str,
        key: &str,
        by: &[String],
        check_value: &str,
        changed: bool,
    ) -> Result<(), Failure> {
        self.log.append(act, key, by, check_value)?;
        if changed {
            self.store.log = self.log.anchor();
            self.store.save(&self.path, &self.module)?;
        }
        Ok(())
    }

    /// Says when a key's value was published; a production profile will refuse it.
    fn warn_of_test_key(&self, key: &WrappedKey, zh: bool) -> Result<(), Failure> {
        let published = self.module.published_key(key);
        if let Some(source) = published.map_err(|error| error.to_string())? {
            eprintln!(
                "{}",
                if zh {
                    format!("警告：这是测试密钥（{source}），生产配置会拒绝它。")
                } else {
                    format!("Warning: a test key ({source}); a production profile refuses it.")
                }
            );
        }
        Ok(())
    }

    fn check_value(&self, key: &WrappedKey) -> Result<String, Failure> {
        check_value(&self.module, key)
    }
}

/// The log that was named, or the one beside another file of the ceremony.
fn log_path(named: Option<&Path>, beside: &Path) -> PathBuf {
    named.map_or_else(|| beside.with_file_name("ceremony.log"), Path::to_owned)
}

/// Opens every component with its holder's own passphrase, in the order of the files, if no two are of one person.
fn open_components(
    files: &[PathBuf],
    passphrase_files: &[PathBuf],
    zh: bool,
) -> Result<(Vec<Component>, Vec<String>), Failure> {
    if !passphrase_files.is_empty() && passphrase_files.len() != files.len() {
        return Err("--passphrase-file: one for each component, in their order".to_owned());
    }
    let sealed: Vec<SealedComponent> = files
        .iter()
        .map(|file| read_component(file))
        .collect::<Result<_, _>>()?;
    let holders: Vec<String> = sealed.iter().map(|one| one.label.holder.clone()).collect();
    for (place, holder) in holders.iter().enumerate() {
        if holders[..place]
            .iter()
            .any(|other| same_person(other, holder))
        {
            return Err(if zh {
                format!("双人控制：两个分量都属于“{holder}”，须由不同的人保管")
            } else {
                format!(
                    "dual control: two components of \"{holder}\"; holders must be different people"
                )
            });
        }
    }
    let mut components = Vec::new();
    let mut passphrases: Vec<Passphrase> = Vec::new();
    for (place, one) in sealed.iter().enumerate() {
        let prompt = if zh {
            format!("{} 的口令：", one.label.holder)
        } else {
            format!("Passphrase of {}: ", one.label.holder)
        };
        let passphrase = passphrase(&prompt, passphrase_files.get(place))?;
        if passphrases.contains(&passphrase) {
            return Err(if zh {
                "双人控制：两个分量的口令相同".to_owned()
            } else {
                "dual control: two components open with one passphrase".to_owned()
            });
        }
        let opened = one.open(&passphrase);
        components.push(opened.map_err(|error| format!("{}: {error}", files[place].display()))?);
        passphrases.push(passphrase);
    }
    Ok((components, holders))
}

/// Names that differ in case or spaces only are one person's.
fn same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
    plain(one) == plain(other)
}

fn read_component(file: &Path) -> Result<SealedComponent, Failure> {
    let text = read_text(file)?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{}: not a component: {error}", file.display()))
}

fn read_text(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let problem = |error: std::io::Error| format!("{}: {error}", file.display());
    if std::fs::metadata(file).map_err(problem)?.len() > FILE_BYTES_MAX {
        return Err(format!(
            "{}: more than {FILE_BYTES_MAX} bytes",
            file.display()
        ));
    }
    std::fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(problem)
}

/// A passphrase from a file's first line, or typed without echo.
fn passphrase(prompt: &str, file: Option<&PathBuf>) -> Result<Passphrase, Failure> {
    let text = match file {
        Some(file) => {
            let text = read_text(file)?;
            Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
        }
        None => typed(prompt)?,
    };
    Passphrase::new(text).map_err(|error| error.to_string())
}

fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| {
            format!("no terminal to type at ({error}); --passphrase-file names a file")
        })
}

/// Writes a new file that only its owner can read; an existing one stays.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        })
        .map_err(|error| format!("{}: {error}", file.display()))
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Failure> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// A usage by its name; keys that the module makes for itself have none here.
fn usage(text: &str) -> Result<KeyUsage, String> {
    let own = [KeyUsage::PanSeal, KeyUsage::PanToken];
    let known = || {
        KeyUsage::ALL
            .into_iter()
            .filter(|usage| !own.contains(usage))
    };
    known().find(|usage| usage.name() == text).ok_or_else(|| {
        let names: Vec<_> = known().map(KeyUsage::name).collect();
        format!("none of {}", names.join(", "))
    })
}

/// Refuses a key whose check value is not the expected one: 6 hex characters, or as many as its algorithm shows (8 of DES, 10 of AES).
fn expect_check_value(
    module: &dyn KeyCustody,
    key: &WrappedKey,
    expected: Option<&str>,
) -> Result<(), Failure> {
    use crypto::CheckValueLength::{Five, Four, Three};
    let Some(expected) = expected else {
        return Ok(());
    };
    let length = match expected.len() {
        6 => Three,
        8 => Four,
        10 => Five,
        _ => return Err("--expected: a check value has 6, 8 or 10 hex characters".to_owned()),
    };
    let own = module
        .key_check_value(key, length)
        .map_err(|error| format!("--expected: {error}"))?
        .to_string();
    if own.eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(format!(
            "check value is {own}, not {expected}: nothing was kept"
        ))
    }
}
