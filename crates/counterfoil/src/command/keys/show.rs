//! `keys show` and `keys log`: what is there, and how it came to be.

use super::{Failure, StoreArguments, log_path};
use crate::ceremony::Log;
use crate::command::print_json;
use crate::config::{Profile, keys::module_of_file};
use crate::driver::wall;
use crate::key_store::{KeyStore, Origin, StoredKey, check_value};
use crypto::{KeyAlgorithm, KeyCustody};
use payment::Wall;
use std::path::PathBuf;

/// Arguments of `keys show`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArguments,
}

/// One generation of a key, as it is shown.
#[derive(serde::Serialize)]
struct Row {
    key: String,
    usage: &'static str,
    algorithm: KeyAlgorithm,
    bits: u16,
    check_value: String,
    created: String,
    by: Vec<String>,
    origin: Origin,
    exportable: bool,
    ends: Option<String>,
    serves: bool,
    test_key: Option<&'static str>,
}

pub(super) fn run(arguments: &Arguments, zh: bool) -> Result<(), Failure> {
    let store = &arguments.store;
    let module = store.master.module()?;
    let opened = KeyStore::open(&store.store, &module)?;
    Log::read(&log_path(store.ceremony_log.as_deref(), &store.store))?.continues(&opened.log)?;
    let rows: Vec<Row> = opened
        .keys()
        .iter()
        .map(|key| row(key, &module))
        .collect::<Result<_, _>>()?;
    if arguments.json {
        return print_json(&rows);
    }
    for row in &rows {
        println!("{}", text(row, zh));
    }
    Ok(())
}

fn row(key: &StoredKey, module: &dyn KeyCustody) -> Result<Row, Failure> {
    let published = module.published_key(&key.key);
    Ok(Row {
        key: key.title(),
        usage: key.key.usage().name(),
        algorithm: key.key.algorithm(),
        bits: key.key.bits(),
        check_value: check_value(module, &key.key)?,
        created: Wall(key.created_ms).text(),
        by: key.by.clone(),
        origin: key.origin,
        exportable: key.key.exportable(),
        ends: key.ends_ms.map(|end| Wall(end).text()),
        serves: key.serves(wall().0),
        test_key: published.map_err(|error| error.to_string())?,
    })
}

fn text(row: &Row, zh: bool) -> String {
    let algorithm = match row.algorithm {
        KeyAlgorithm::Des => "DES",
        KeyAlgorithm::Aes => "AES",
    };
    let origin = match (row.origin, zh) {
        (Origin::Components, true) => "分量合成",
        (Origin::Components, false) => "of components",
        (Origin::KeyBlock, true) => "密钥块导入",
        (Origin::KeyBlock, false) => "of a key block",
        (Origin::Generated, true) => "模块生成",
        (Origin::Generated, false) => "made in the module",
    };
    let Row {
        key,
        usage,
        bits,
        check_value,
        created,
        ..
    } = row;
    let mut text = if zh {
        let by = row.by.join("、");
        format!(
            "{key}  {usage}  {algorithm}-{bits}  校验值 {check_value}  {created}  {by}  {origin}"
        )
    } else {
        let by = row.by.join(", ");
        format!("{key}  {usage}  {algorithm}-{bits}  KCV {check_value}  {created}  {by}  {origin}")
    };
    match (&row.ends, row.serves, zh) {
        (Some(end), true, true) => text += &format!("  用到 {end}"),
        (Some(end), true, false) => text += &format!("  serves until {end}"),
        (Some(end), false, true) => text += &format!("  已停用 {end}"),
        (Some(end), false, false) => text += &format!("  ended {end}"),
        (None, ..) => {}
    }
    if !row.exportable {
        text += if zh {
            "  不可导出"
        } else {
            "  not exportable"
        };
    }
    if let Some(source) = row.test_key {
        text += &if zh {
            format!("  测试密钥（{source}）")
        } else {
            format!("  TEST KEY ({source})")
        };
    }
    text
}

/// Arguments of `keys log`.
#[derive(Debug, clap::Args)]
pub(super) struct LogArguments {
    /// The log
    #[arg(default_value = "ceremony.log")]
    file: PathBuf,
    /// Only say whether it holds
    #[arg(long)]
    verify: bool,
    /// Also hold it against what this key store remembers of it
    #[arg(long, requires = "local_master_key")]
    store: Option<PathBuf>,
    /// File of the store's local master key
    #[arg(long)]
    local_master_key: Option<PathBuf>,
}

pub(super) fn log(arguments: &LogArguments, zh: bool) -> Result<(), Failure> {
    let log = Log::read(&arguments.file)?;
    if let (Some(store), Some(key)) = (&arguments.store, &arguments.local_master_key) {
        let module = module_of_file(key, Profile::Sandbox)?;
        log.continues(&KeyStore::open(store, &module)?.log)?;
    }
    if arguments.verify {
        let lines = log.lines().count();
        println!(
            "{}",
            match (arguments.store.is_some(), zh) {
                (false, true) => format!("✓ {lines} 行，逐行相连"),
                (false, false) => format!("✓ {lines} lines, each follows the one before"),
                (true, true) => format!("✓ {lines} 行，逐行相连，与密钥库的记录一致"),
                (true, false) => format!(
                    "✓ {lines} lines, each follows the one before, as the key store saw them"
                ),
            }
        );
        return Ok(());
    }
    for line in log.lines() {
        let by = line.holders.join(if zh { "、" } else { ", " });
        println!(
            "{}  {}  {}  {}  {}  {by}",
            line.line,
            line.time,
            line.act,
            or_dash(&line.key),
            or_dash(&line.check_value),
        );
    }
    Ok(())
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}
