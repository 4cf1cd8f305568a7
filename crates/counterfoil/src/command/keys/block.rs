//! `keys export` and `keys import`: keys on their way between members, as TR-31 key blocks.

use super::{Custody, Failure, StoreArguments, expect_check_value, random, usage as read_usage};
use crate::driver::wall;
use crate::key_store::Origin;
use crypto::{KeyBlockVersion, KeyCustody, KeyUsage, WrappedKey};

/// Arguments of `keys export`.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArguments {
    /// Key that leaves: NAME or NAME@GENERATION
    name: String,
    /// Key block protection key of the store
    #[arg(long)]
    under: String,
    /// Version of the block: b under a triple DES key, d under an AES key
    #[arg(long, value_enum)]
    format: Format,
    /// Who exports it
    #[arg(long, required = true)]
    by: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
}

/// A version of a key block.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Triple DES
    B,
    /// AES
    D,
}

pub(super) fn export(arguments: &ExportArguments, zh: bool) -> Result<(), Failure> {
    let custody = Custody::open(&arguments.store)?;
    let now = wall().0;
    let version = match arguments.format {
        Format::B => KeyBlockVersion::B,
        Format::D => KeyBlockVersion::D,
    };
    let (kbpk, stored) = (
        custody.store.find(&arguments.under)?,
        custody.store.find(&arguments.name)?,
    );
    for key in [kbpk, stored] {
        if !key.serves(now) {
            return Err(format!("key \"{}\" has ended", key.title()));
        }
    }
    let title = format!("{} under {}", stored.title(), kbpk.title());
    let check_value = custody.check_value(&stored.key)?;
    let block = custody
        .module
        .export_key_block(&kbpk.key, version, &stored.key, &*random()?)
        .map_err(|error| error.to_string())?;
    eprintln!(
        "{}",
        if zh {
            format!("密钥 {}，校验值 {check_value}", stored.title())
        } else {
            format!("Key {}, KCV {check_value}", stored.title())
        }
    );
    custody.close("export", &title, &arguments.by, &check_value, false)?;
    println!("{block}");
    Ok(())
}

/// Arguments of `keys import`.
#[derive(Debug, clap::Args)]
pub(super) struct ImportArguments {
    /// The key block
    block: String,
    /// Key block protection key of the store
    #[arg(long)]
    under: String,
    /// Name of the key: a-z, 0-9 and -
    #[arg(long)]
    name: String,
    /// What the key is for; the block's header must say the same
    #[arg(long, value_parser = read_usage)]
    usage: KeyUsage,
    /// Check value that the key must have
    #[arg(long)]
    expected: Option<String>,
    /// Who imports it
    #[arg(long, required = true)]
    by: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
}

pub(super) fn import(arguments: &ImportArguments, zh: bool) -> Result<(), Failure> {
    let mut custody = Custody::open(&arguments.store)?;
    if custody.store.knows(&arguments.name) {
        return Err(format!("key \"{}\" is there already", arguments.name));
    }
    let (key, under) = take(
        &custody,
        &arguments.under,
        arguments.usage,
        &arguments.block,
    )?;
    expect_check_value(&custody.module, &key, arguments.expected.as_deref())?;
    let check_value = custody.check_value(&key)?;
    custody.warn_of_test_key(&key, zh)?;
    let by = &arguments.by;
    let added = custody
        .store
        .add(&arguments.name, key, Origin::KeyBlock, by, wall().0)?;
    let title = added.title();
    let act = format!("{title} under {under}");
    custody.close("import", &act, by, &check_value, true)?;
    println!(
        "{}",
        if zh {
            format!("密钥 {title}，校验值 {check_value}，来自密钥块")
        } else {
            format!("Key {title}, KCV {check_value}, of a key block")
        }
    );
    Ok(())
}

/// The key of a block under a key of the store, and which that was.
pub(super) fn take(
    custody: &Custody,
    under: &str,
    usage: KeyUsage,
    block: &str,
) -> Result<(WrappedKey, String), Failure> {
    let kbpk = custody.store.find(under)?;
    if !kbpk.serves(wall().0) {
        return Err(format!("key \"{}\" has ended", kbpk.title()));
    }
    let key = custody.module.import_key_block(&kbpk.key, usage, block);
    Ok((key.map_err(|error| error.to_string())?, kbpk.title()))
}
