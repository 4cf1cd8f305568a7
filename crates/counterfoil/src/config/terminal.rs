//! The terminal's file: one terminal, or a row of them that share a journal.

use super::keys::{KeyText, Keyring};
use super::link::{Link, TlsText};
use super::printer::PrinterFile;
use super::security::{PartyModule, SecurityText};
use super::{ConfigError, Problem, Profile, merchant_id, terminal_range};
use crate::printer::PrinterAddress;
use ::terminal::ChipReader;
use ::terminal::Config;
use ::terminal::kernel::{ChipTerminal, FallbackRule};
use crypto::{AnswerMethod, KeyUsage, Pin};
use payment::relay::Gaps;
use payment::timeouts::Ladder;
use payment::{Percents, Stan, Track2};
use receipt::{InstalledPrinter, Language, Paper};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalFile {
    /// Sandbox or production.
    pub profile: Profile,
    /// Directory of the journal.
    pub data: PathBuf,
    /// The collector that spans of every loop are posted to (OTLP over HTTP); without one there are none.
    pub traces: Option<String>,
    /// Keeps the archive beside the journal up to date while it runs.
    #[serde(default = "super::yes")]
    pub archive: bool,
    /// Key of the software module.
    pub local_master_key: Option<KeyText>,
    /// The token, instead of the software module.
    pub security: Option<SecurityText>,
    /// The key store that `store:NAME` speaks of; production takes no other keys.
    pub key_store: Option<PathBuf>,
    /// Where the acquirer listens.
    pub acquirer: SocketAddr,
    /// How that link is protected: this table, or `plain`. The certificate names the whole row.
    pub tls: Option<TlsText>,
    /// The link is plain TCP, said explicitly.
    #[serde(default)]
    pub plain: bool,
    /// Connections that are kept and shared by the row; 0 makes one for each exchange.
    #[serde(default)]
    pub connections: u16,
    /// Field 41 of the first.
    pub id: String,
    /// How many, counting up.
    #[serde(default = "one")]
    pub count: u32,
    /// Field 42.
    pub merchant: String,
    /// Printed on slips.
    pub merchant_name: String,
    /// Printed on slips.
    pub acquirer_name: String,
    /// Names of issuers by the first digits of their cards.
    #[serde(default)]
    pub issuers: Vec<IssuerName>,
    /// Terminal master key.
    pub tmk: KeyText,
    /// The time-out ladder; `terminal_ms` is this party's.
    #[serde(default)]
    pub timeouts: Ladder,
    /// How long the answer to a result query is awaited.
    #[serde(default = "query_ms")]
    pub query_ms: u64,
    /// Speaks the result query and the positive sign.
    #[serde(default = "super::yes")]
    pub extended: bool,
    /// Within it a recovered approval is kept without a question.
    #[serde(default = "dialogue_ms")]
    pub dialogue_ms: u64,
    /// How long the cashier may take to answer.
    #[serde(default = "goods_question_ms")]
    pub goods_question_ms: u64,
    /// Up to what percentage of its original a completion or an adjustment may go.
    #[serde(default)]
    pub percents: Percents,
    /// Further rounds in which unanswered messages of a settlement are sent again.
    #[serde(default = "batch_resends")]
    pub batch_resends: u32,
    /// Milliseconds between attempts at a reversal.
    #[serde(default = "gaps")]
    pub reversal_gaps_ms: Vec<u64>,
    /// Idle for so long, an unreported sign is reported.
    #[serde(default = "idle_report_ms")]
    pub idle_report_ms: u64,
    /// Where e-slips are, for instance `https://r.example/r`; without it none are shown.
    pub eslip: Option<String>,
    /// A slip that is not on paper after so many milliseconds is shown as an e-slip.
    #[serde(default = "eslip_after_ms")]
    pub eslip_after_ms: u64,
    /// The receipt printer: `tcp:host:port`, `serial:/dev/ttyS0?baud=9600` or `file:/dev/usb/lp0`; without one slips
    /// are kept and not printed.
    pub printer: Option<PrinterAddress>,
    /// What `counterfoil accept` wrote about that printer, a path from this file's folder; without it no slip is ever
    /// called printed by the printer's word.
    pub printer_installed: Option<PathBuf>,
    /// What [`TerminalFile::read`] found there.
    #[serde(skip, default = "super::printer::untested")]
    pub installed: InstalledPrinter,
    /// Where the till's page is served; a loopback address. Without it there is no page.
    pub page: Option<SocketAddr>,
    /// Where the cardholder's pages are, for instance `https://r.example`: the code that a customer scans while a sale is
    /// unresolved.
    pub public: Option<String>,
    /// The goods that the page's basket knows, a path from this file's folder.
    pub goods: Option<PathBuf>,
    /// What [`TerminalFile::read`] found there.
    #[serde(skip)]
    pub stock: Vec<Good>,
    /// `zh` or `en`.
    #[serde(default = "zh")]
    pub language: String,
    /// 58 or 80.
    #[serde(default = "paper_mm")]
    pub paper_mm: u16,
    /// The chip reader; without it every card is swiped.
    pub chip: Option<ChipText>,
    /// Test cards that the text interface offers; sandbox only.
    #[serde(default)]
    pub cards: Vec<TestCard>,
}

