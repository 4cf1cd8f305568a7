//! The issuer's file.

use super::acquirer::MemberLink;
use super::keys::{KeyText, Keyring};
use super::security::{PartyModule, SecurityText};
use super::{Problem, Profile, institution};
use ::issuer::{CardSetup, CardStatus, ChipKeys, Config, Product};
use crypto::{AnswerMethod, CryptogramScheme, KeyUsage, Pan, Pin, SecurityModule, WrappedKey};
use payment::Percents;
use payment::timeouts::Ladder;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerFile {
    /// Sandbox or production.
    pub profile: Profile,
    /// Directory of journal and archive.
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
    /// The loopback control port.
    pub control: SocketAddr,
    /// Its own code.
    pub institution: String,
    /// The link to the network.
    pub network: MemberLink,
    /// PIN verification key.
    pub pvk: KeyText,
    /// The time-out ladder.
    #[serde(default)]
    pub timeouts: Ladder,
    /// Wrong PINs in a row until the card takes none any more.
    #[serde(default = "pin_tries_max")]
    pub pin_tries_max: u8,
    /// A purchase up to this needs no PIN, in fen.
    #[serde(default = "no_pin_limit_minor")]
    pub no_pin_limit_minor: u64,
    /// How far completions and adjustments may go beyond their original.
    #[serde(default)]
    pub percents: Percents,
    /// Days that a pre-authorisation holds.
    #[serde(default = "hold_days")]
    pub hold_days: u16,
    /// Keys of chip cards; without them the bank serves stripes alone.
    pub chip: Option<ChipText>,
    /// `money`, or `barter` for a barter centre: what the accounts are in.
    #[serde(default)]
    pub unit: UnitText,
    /// Where notices to cardholders are posted, and the secret that signs them.
    pub webhook: Option<WebhookText>,
    /// The cards.
    #[serde(default)]
    pub cards: Vec<CardText>,
}

/// Keys of chip cards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipText {
    /// Master key of cryptograms.
    pub imk: KeyText,
    /// Master key of the MACs of scripts.
    pub smi: KeyText,
    /// A chip that cannot be read may be swiped, with PIN.
    #[serde(default = "super::yes")]
    pub fallback: bool,
    /// Method by which chips are answered (ARPC), 1 or 2; a range of cards may have another one.
    #[serde(default = "super::arpc")]
    pub arpc: u8,
}

/// A webhook.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookText {
    /// `http://…`
    pub url: String,
    /// `whsec_…`
    pub secret: KeyText,
}

/// A test card, or a range of them: sandbox only, published test numbers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardText {
    /// The number of the first, without its check digit when `count` is more than one.
    pub pan: String,
    /// How many: the digits before the check digit count up, and the check digit is made anew.
    #[serde(default = "one")]
    pub count: u32,
    /// Its PIN, or none.
    pub pin: Option<String>,
    /// Sequence number of its chip, two digits; none for a card without chip.
    pub chip: Option<String>,
    /// Method by which its chip is answered (ARPC), 1 or 2; without it the bank's.
    pub arpc: Option<u8>,
    /// Who holds it.
    pub holder: String,
    /// `debit` or `credit`.
    #[serde(default = "debit")]
    pub product: String,
    /// `normal`, `lost`, `stolen`, `restricted` or `not_initialised`.
    #[serde(default = "normal")]
    pub status: String,
    /// `YYMM`.
    pub expiry: u16,
    /// Opening balance, in fen.
    #[serde(default)]
    pub balance_minor: u64,
    /// Credit limit, in fen.
    #[serde(default)]
    pub credit_limit_minor: u64,
    /// The most one purchase may take, in fen.
    #[serde(default = "single_limit_minor")]
    pub single_limit_minor: u64,
    /// The most one day may take, in fen.
    #[serde(default = "daily_limit_minor")]
    pub daily_limit_minor: u64,
    /// Purchases a day.
    #[serde(default = "daily_count_limit")]
    pub daily_count_limit: u32,
}

const fn one() -> u32 {
    1
}

const fn pin_tries_max() -> u8 {
    3
}

/// What the accounts of an issuer are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitText {
    /// 人民币.
    #[default]
    Money,
    /// 易货额.
    Barter,
}

impl UnitText {
    const fn currency(self) -> payment::Currency {
        match self {
            Self::Money => payment::CNY,
            Self::Barter => payment::BARTER_UNIT,
        }
    }
}

const fn hold_days() -> u16 {
    30
}

const fn no_pin_limit_minor() -> u64 {
    100_000
}

const fn single_limit_minor() -> u64 {
    5_000_000
}

const fn daily_limit_minor() -> u64 {
    50_000_000
}

const fn daily_count_limit() -> u32 {
    100_000
}

fn debit() -> String {
    "debit".to_owned()
}

fn normal() -> String {
    "normal".to_owned()
}

