//! `keys combine`: components of different holders become a key, which nobody ever sees.

use super::{
    Custody, Failure, StoreArguments, expect_check_value, open_components, usage as read_usage,
};
use crate::driver::wall;
use crate::key_store::Origin;
use crypto::{KeyCustody, KeyUsage};
use std::path::PathBuf;

/// Arguments of `keys combine`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Component files, each of another holder
    #[arg(required = true, num_args = 2..)]
    components: Vec<PathBuf>,
    /// Name of the key: a-z, 0-9 and -
    #[arg(long)]
    name: String,
    /// What the key is for
    #[arg(long, value_parser = read_usage)]
    usage: KeyUsage,
    /// Check value that the key must have
    #[arg(long)]
    expected: Option<String>,
    /// Files whose first lines are the passphrases, one for each component in order, instead of typing them
    #[arg(long)]
    passphrase_file: Vec<PathBuf>,
    #[command(flatten)]
    store: StoreArguments,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<(), Failure> {
    let mut custody = Custody::open(&arguments.store)?;
    if custody.store.knows(&arguments.name) {
        return Err(format!(
            "key \"{}\" is there already; keys rotate gives it a next generation",
            arguments.name
        ));
    }
    let (components, holders) =
        open_components(&arguments.components, &arguments.passphrase_file, zh)?;
    let key = custody
        .module
        .combine(arguments.usage, &components)
        .map_err(|error| error.to_string())?;
    expect_check_value(&custody.module, &key, arguments.expected.as_deref())?;
    let check_value = custody.check_value(&key)?;
    custody.warn_of_test_key(&key, zh)?;
    let origin = Origin::Components;
    let added = custody
        .store
        .add(&arguments.name, key, origin, &holders, wall().0)?;
    let title = added.title();
    custody.close("combine", &title, &holders, &check_value, true)?;
    println!(
        "{}",
        if zh {
            format!(
                "密钥 {title}，校验值 {check_value}，由 {} 合成",
                holders.join("、")
            )
        } else {
            format!("Key {title}, KCV {check_value}, of {}", holders.join(", "))
        }
    );
    Ok(())
}
