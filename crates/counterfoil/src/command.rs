//! The command line: one file for each command, one list line here.

mod accept;
mod audit;
mod authority;
mod bench;
mod certificate;
mod check;
mod decode;
mod demo;
mod doctor;
mod host;
mod keys;
mod people;
mod printer;
mod sim;
mod terminal;
mod token;
mod vectors;
mod verify;
mod wallet;
mod where_is;

use crate::log::{self, LogFormat};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use std::process::ExitCode;

/// Counterfoil 存根: card acquiring that always knows where the money is.
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version)]
pub struct Arguments {
    /// Language of what is printed [default: from LANG, else zh]
    #[arg(long, global = true)]
    language: Option<Language>,
    /// Log filter, for instance info or counterfoil=debug
    #[arg(long, global = true, default_value = "warn")]
    log: String,
    /// Log lines as JSON
    #[arg(long, global = true)]
    log_json: bool,
    /// What to do; without one the demo runs
    #[command(subcommand)]
    command: Option<Command>,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// 中文
    Zh,
    /// English
    En,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole loop in one process, and every story of what can break
    Demo(demo::Arguments),
    /// The POS centre, as its own process
    Acquirer(host::Arguments),
    /// The switch between members, as its own process
    Network(host::Arguments),
    /// The bank, as its own process
    Issuer(host::Arguments),
    /// A till with a text interface
    Terminal(terminal::Arguments),
    /// A virtual receipt printer on TCP
    Printer(printer::Arguments),
    /// A wallet of the sandbox, with accounts and a page for its customers
    Wallet(wallet::Arguments),
    /// Installation test: finds out whether this printer's word can be believed
    Accept(accept::Arguments),
    /// What is wrong with a printer, one step at a time
    Doctor(doctor::Arguments),
    /// Where the money of one sale is
    Where(where_is::Arguments),
    /// Outcome certificates: checks, shows and exports them
    Certificate(certificate::Arguments),
    /// A certificate authority for the sandbox's links
    Authority(authority::Arguments),
    /// Recomputes everything from the journals and says what differs
    Verify(verify::Arguments),
    /// Who works at the acquirer's desk: accounts and API keys
    People(people::Arguments),
    /// The audit log of the desk
    Audit(audit::Arguments),
    /// Key ceremony: components, dual control, key blocks, rotation, and its log
    Keys(keys::Arguments),
    /// Holds this build's cryptography against a file of vectors
    Vectors(vectors::Arguments),
    /// Prepares a PKCS#11 token to hold a party's keys
    Token(token::Arguments),
    /// Decodes a message given as hex, masked
    Decode(decode::Arguments),
    /// Simulates the whole world from seeds
    Sim(sim::Arguments),
    /// Measures this machine: codec, loop, healing, simulator
    Bench(bench::Arguments),
    /// Looks at configuration files
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Checks files, and the time-outs of all of them together
    Check(check::Arguments),
}

/// How a command ends when it does not end well.
pub(crate) type Failure = String;

/// Reads the command line and runs it.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let format = if arguments.log_json {
        LogFormat::Json
    } else {
        LogFormat::Plain
    };
    if let Err(problem) = log::start(format, &arguments.log) {
        return fail(&format!("--log: {problem}"));
    }
    let zh = match arguments.language {
        Some(language) => language == Language::Zh,
        None => !std::env::var("LANG").unwrap_or_default().starts_with("en"),
    };
    match run(
        arguments
            .command
            .unwrap_or_else(|| Command::Demo(demo::Arguments::default())),
        zh,
    ) {
        Ok(code) => code,
        Err(problem) => fail(&problem),
    }
}

/// The help of every command, one section each: `docs/cli.md` is made of it.
pub fn help() -> String {
    let mut root = Arguments::command();
    root.build();
    let mut text = String::new();
    help_of(&mut root, &mut text);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn help_of(command: &mut clap::Command, text: &mut String) {
    let name = command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let help = command.render_long_help().to_string();
    // The help pads its empty lines.
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    text.push_str(&format!(
        "## `{name}`\n\n```text\n{}\n```\n\n",
        lines.join("\n")
    ));
    for inner in command
        .get_subcommands_mut()
        .filter(|inner| inner.get_name() != "help")
    {
        help_of(inner, text);
    }
}

fn run(command: Command, zh: bool) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments, zh),
        Command::Acquirer(arguments) => host::acquirer(&arguments),
        Command::Network(arguments) => host::network(&arguments),
        Command::Issuer(arguments) => host::issuer(&arguments),
        Command::Terminal(arguments) => terminal::run(&arguments, zh),
        Command::Printer(arguments) => printer::run(&arguments, zh),
        Command::Wallet(arguments) => wallet::run(&arguments),
        Command::Accept(arguments) => accept::run(&arguments, zh),
        Command::Doctor(arguments) => doctor::run(&arguments, zh),
        Command::Where(arguments) => where_is::run(&arguments, zh),
        Command::Certificate(arguments) => certificate::run(&arguments, zh),
        Command::Authority(arguments) => authority::run(&arguments, zh),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::People(arguments) => people::run(&arguments, zh),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments, zh),
        Command::Vectors(arguments) => vectors::run(&arguments, zh),
        Command::Token(arguments) => token::run(&arguments, zh),
        Command::Decode(arguments) => decode::run(&arguments, zh),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Config {
            command: ConfigCommand::Check(arguments),
        } => check::run(&arguments, zh),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("counterfoil: {problem}");
    ExitCode::FAILURE
}

/// The runtime that carries links and pages; parties have threads of their own.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
}

/// Resolves on Ctrl-C or a termination signal.
pub(crate) async fn until_told_to_stop() {
    let mut terminate =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(_) => return std::future::pending().await,
        };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Prints a value as JSON.
pub(crate) fn print_json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    println!(
        "{}",
        serde_json::to_string_pretty(value).map_err(|error| error.to_string())?
    );
    Ok(())
}

/// The data directories of parties among these and right below them.
pub(crate) fn party_directories(
    given: &[std::path::PathBuf],
) -> Result<Vec<std::path::PathBuf>, Failure> {
    let holds_journal =
        |directory: &std::path::Path| crate::archive::journal_path(directory).exists();
    let mut found = Vec::new();
    for directory in given {
        if holds_journal(directory) {
            found.push(directory.clone());
            continue;
        }
        let entries = std::fs::read_dir(directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        let mut below: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| holds_journal(path))
            .collect();
        below.sort();
        if below.is_empty() {
            return Err(format!(
                "{}: no journal here or right below",
                directory.display()
            ));
        }
        found.append(&mut below);
    }
    Ok(found)
}
