//! The security module over any engine: keys rest wrapped under a master key that the engine holds.
//!
//! Invariant: no clear key outlives the call that it came in for; what is kept are master keys and opened keys of the engine,
//! wiped or forgotten when dropped; the same inputs give the same outputs.

use crate::{
    application_cryptogram::{Cryptogram, CryptogramScheme, PROPRIETARY_BYTES_MAX},
    block_cipher::set_odd_parity,
    card::{Card, Pan, PanToken, SealedPan},
    card_verification::cvv_matches,
    certificate::signing_key,
    chip_card::CardScript,
    engine::{BlockCipher, CmacKey, Engine, SigningKey},
    key::{ClearKey, KeyUsage},
    mac::{MacAlgorithm, MacKey, RetailKey},
    module::{PinZone, SecurityError, SecurityModule},
    pin::{Pin, PinBlock, PinFormat, PinOffset},
    pin_block_4::{PinBlock4, ZonePinBlock, decipher_format_4, encipher_format_4},
    pin_verification::Ibm3624,
    pvv::{PvkIndex, pvv_matches},
    software_engine::SoftwareEngine,
    track_cipher::{self, ClearTrack},
    working_keys::{
        FIELD_62_DOUBLE, WorkingKeys, decipher_field62, decipher_key, encipher_field62,
    },
    wrapped_key::{KeyMode, KeyWrap, WrappedKey, check_way},
};
use core::{cell::RefCell, fmt};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Derivation label of the key that wraps all others; the labels of [`KeyUsage`] start at 1.
const LABEL_KEY_WRAP: u8 = 0;
/// Derivation label of the key that authenticates a key store; beyond all usages.
const LABEL_KEY_STORE: u8 = 0x40;

/// A [`SecurityModule`] over an engine; every party has its own, with its own master keys.
pub struct EngineModule<E: Engine> {
    pub(crate) engine: E,
    pub(crate) masters: Arc<MasterKeys<E>>,
    opened: RefCell<Opened<E>>,
}

/// A [`SecurityModule`] inside the process.
pub type SoftwareModule = EngineModule<SoftwareEngine>;

/// What every other key of a module hangs from: four AES-256 keys.
pub struct MasterKeys<E: Engine> {
    /// Wraps the keys that rest outside.
    pub key_wrap: E::Aes,
    /// Authenticates a key store.
    pub key_store: E::Cmac,
    /// Derives each day's key of sealed card numbers.
    pub pan_seal: E::Cmac,
    /// Makes card tokens.
    pub pan_token: E::Cmac,
}

/// Opening a key costs more than using it (twelve AES blocks), and the same few are used for every message.
struct Opened<E: Engine> {
    des: Kept<WrappedKey, E::Des>,
    aes: Kept<WrappedKey, E::Aes>,
    mac: Kept<(WrappedKey, MacAlgorithm), MacKey<E>>,
    retail: Kept<WrappedKey, RetailKey<E>>,
    signing: Kept<WrappedKey, E::Signing>,
    day: Option<(u16, E::Aes)>,
}

impl<E: Engine> Default for Opened<E> {
    fn default() -> Self {
        Self {
            des: Kept::default(),
            aes: Kept::default(),
            mac: Kept::default(),
            retail: Kept::default(),
            signing: Kept::default(),
            day: None,
        }
    }
}

/// Opened keys of one form.
struct Kept<W, K>(BTreeMap<W, K>);

impl<W, K> Default for Kept<W, K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<W: Ord, K> Kept<W, K> {
    /// The kept key, or the one that `open` gives; with more than `max` all are forgotten first.
    fn get(
        &mut self,
        wrapped: W,
        max: usize,
        open: impl FnOnce() -> Result<K, SecurityError>,
    ) -> Result<&K, SecurityError> {
        if self.0.len() >= max && !self.0.contains_key(&wrapped) {
            self.0.clear();
        }
        Ok(match self.0.entry(wrapped) {
            Entry::Occupied(kept) => kept.into_mut(),
            Entry::Vacant(place) => place.insert(open()?),
        })
    }
}

impl SoftwareModule {
    /// Derives the module's keys from its local master key, which is wiped. The caller vouches for the key's quality.
    pub fn new(local_master_key: [u8; 32]) -> Self {
        let engine = SoftwareEngine(());
        let local_master_key = Zeroizing::new(local_master_key);
        let masters = MasterKeys::derive(&engine, &local_master_key);
        Self::with(engine, masters.expect("keys of 32 bytes"))
    }
}

