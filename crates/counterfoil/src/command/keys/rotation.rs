//! `keys rotate` and `keys retire`: the next generation of a key, and the end of one.

use super::{
    Custody, Failure, StoreArguments, block::take, expect_check_value, open_components, random,
};
use crate::driver::wall;
use crate::key_store::Origin;
use crypto::{KeyCustody, WrappedKey};
use payment::Wall;
use std::path::PathBuf;

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Longest time that a rotated key may serve on, in days.
const KEEP_DAYS_MAX: u32 = 366;

/// Arguments of `keys rotate`.
#[derive(Debug, clap::Args)]
pub(super) struct RotateArguments {
    /// Key to rotate
    name: String,
    /// Component files of the new key, each of another holder; without any the module makes a random key
    components: Vec<PathBuf>,
    /// Key block of the new key, as another member sent it
    #[arg(long, requires = "under", conflicts_with = "components")]
    block: Option<String>,
    /// Key block protection key of that block
    #[arg(long, requires = "block")]
    under: Option<String>,
    /// Days that the old generation serves on, as NAME@GENERATION, for messages on their way
    #[arg(long, default_value_t = 7)]
    keep_days: u32,
    /// Check value that the new key must have
    #[arg(long)]
    expected: Option<String>,
    /// Files whose first lines are the passphrases, one for each component in order, instead of typing them
    #[arg(long)]
    passphrase_file: Vec<PathBuf>,
    /// Who rotates it
    #[arg(long, required = true)]
    by: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
}

pub(super) fn rotate(arguments: &RotateArguments, zh: bool) -> Result<(), Failure> {
    let mut custody = Custody::open(&arguments.store)?;
    if arguments.name.contains('@') {
        return Err("a key is rotated by its name, without a generation".to_owned());
    }
    let old = custody.store.find(&arguments.name)?.clone();
    if arguments.keep_days > KEEP_DAYS_MAX {
        return Err(format!("--keep-days: at most {KEEP_DAYS_MAX}"));
    }
    let (key, origin, mut by) = next(arguments, &custody, &old.key, zh)?;
    expect_check_value(&custody.module, &key, arguments.expected.as_deref())?;
    let check_value = custody.check_value(&key)?;
    if custody.check_value(&old.key)? == check_value {
        return Err("the new key is the old one".to_owned());
    }
    custody.warn_of_test_key(&key, zh)?;
    for name in &arguments.by {
        if !by.contains(name) {
            by.push(name.clone());
        }
    }
    let now = wall().0;
    let end = now + i64::from(arguments.keep_days) * DAY_MS;
    custody.store.end(&old.title(), end)?;
    let added = custody.store.add(&old.name, key, origin, &by, now)?;
    let title = added.title();
    custody.close("rotate", &title, &by, &check_value, true)?;
    println!(
        "{}",
        if zh {
            format!(
                "密钥 {title}，校验值 {check_value}；{} 用到 {}",
                old.title(),
                Wall(end).text()
            )
        } else {
            format!(
                "Key {title}, KCV {check_value}; {} serves until {}",
                old.title(),
                Wall(end).text()
            )
        }
    );
    Ok(())
}

/// The next generation, its origin and the holders of its components.
fn next(
    arguments: &RotateArguments,
    custody: &Custody,
    old: &WrappedKey,
    zh: bool,
) -> Result<(WrappedKey, Origin, Vec<String>), Failure> {
    if let (Some(block), Some(under)) = (&arguments.block, &arguments.under) {
        let (key, _) = take(custody, under, old.usage(), block)?;
        return Ok((key, Origin::KeyBlock, Vec::new()));
    }
    let (key, origin, holders) = if arguments.components.is_empty() {
        let bytes = usize::from(old.bits() / 8);
        let key = custody
            .module
            .generate(old.usage(), old.algorithm(), bytes, &*random()?);
        (key, Origin::Generated, Vec::new())
    } else {
        let (components, holders) =
            open_components(&arguments.components, &arguments.passphrase_file, zh)?;
        let key = custody.module.combine(old.usage(), &components);
        (key, Origin::Components, holders)
    };
    Ok((key.map_err(|error| error.to_string())?, origin, holders))
}

/// Arguments of `keys retire`.
#[derive(Debug, clap::Args)]
pub(super) struct RetireArguments {
    /// Key to end: NAME, which is its latest generation, or NAME@GENERATION
    name: String,
    /// Who retires it
    #[arg(long, required = true)]
    by: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
}

pub(super) fn retire(arguments: &RetireArguments, zh: bool) -> Result<(), Failure> {
    let mut custody = Custody::open(&arguments.store)?;
    let ended = custody.store.end(&arguments.name, wall().0)?;
    let (title, key) = (ended.title(), ended.key);
    let check_value = custody.check_value(&key)?;
    custody.close("retire", &title, &arguments.by, &check_value, true)?;
    println!(
        "{}",
        if zh {
            format!("密钥 {title}（校验值 {check_value}）已停用")
        } else {
            format!("Key {title} (KCV {check_value}) has ended")
        }
    );
    Ok(())
}
