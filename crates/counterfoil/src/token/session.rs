//! A logged-in session of a token, and the master keys that it finds or generates there.
//!
//! Invariant: every call into the token goes through one lock, since a PKCS#11 session serves one thread at a time; session
//! objects end with the session.

use super::engine::{TokenCipher, TokenCmac};
use super::{TokenError, TokenPlace};
use crypto::{MasterKeys, SecurityError};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The key that wraps all others at rest.
const KEY_WRAP: &str = "counterfoil key-wrap";
/// The key that authenticates a key store.
const KEY_STORE: &str = "counterfoil key-store";
/// The key from which the sealing keys of card numbers are derived.
const PAN_SEAL: &str = "counterfoil pan-seal";
/// The key of card tokens.
const PAN_TOKEN: &str = "counterfoil pan-token";
/// Bytes of a master key.
const MASTER_KEY_BYTES: u64 = 32;

/// Libraries that this process has loaded: PKCS#11 allows one initialisation of each.
static LIBRARIES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// A token with a logged-in session; copies share it.
#[derive(Clone)]
pub struct Token(Arc<Inner>);

struct Inner {
    session: Mutex<Session>,
    operations: AtomicU64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(******)")
    }
}

impl Token {
    /// Finds the token, opens a session that changes nothing kept there, and logs in.
    pub fn open(place: &TokenPlace) -> Result<Self, TokenError> {
        Self::open_with(place, Pkcs11::open_ro_session)
    }

    /// The same with a session that may leave keys in the token.
    pub(super) fn open_writable(place: &TokenPlace) -> Result<Self, TokenError> {
        Self::open_with(place, Pkcs11::open_rw_session)
    }

    fn open_with(
        place: &TokenPlace,
        open: fn(&Pkcs11, Slot) -> cryptoki::error::Result<Session>,
    ) -> Result<Self, TokenError> {
        let library = library(&place.library)?;
        let slot = slot(&library, &place.label)?;
        let session = open(&library, slot)?;
        match session.login(UserType::User, Some(&place.pin)) {
            // The login is the process's, not the session's.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self(Arc::new(Inner {
            session: Mutex::new(session),
            operations: AtomicU64::new(0),
        })))
    }

    /// Cryptographic operations that the token has done for this session.
    pub fn operations(&self) -> u64 {
        self.0.operations.load(Ordering::Relaxed)
    }

    /// Does one operation in the token, if it offers the mechanism of this name.
    pub(super) fn operate<T>(
        &self,
        mechanism: &'static str,
        act: impl FnOnce(&Session) -> cryptoki::error::Result<T>,
    ) -> Result<T, SecurityError> {
        match act(&self.session()) {
            Ok(done) => {
                self.0.operations.fetch_add(1, Ordering::Relaxed);
                Ok(done)
            }
            // The call is asked and not the list of mechanisms: a library lists what its own cipher provider does not load.
            Err(Error::Pkcs11(RvError::MechanismInvalid | RvError::FunctionNotSupported, _)) => {
                Err(SecurityError::NotOffered { mechanism })
            }
            Err(error) => Err(failed(&error)),
        }
    }

    /// Makes a session object that can be used and not read.
    pub(super) fn create(
        &self,
        kind: KeyType,
        value: &[u8],
        use_for: &[Attribute],
    ) -> Result<ObjectHandle, SecurityError> {
        let mut template = confined(kind, false);
        template.extend_from_slice(use_for);
        template.push(Attribute::Value(value.to_vec()));
        let created = self.session().create_object(&template);
        if let Some(Attribute::Value(value)) = template.last_mut() {
            zeroize::Zeroize::zeroize(value);
        }
        created.map_err(|error| failed(&error))
    }

    /// Forgets a session object.
    pub(super) fn destroy(&self, object: ObjectHandle) {
        // It ends with the session in any case.
        if let Err(error) = self.session().destroy_object(object) {
            tracing::debug!(%error, "session key not destroyed");
        }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.0
            .session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The master keys kept in the token.
    pub(super) fn master_keys(&self) -> Result<MasterKeys<Self>, TokenError> {
        Ok(MasterKeys {
            key_wrap: TokenCipher::kept(self.clone(), self.master_key(KEY_WRAP)?),
            key_store: TokenCmac::kept(self.clone(), self.master_key(KEY_STORE)?),
            pan_seal: TokenCmac::kept(self.clone(), self.master_key(PAN_SEAL)?),
            pan_token: TokenCmac::kept(self.clone(), self.master_key(PAN_TOKEN)?),
        })
    }

    /// Generates the master keys where none is.
    pub(super) fn generate_master_keys(&self) -> Result<(), TokenError> {
        for (key, _) in uses() {
            if !self.find(key)?.is_empty() {
                return Err(TokenError::MasterKeyExists { key });
            }
        }
        for (key, use_for) in uses() {
            let mut template = confined(KeyType::AES, true);
            template.extend(use_for);
            template.push(Attribute::ValueLen(MASTER_KEY_BYTES.into()));
            template.push(Attribute::Label(key.into()));
            self.session()
                .generate_key(&Mechanism::AesKeyGen, &template)?;
        }
        Ok(())
    }

    /// One key of this label that cannot be read.
    fn master_key(&self, key: &'static str) -> Result<ObjectHandle, TokenError> {
        let [object] = self.find(key)?[..] else {
            return Err(match self.find(key)?.is_empty() {
                true => TokenError::NoMasterKey { key },
                false => TokenError::MasterKeyTwice { key },
            });
        };
        let wanted = [AttributeType::Sensitive, AttributeType::Extractable];
        let found = self.session().get_attributes(object, &wanted)?;
        let confined = found.contains(&Attribute::Sensitive(true))
            && found.contains(&Attribute::Extractable(false));
        match confined {
            true => Ok(object),
            false => Err(TokenError::MasterKeyNotConfined { key }),
        }
    }

    fn find(&self, key: &str) -> Result<Vec<ObjectHandle>, TokenError> {
        Ok(self.session().find_objects(&[
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Token(true),
            Attribute::Label(key.into()),
        ])?)
    }
}