impl CardText {
    /// The numbers of this entry.
    pub fn numbers(&self) -> Result<Vec<String>, Problem> {
        if self.count <= 1 {
            return Ok(vec![self.pan.clone()]);
        }
        let body = &self.pan[..self.pan.len().saturating_sub(1)];
        let start: u128 = body
            .parse()
            .map_err(|_| format!("card \"{}\" must be digits", masked(&self.pan)))?;
        (0..u128::from(self.count))
            .map(|n| {
                let digits = format!("{:0width$}", start + n, width = body.len());
                let check = crypto::luhn_check_digit(digits.as_bytes())
                    .ok_or_else(|| format!("card \"{}\" must be digits", masked(&self.pan)))?;
                Ok(format!("{digits}{}", char::from(check)))
            })
            .collect()
    }

    fn setup(
        &self,
        module: &dyn SecurityModule,
        pvk: &WrappedKey,
        pan: &str,
        (account, chip_answer): (u64, AnswerMethod),
    ) -> Result<CardSetup, Problem> {
        let name = || format!("card {}", masked(pan));
        let number =
            Pan::parse(pan.as_bytes()).map_err(|_| format!("{}: 12 to 19 digits", name()))?;
        let card = module
            .card(&number, 0)
            .map_err(|error| format!("{}: {error}", name()))?;
        let pin_offset = match &self.pin {
            None => None,
            Some(pin) => {
                let pin = Pin::parse(pin.as_bytes())
                    .map_err(|_| format!("{}: the PIN must be 4 to 12 digits", name()))?;
                Some(
                    module
                        .pin_offset(pvk, &number, &pin)
                        .map_err(|error| format!("{}: {error}", name()))?,
                )
            }
        };
        let product = match self.product.as_str() {
            "debit" => Product::Debit,
            "credit" => Product::Credit,
            other => {
                return Err(format!(
                    "{}: product \"{other}\" is not debit or credit",
                    name()
                ));
            }
        };
        let status = match self.status.as_str() {
            "normal" => CardStatus::Normal,
            "lost" => CardStatus::Lost,
            "stolen" => CardStatus::Stolen,
            "restricted" => CardStatus::Restricted,
            "not_initialised" => CardStatus::NotInitialised,
            other => return Err(format!("{}: status \"{other}\" is not known", name())),
        };
        Ok(CardSetup {
            token: card.token,
            card,
            holder: self.holder.clone(),
            product,
            account,
            balance_minor: self.balance_minor,
            credit_limit_minor: self.credit_limit_minor,
            status,
            expiry: self.expiry,
            chip_sequence: match &self.chip {
                Some(text) => Some(super::sequence_digits(text)?),
                None => None,
            },
            chip_answer,
            pin_offset,
            single_limit_minor: self.single_limit_minor,
            daily_limit_minor: self.daily_limit_minor,
            daily_count_limit: self.daily_count_limit,
        })
    }
}

/// First six and last four digits of whatever stands there.
fn masked(pan: &str) -> String {
    receipt::mask_pan(pan)
}

impl IssuerFile {
    /// The party's configuration and its security module, or the first thing that is wrong.
    pub fn resolve(&self) -> Result<(Config, PartyModule), Problem> {
        self.traces.as_deref().map(super::collector).transpose()?;
        self.timeouts.check().map_err(|error| error.to_string())?;
        let keys = Keyring::open(
            self.local_master_key.as_ref(),
            self.security.as_ref(),
            self.profile,
            self.key_store.as_deref(),
        )?;
        let (network, kek, mac) = self.network.resolve(&keys)?;
        let pvk = self.pvk.load(&keys, KeyUsage::PinVerification, "pvk")?;
        if self.profile == Profile::Production && !self.cards.is_empty() {
            return Err(
                "cards: clear card numbers load only under profile = \"sandbox\"".to_owned(),
            );
        }
        let mut cards = Vec::new();
        for text in &self.cards {
            let arpc = text.arpc.or(self.chip.as_ref().map(|chip| chip.arpc));
            let answer = super::answer_method(arpc.unwrap_or(super::arpc()))?;
            for pan in text.numbers()? {
                let account = 1_000 + cards.len() as u64;
                cards.push(text.setup(&keys.module, &pvk, &pan, (account, answer))?);
            }
        }
        let chip = match &self.chip {
            None => None,
            Some(chip) => {
                let wrap = |key: &KeyText, usage, name| key.load(&keys, usage, name);
                Some(ChipKeys {
                    imk: wrap(&chip.imk, KeyUsage::CryptogramMaster, "chip.imk")?,
                    smi: wrap(&chip.smi, KeyUsage::ScriptMaster, "chip.smi")?,
                    scheme: CryptogramScheme::Pboc,
                    fallback: chip.fallback,
                })
            }
        };
        let config = Config {
            institution: institution(&self.institution)?,
            network,
            kek,
            mac,
            pvk,
            issuer_timeout_ms: self.timeouts.issuer_ms,
            cards,
            pin_tries_max: self.pin_tries_max,
            no_pin_limit_minor: self.no_pin_limit_minor,
            chip,
            percents: self.percents,
            hold_ms: u64::from(self.hold_days) * 86_400_000,
            unit: self.unit.currency(),
        };
        Ok((config, keys.module))
    }
}
