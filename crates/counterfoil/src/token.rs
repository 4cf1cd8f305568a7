//! A PKCS#11 token as the place of keys: finding it, logging in, its master keys, and the security module over it.
//!
//! Invariant: the master keys are generated inside the token and never leave it; a token whose master keys could leave is
//! refused. A PIN stands in no message and no log.

mod engine;
mod rows;
mod session;

pub use engine::{TokenCipher, TokenCmac};
pub use session::Token;

use crypto::EngineModule;
use cryptoki::error::{Error, RvError};
use cryptoki::types::AuthPin;
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment variable that holds the PIN where no file does.
pub const PIN_VARIABLE: &str = "COUNTERFOIL_TOKEN_PIN";

/// The security module whose keys live in a token.
pub type TokenModule = EngineModule<Token>;

/// Which token, and how to get in.
pub struct TokenPlace {
    /// The vendor's PKCS#11 library.
    pub library: PathBuf,
    /// The token's label.
    pub label: String,
    /// The user PIN; masked.
    pub pin: AuthPin,
}

impl fmt::Debug for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {} of {}", self.label, self.library.display())
    }
}

impl TokenPlace {
    /// A place whose PIN is the first line of a file, or, without one, the value of [`PIN_VARIABLE`].
    pub fn new(
        library: PathBuf,
        label: String,
        pin_file: Option<&Path>,
    ) -> Result<Self, TokenError> {
        let text = match pin_file {
            Some(file) => std::fs::read_to_string(file).map_err(|error| TokenError::PinFile {
                file: file.to_owned(),
                problem: error.to_string(),
            })?,
            None => std::env::var(PIN_VARIABLE).map_err(|_| TokenError::NoPin)?,
        };
        let text = zeroize::Zeroizing::new(text);
        let pin = text.lines().next().unwrap_or_default();
        if pin.is_empty() {
            return Err(TokenError::NoPin);
        }
        let pin = AuthPin::from(pin.to_owned());
        Ok(Self {
            library,
            label,
            pin,
        })
    }
}

/// Opens the security module of a token that has been prepared.
pub fn open(place: &TokenPlace) -> Result<TokenModule, TokenError> {
    let token = Token::open(place)?;
    let masters = token.master_keys()?;
    Ok(EngineModule::with(token, masters))
}

/// Generates the four master keys inside a token that has none; a token that has one already is left alone.
pub fn prepare(place: &TokenPlace) -> Result<(), TokenError> {
    Token::open_writable(place)?.generate_master_keys()
}

/// Why a token cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The library is absent, or is no PKCS#11 library.
    Library {
        /// As configured.
        library: PathBuf,
        /// The loader's or the library's own word.
        problem: String,
    },
    /// No token has this label.
    NoToken {
        /// As configured.
        label: String,
        /// The labels that there are.
        found: Vec<String>,
    },
    /// Several tokens have this label.
    Ambiguous {
        /// As configured.
        label: String,
    },
    /// Neither a file nor the environment gives a PIN.
    NoPin,
    /// The file of the PIN cannot be read.
    PinFile {
        /// As configured.
        file: PathBuf,
        /// The system's word.
        problem: String,
    },
    /// The token refuses the PIN; so many wrong ones lock it.
    WrongPin,
    /// The token has been locked by wrong PINs.
    PinLocked,
    /// A master key is absent.
    NoMasterKey {
        /// Its label in the token.
        key: &'static str,
    },
    /// Several keys have a master key's label.
    MasterKeyTwice {
        /// Their label in the token.
        key: &'static str,
    },
    /// A master key exists already.
    MasterKeyExists {
        /// Its label in the token.
        key: &'static str,
    },
    /// A master key could leave the token.
    MasterKeyNotConfined {
        /// Its label in the token.
        key: &'static str,
    },
    /// A call failed.
    Call(String),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library { library, problem } => {
                write!(f, "PKCS#11 library {}: {problem}", library.display())
            }
            Self::NoToken { label, found } if found.is_empty() => {
                write!(f, "no token \"{label}\": the library shows none")
            }
            Self::NoToken { label, found } => {
                write!(f, "no token \"{label}\"; there are: {}", found.join(", "))
            }
            Self::Ambiguous { label } => write!(f, "more than one token \"{label}\""),
            Self::NoPin => write!(f, "no token PIN: name a PIN file or set {PIN_VARIABLE}"),
            Self::PinFile { file, problem } => {
                write!(f, "token PIN file {}: {problem}", file.display())
            }
            Self::WrongPin => f.write_str("the token refuses the PIN"),
            Self::PinLocked => f.write_str("the token is locked: too many wrong PINs"),
            Self::NoMasterKey { key } => write!(
                f,
                "the token has no key \"{key}\": run `counterfoil token prepare`"
            ),
            Self::MasterKeyExists { key } => {
                write!(f, "the token has a key \"{key}\" already")
            }
            Self::MasterKeyTwice { key } => {
                write!(f, "the token has more than one key \"{key}\"")
            }
            Self::MasterKeyNotConfined { key } => {
                write!(f, "key \"{key}\" could leave the token: refused")
            }
            Self::Call(problem) => write!(f, "token: {problem}"),
        }
    }
}

impl std::error::Error for TokenError {}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        match error {
            Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            ) => Self::WrongPin,
            Error::Pkcs11(RvError::PinLocked, _) => Self::PinLocked,
            other => Self::Call(other.to_string()),
        }
    }
}