impl<E: Engine> MasterKeys<E> {
    /// The four keys out of one local master key.
    fn derive(engine: &E, local_master_key: &[u8; 32]) -> Result<Self, SecurityError> {
        let master = engine.cmac(local_master_key)?;
        let key = |label| derive(&master, label, 0);
        Ok(Self {
            key_wrap: engine.aes(key(LABEL_KEY_WRAP)?.as_slice())?,
            key_store: engine.cmac(key(LABEL_KEY_STORE)?.as_slice())?,
            pan_seal: engine.cmac(key(KeyUsage::PanSeal.code())?.as_slice())?,
            pan_token: engine.cmac(key(KeyUsage::PanToken.code())?.as_slice())?,
        })
    }
}

impl<E: Engine + Clone> Clone for EngineModule<E> {
    /// A copy of the module opens its own keys.
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            masters: Arc::clone(&self.masters),
            opened: RefCell::default(),
        }
    }
}

impl<E: Engine> EngineModule<E> {
    /// A module whose master keys the engine holds already.
    pub fn with(engine: E, masters: MasterKeys<E>) -> Self {
        Self {
            engine,
            masters: Arc::new(masters),
            opened: RefCell::default(),
        }
    }

    pub(crate) fn key_wrap(&self) -> KeyWrap<'_, E::Aes> {
        KeyWrap(&self.masters.key_wrap)
    }

    fn with_day_key<T>(
        &self,
        day: u16,
        act: impl FnOnce(&E::Aes) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        let mut opened = self.opened.borrow_mut();
        match &opened.day {
            Some((kept, key)) if *kept == day => act(key),
            _ => {
                let key = derive(&self.masters.pan_seal, KeyUsage::PanSeal.code(), day)?;
                let key = self.engine.aes(key.as_slice())?;
                act(&opened.day.insert((day, key)).1)
            }
        }
    }

    /// Opens a key for one usage and one way of using it.
    pub(crate) fn open(
        &self,
        usage: KeyUsage,
        way: KeyMode,
        key: &WrappedKey,
    ) -> Result<ClearKey, SecurityError> {
        self.key_wrap().unwrap(usage, way, key)
    }

    /// Uses a key of PIN blocks, PINs or cryptograms, which every message needs; it is kept open.
    fn with_des<T>(
        &self,
        usage: KeyUsage,
        way: KeyMode,
        key: &WrappedKey,
        act: impl FnOnce(&E::Des) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        check_way(usage, way, key)?;
        let open = || self.open(usage, way, key)?.des(&self.engine);
        act((self.opened.borrow_mut().des).get(*key, E::OPENED_MAX, open)?)
    }

    /// Uses a PIN key of format 4; it is kept open.
    fn with_aes<T>(
        &self,
        way: KeyMode,
        key: &WrappedKey,
        act: impl FnOnce(&E::Aes) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        check_way(KeyUsage::Pin, way, key)?;
        let open = || self.open(KeyUsage::Pin, way, key)?.aes(&self.engine);
        act((self.opened.borrow_mut().aes).get(*key, E::OPENED_MAX, open)?)
    }

    /// The MAC that one of the two ways of a MAC key allows; the key is kept open.
    fn field(
        &self,
        algorithm: MacAlgorithm,
        way: KeyMode,
        key: &WrappedKey,
        parts: &[&[u8]],
    ) -> Result<[u8; 8], SecurityError> {
        let usage = match key.usage() {
            KeyUsage::HostMaster => KeyUsage::HostMaster,
            _ => KeyUsage::Mac,
        };
        check_way(usage, way, key)?;
        let open = || {
            let clear = self.open(usage, way, key)?;
            match usage {
                KeyUsage::HostMaster => algorithm.key(&self.engine, &clear.mac_variant()),
                _ => algorithm.key(&self.engine, &clear),
            }
        };
        (self.opened.borrow_mut().mac)
            .get((*key, algorithm), E::OPENED_MAX, open)?
            .field(parts)
    }

    /// Uses the key of outcome certificates; it is kept open.
    fn with_signing<T>(
        &self,
        key: &WrappedKey,
        act: impl FnOnce(&E::Signing) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        check_way(KeyUsage::Certificate, KeyMode::Both, key)?;
        let open = || {
            let key = self.open(KeyUsage::Certificate, KeyMode::Both, key)?;
            signing_key(&self.engine, key.double_length()?)
        };
        act((self.opened.borrow_mut().signing).get(*key, E::OPENED_MAX, open)?)
    }

    /// A master key of double length: no double-length key travels under a single-length one.
    fn double_length_des(
        &self,
        usage: KeyUsage,
        way: KeyMode,
        key: &WrappedKey,
    ) -> Result<E::Des, SecurityError> {
        let key = self.open(usage, way, key)?;
        key.double_length()?;
        key.des(&self.engine)
    }

    fn clear_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
    ) -> Result<Pin, SecurityError> {
        let decipher = |key: &E::Des| key.decrypt(block.expose());
        let plain = self.with_des(KeyUsage::Pin, KeyMode::In, pik, decipher)?;
        format.decode(&Zeroizing::new(plain), pan)
    }

    /// The PIN of a block of any zone.
    fn clear_zone_pin(
        &self,
        zone: PinZone<'_>,
        block: &ZonePinBlock,
        pan: &Pan,
    ) -> Result<Pin, SecurityError> {
        match (zone, block) {
            (PinZone::Tdes { key, format }, ZonePinBlock::Tdes(block)) => {
                self.clear_pin(key, format, block, pan)
            }
            (PinZone::Aes { key }, ZonePinBlock::Aes(block)) => {
                self.with_aes(KeyMode::In, key, |key| {
                    decipher_format_4(key, &block.expose(), pan)
                })
            }
            _ => Err(SecurityError::PinFormat),
        }
    }
}