/// The master keys, each with the one thing it may do.
fn uses() -> [(&'static str, Vec<Attribute>); 4] {
    [
        (
            KEY_WRAP,
            vec![Attribute::Encrypt(true), Attribute::Decrypt(true)],
        ),
        (KEY_STORE, vec![Attribute::Sign(true)]),
        (PAN_SEAL, vec![Attribute::Sign(true)]),
        (PAN_TOKEN, vec![Attribute::Sign(true)]),
    ]
}

/// A secret key that no one reads.
fn confined(kind: KeyType, kept: bool) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(kind),
        Attribute::Token(kept),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ]
}

/// Says to the log what the caller only learns as a failure.
fn failed(error: &Error) -> SecurityError {
    tracing::error!(%error, "token failed");
    SecurityError::TokenFailed
}

/// Loads and initialises a library once in this process.
fn library(path: &Path) -> Result<Pkcs11, TokenError> {
    let refuse = |problem: String| TokenError::Library {
        library: path.to_owned(),
        problem,
    };
    let mut loaded = LIBRARIES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = loaded.get(path) {
        return Ok(library.clone());
    }
    let library = Pkcs11::new(path).map_err(|error| refuse(error.to_string()))?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // The same library by another path.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(refuse(error.to_string())),
    }
    loaded.insert(path.to_owned(), library.clone());
    Ok(library)
}

/// The one slot whose token has this label.
fn slot(library: &Pkcs11, label: &str) -> Result<Slot, TokenError> {
    let mut found = Vec::new();
    let mut labels = Vec::new();
    for slot in library.get_slots_with_initialized_token()? {
        let name = library.get_token_info(slot)?.label().to_owned();
        if name == label {
            found.push(slot);
        }
        labels.push(name);
    }
    labels.sort();
    let label = label.to_owned();
    match found[..] {
        [slot] => Ok(slot),
        [] => Err(TokenError::NoToken {
            label,
            found: labels,
        }),
        _ => Err(TokenError::Ambiguous { label }),
    }
}