/// The file of goods.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoodsFile {
    /// What is sold.
    pub goods: Vec<Good>,
}

/// Something that is sold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Good {
    /// Digits of its barcode.
    pub barcode: String,
    /// Its name in zh-CN.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// Its price in fen.
    pub price_minor: u64,
}

/// An issuer's name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerName {
    /// First digits.
    pub prefix: String,
    /// The name.
    pub name: String,
}

/// A test card.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCard {
    /// What the cashier calls it.
    pub name: String,
    /// Its published test number.
    pub pan: String,
    /// `YYMM`.
    pub expiry: u16,
    /// The PIN its holder enters; none signs.
    pub pin: Option<String>,
    /// Its chip.
    pub chip: Option<TestChip>,
}

/// The chip of a test card: the published keys that its bank would have put into it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestChip {
    /// Two digits.
    pub sequence: String,
    /// The bank's master key of cryptograms.
    pub imk: KeyText,
    /// The bank's master key of the MACs of scripts.
    pub smi: KeyText,
    /// Method by which its bank answers it (ARPC), 1 or 2.
    #[serde(default = "super::arpc")]
    pub arpc: u8,
    /// What is wrong with it.
    pub fault: Option<crypto::CardFault>,
}

impl TestChip {
    /// The sequence number, or what is wrong with it.
    pub fn sequence_digits(&self) -> Result<[u8; 2], Problem> {
        super::sequence_digits(&self.sequence)
    }

    /// How its bank answers it, or what is wrong with that.
    pub fn answer(&self) -> Result<AnswerMethod, Problem> {
        super::answer_method(self.arpc)
    }
}

/// The chip reader.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipText {
    /// A tap up to this needs no PIN and no signature, in fen.
    #[serde(default = "contactless_free_minor")]
    pub contactless_free_minor: u64,
    /// A tap above this is refused: the card must be inserted. In fen.
    #[serde(default = "contactless_limit_minor")]
    pub contactless_limit_minor: u64,
    /// A chip that cannot be read may be swiped.
    #[serde(default = "super::yes")]
    pub fallback: bool,
    /// After so many tries.
    #[serde(default = "fallback_tries")]
    pub fallback_tries: u8,
    /// A chip card that is swiped without a try goes to its issuer with 60.5 = 1 instead of being refused here.
    #[serde(default)]
    pub improper_swipes: bool,
}

const fn contactless_free_minor() -> u64 {
    100_000
}

const fn contactless_limit_minor() -> u64 {
    5_000_000
}

const fn fallback_tries() -> u8 {
    3
}

impl ChipText {
    /// As cards see a terminal with this number.
    fn resolve(&self, terminal: payment::TerminalId) -> ChipReader {
        let mut seen = ChipTerminal::unionpay(terminal.0, self.contactless_free_minor);
        for application in &mut seen.applications {
            application.contactless_limit_minor = self.contactless_limit_minor;
        }
        ChipReader {
            terminal: seen,
            fallback: FallbackRule {
                allowed: self.fallback,
                tries: self.fallback_tries,
                improper_swipes: self.improper_swipes,
            },
        }
    }
}

impl TestCard {
    /// What its holder enters.
    pub fn entered_pin(&self) -> Option<Pin> {
        Pin::parse(self.pin.as_ref()?.as_bytes()).ok()
    }

    /// What its stripe says; the service code tells a reader of its chip.
    pub fn track2(&self) -> Option<Track2> {
        let service = if self.chip.is_some() { "201" } else { "101" };
        Track2::parse(format!("{}D{}{service}000000000", self.pan, self.expiry).as_bytes())
    }
}