/// A 256-bit key in counter mode (SP 800-108) over AES-256-CMAC: counter, label, zero, context, bits of output.
fn derive(
    key: &impl CmacKey,
    label: u8,
    context: u16,
) -> Result<Zeroizing<[u8; 32]>, SecurityError> {
    let [high, low] = context.to_be_bytes();
    let mut derived = Zeroizing::new([0; 32]);
    for (half, counter) in derived.as_chunks_mut().0.iter_mut().zip(1..) {
        *half = key.mac(&[&[counter, label, 0, high, low, 1, 0]])?;
    }
    Ok(derived)
}

/// Usages that travel between members under their key-encrypting key.
fn check_host_usage(usage: KeyUsage) -> Result<(), SecurityError> {
    match usage {
        KeyUsage::Pin | KeyUsage::Mac => Ok(()),
        _ => Err(SecurityError::KeyUsage { found: usage }),
    }
}

fn random_key(random: &[u8]) -> Result<ClearKey, SecurityError> {
    let mut key = Zeroizing::new([0; 16]);
    let key = &mut key[..random.len()];
    key.copy_from_slice(random);
    set_odd_parity(key);
    ClearKey::new(key)
}

impl<E: Engine> SecurityModule for EngineModule<E> {
    fn card(&self, pan: &Pan, day: u16) -> Result<Card, SecurityError> {
        Ok(Card {
            sealed: SealedPan {
                key_day: day,
                block: self.with_day_key(day, |key| key.encrypt(pan.pack()))?,
            },
            token: PanToken(self.masters.pan_token.mac(&[pan.expose()])?),
            bin: pan.bin(),
            last4: pan.last4(),
            digits: pan.len() as u8,
        })
    }

    fn open_pan(&self, sealed: &SealedPan) -> Result<Pan, SecurityError> {
        let block = self.with_day_key(sealed.key_day, |key| key.decrypt(sealed.block))?;
        let block = Zeroizing::new(block);
        Pan::unpack(&block).ok_or(SecurityError::SealedPan)
    }

    fn mac(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
    ) -> Result<[u8; 8], SecurityError> {
        self.field(algorithm, KeyMode::Out, key, parts)
    }

    fn mac_matches(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        Ok(self
            .field(algorithm, KeyMode::In, key, parts)?
            .as_slice()
            .ct_eq(received)
            .into())
    }

    fn encipher_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        pin: &Pin,
        pan: &Pan,
    ) -> Result<PinBlock, SecurityError> {
        self.with_des(KeyUsage::Pin, KeyMode::Out, pik, |key| {
            key.encrypt(*format.encode(pin, pan)).map(PinBlock::new)
        })
    }

    fn translate_pin(
        &self,
        from: &WrappedKey,
        from_format: PinFormat,
        to: &WrappedKey,
        to_format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
    ) -> Result<PinBlock, SecurityError> {
        if from_format == PinFormat::WithPan && to_format == PinFormat::WithoutPan {
            return Err(SecurityError::PinTranslation);
        }
        self.encipher_pin(
            to,
            to_format,
            &self.clear_pin(from, from_format, block, pan)?,
            pan,
        )
    }

    fn translate_pin_between(
        &self,
        from: PinZone<'_>,
        to: PinZone<'_>,
        block: &ZonePinBlock,
        pan: &Pan,
        random: &[u8; 8],
    ) -> Result<ZonePinBlock, SecurityError> {
        let bound = |zone| {
            !matches!(
                zone,
                PinZone::Tdes {
                    format: PinFormat::WithoutPan,
                    ..
                }
            )
        };
        if bound(from) && !bound(to) {
            return Err(SecurityError::PinTranslation);
        }
        let pin = self.clear_zone_pin(from, block, pan)?;
        match to {
            PinZone::Tdes { key, format } => self
                .encipher_pin(key, format, &pin, pan)
                .map(ZonePinBlock::Tdes),
            PinZone::Aes { key } => self.with_aes(KeyMode::Out, key, |key| {
                encipher_format_4(key, &pin, pan, random)
                    .map(|block| ZonePinBlock::Aes(PinBlock4::new(block)))
            }),
        }
    }

    fn verify_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
        pvk: &WrappedKey,
        offset: &PinOffset,
    ) -> Result<bool, SecurityError> {
        let right = self.with_des(KeyUsage::PinVerification, KeyMode::In, pvk, |key| {
            Ibm3624::of(pan).pin(key, pan, offset)
        })?;
        let pin = self.clear_pin(pik, format, block, pan)?;
        Ok(right.is_some_and(|right| right == pin))
    }

    fn verify_pin_value(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
        pvk: &WrappedKey,
        index: PvkIndex,
        value: &[u8],
    ) -> Result<bool, SecurityError> {
        check_way(KeyUsage::PinVerificationValue, KeyMode::In, pvk)?;
        let pin = self.clear_pin(pik, format, block, pan)?;
        self.with_des(KeyUsage::PinVerificationValue, KeyMode::In, pvk, |key| {
            pvv_matches(key, pan, index, &pin, value)
        })
    }

    fn pin_offset(
        &self,
        pvk: &WrappedKey,
        pan: &Pan,
        pin: &Pin,
    ) -> Result<PinOffset, SecurityError> {
        self.with_des(KeyUsage::PinVerification, KeyMode::Out, pvk, |key| {
            Ibm3624::of(pan).offset(key, pan, pin)
        })
    }

    fn card_value_matches(
        &self,
        cvk: &WrappedKey,
        pan: &Pan,
        expiry: &[u8],
        service_code: &[u8],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        check_way(KeyUsage::CardVerification, KeyMode::In, cvk)?;
        let open = || {
            let key = self.open(KeyUsage::CardVerification, KeyMode::In, cvk)?;
            RetailKey::new(&self.engine, key.double_length()?)
        };
        let mut opened = self.opened.borrow_mut();
        let key = opened.retail.get(*cvk, E::OPENED_MAX, open)?;
        cvv_matches(key, pan, expiry, service_code, received)
    }

    fn answer_cryptogram(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        code: [u8; 2],
    ) -> Result<Option<[u8; 8]>, SecurityError> {
        // An issuer's master key is of double length: single-length ones are refused when they are wrapped.
        self.with_des(KeyUsage::CryptogramMaster, KeyMode::Both, imk, |key| {
            cryptogram.answer(&self.engine, scheme, key, code)
        })
    }

    fn answer_cryptogram_status(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        status_update: [u8; 4],
        proprietary: &[u8],
    ) -> Result<Option<[u8; 4]>, SecurityError> {
        if proprietary.len() > PROPRIETARY_BYTES_MAX {
            return Err(SecurityError::ProprietaryData);
        }
        self.with_des(KeyUsage::CryptogramMaster, KeyMode::Both, imk, |key| {
            cryptogram.answer_status(&self.engine, scheme, key, status_update, proprietary)
        })
    }

    fn seal_script(
        &self,
        smi: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        script: CardScript,
    ) -> Result<Vec<u8>, SecurityError> {
        self.with_des(KeyUsage::ScriptMaster, KeyMode::Both, smi, |key| {
            cryptogram.script(&self.engine, scheme, key, script)
        })
    }

    fn seal_track(&self, tdk: &WrappedKey, track: &[u8]) -> Result<Vec<u8>, SecurityError> {
        self.with_des(KeyUsage::Track, KeyMode::Out, tdk, |key| {
            let packed = core::str::from_utf8(track)
                .ok()
                .and_then(track_cipher::pack);
            let mut packed = packed.ok_or(SecurityError::TrackData)?;
            track_cipher::encipher(key, &mut packed)?.ok_or(SecurityError::TrackData)?;
            Ok(core::mem::take(&mut *packed))
        })
    }

    fn open_track(
        &self,
        tdk: &WrappedKey,
        packed: &[u8],
        characters: usize,
    ) -> Result<ClearTrack, SecurityError> {
        self.with_des(KeyUsage::Track, KeyMode::In, tdk, |key| {
            track_cipher::open(key, packed, characters)?.ok_or(SecurityError::TrackData)
        })
    }

    fn issue_working_keys(
        &self,
        tmk: &WrappedKey,
        random: &[u8; 32],
    ) -> Result<(WorkingKeys, [u8; FIELD_62_DOUBLE]), SecurityError> {
        let tmk = self.double_length_des(KeyUsage::TerminalMaster, KeyMode::Out, tmk)?;
        let (pin, mac) = (random_key(&random[..16])?, random_key(&random[16..24])?);
        let keys = WorkingKeys {
            pin: self.import(KeyUsage::Pin, &pin)?,
            mac: self.import(KeyUsage::Mac, &mac)?,
            track: None,
        };
        Ok((keys, encipher_field62(&self.engine, &tmk, &pin, &mac)?))
    }

    fn install_working_keys(
        &self,
        tmk: &WrappedKey,
        field62: &[u8],
    ) -> Result<WorkingKeys, SecurityError> {
        let tmk = if field62.len() < FIELD_62_DOUBLE {
            self.open(KeyUsage::TerminalMaster, KeyMode::In, tmk)?
                .des(&self.engine)?
        } else {
            self.double_length_des(KeyUsage::TerminalMaster, KeyMode::In, tmk)?
        };
        let keys = decipher_field62(&self.engine, &tmk, field62)?;
        Ok(WorkingKeys {
            pin: self.import(KeyUsage::Pin, &keys.pin)?,
            mac: self.import(KeyUsage::Mac, &keys.mac)?,
            track: keys
                .track
                .map(|key| self.import(KeyUsage::Track, &key))
                .transpose()?,
        })
    }

    fn issue_host_key(
        &self,
        kek: &WrappedKey,
        usage: KeyUsage,
        random: &[u8; 16],
    ) -> Result<(WrappedKey, [u8; 16], [u8; 4]), SecurityError> {
        check_host_usage(usage)?;
        let kek = self
            .open(KeyUsage::HostMaster, KeyMode::Out, kek)?
            .des(&self.engine)?;
        let key = random_key(random)?;
        let wrapped = self.import(usage, &key)?;
        let mut enciphered = *key.double_length()?;
        kek.encrypt_blocks(enciphered.as_chunks_mut().0)?;
        Ok((wrapped, enciphered, wrapped.check_value()))
    }

    fn install_host_key(
        &self,
        kek: &WrappedKey,
        usage: KeyUsage,
        enciphered: &[u8; 16],
        check_value: &[u8; 4],
    ) -> Result<WrappedKey, SecurityError> {
        check_host_usage(usage)?;
        let kek = self
            .open(KeyUsage::HostMaster, KeyMode::In, kek)?
            .des(&self.engine)?;
        let key = decipher_key(&self.engine, &kek, usage, enciphered, check_value)?;
        self.import(usage, &key)
    }

    fn sign_certificate(
        &self,
        key: &WrappedKey,
        payload: &[u8],
    ) -> Result<[u8; 64], SecurityError> {
        self.with_signing(key, |key| key.sign(payload))
    }

    fn certificate_key(&self, key: &WrappedKey) -> Result<[u8; 32], SecurityError> {
        self.with_signing(key, SigningKey::public)
    }

    fn import(&self, usage: KeyUsage, clear: &ClearKey) -> Result<WrappedKey, SecurityError> {
        self.key_wrap().wrap(&self.engine, usage, clear)
    }
}

impl<E: Engine> fmt::Debug for EngineModule<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityModule(******)")
    }
}