impl std::fmt::Debug for TestCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, receipt::mask_pan(&self.pan))
    }
}

const fn one() -> u32 {
    1
}

const fn query_ms() -> u64 {
    10_000
}

const fn dialogue_ms() -> u64 {
    120_000
}

const fn goods_question_ms() -> u64 {
    120_000
}

const fn batch_resends() -> u32 {
    3
}

const fn idle_report_ms() -> u64 {
    5_000
}

const fn eslip_after_ms() -> u64 {
    5_000
}

const fn paper_mm() -> u16 {
    58
}

fn zh() -> String {
    "zh".to_owned()
}

fn gaps() -> Vec<u64> {
    Gaps::default().0
}

impl TerminalFile {
    /// The link to the acquirer.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn link(&self) -> Result<Link, Problem> {
        let tls = self.tls.as_ref();
        Link::connecting("acquirer", self.acquirer, self.plain, tls, self.profile)
    }

    /// Reads the file, and the one that says how its printer was found.
    ///
    /// # Errors
    /// The file that is not taken, and why.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut file: Self = super::read(path)?;
        if let Some(installed) = &file.printer_installed {
            let installed = path.parent().unwrap_or(Path::new("")).join(installed);
            let printer: PrinterFile = super::read(&installed)?;
            file.installed = printer.resolve().map_err(|problem| ConfigError {
                file: installed,
                problem,
            })?;
        }
        if let Some(goods) = &file.goods {
            let goods = path.parent().unwrap_or(Path::new("")).join(goods);
            let listed: GoodsFile = super::read(&goods)?;
            file.stock = listed.goods;
        }
        Ok(file)
    }

    /// The configuration of every terminal and their security module, or the first thing that is wrong.
    pub fn resolve(&self) -> Result<(Vec<Config>, PartyModule), Problem> {
        self.traces.as_deref().map(super::collector).transpose()?;
        self.timeouts.check().map_err(|error| error.to_string())?;
        let keys = Keyring::open(
            self.local_master_key.as_ref(),
            self.security.as_ref(),
            self.profile,
            self.key_store.as_deref(),
        )?;
        if self.profile == Profile::Production && !self.cards.is_empty() {
            return Err("cards: test cards load only under profile = \"sandbox\"".to_owned());
        }
        let language = match self.language.as_str() {
            "zh" => Language::Zh,
            "en" => Language::En,
            other => return Err(format!("language \"{other}\" is not zh or en")),
        };
        let paper = match self.paper_mm {
            58 => Paper::Mm58,
            80 => Paper::Mm80,
            other => return Err(format!("paper_mm = {other} is not 58 or 80")),
        };
        let tmk = self.tmk.load(&keys, KeyUsage::TerminalMaster, "tmk")?;
        let mut issuers: Vec<_> = self
            .issuers
            .iter()
            .map(|i| (i.prefix.clone(), i.name.clone()))
            .collect();
        issuers.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let config = Config {
            terminal: terminal_range(&self.id, 1)?[0],
            merchant: merchant_id(&self.merchant)?,
            source_address: 0,
            merchant_name: self.merchant_name.clone(),
            acquirer_name: self.acquirer_name.clone(),
            issuers,
            operator: "01".to_owned(),
            tmk,
            first_stan: Stan(1),
            answer_ms: self.timeouts.terminal_ms,
            query_ms: self.query_ms,
            extended: self.extended,
            dialogue_ms: self.dialogue_ms,
            goods_question_ms: self.goods_question_ms,
            gaps: Gaps(self.reversal_gaps_ms.clone()),
            percents: self.percents,
            batch_resends: self.batch_resends,
            idle_report_ms: self.idle_report_ms,
            eslip: self.eslip.clone(),
            eslip_after_ms: self.eslip_after_ms,
            prints: self.printer.is_some(),
            chip: None,
            language,
            paper,
        };
        let row = terminal_range(&self.id, self.count)?
            .into_iter()
            .enumerate();
        let row = row.map(|(place, terminal)| {
            let source_address = u16::try_from(place)
                .map_err(|_| "count: a row has as many places as a TPDU has addresses, 65536")?;
            Ok(Config {
                chip: self.chip.map(|chip| chip.resolve(terminal)),
                terminal,
                source_address,
                ..config.clone()
            })
        });
        Ok((row.collect::<Result<_, Problem>>()?, keys.module))
    }
}
