//! The security module in software: all keys hang from one local master key.
//!
//! Invariant: holds expanded keys derived from the local master key, and keys that it has opened before; wiped when dropped;
//! the same inputs give the same outputs.

use crate::{
    application_cryptogram::{Cryptogram, CryptogramScheme, PROPRIETARY_BYTES_MAX},
    block_cipher::{DesCipher, aes_cmac, decrypt_16, encrypt_16, set_odd_parity},
    card::{Card, Pan, PanToken, SealedPan},
    card_verification::cvv_matches,
    certificate,
    key::{ClearKey, KeyUsage},
    mac::MacAlgorithm,
    module::{PinZone, SecurityError, SecurityModule},
    pin::{Pin, PinBlock, PinFormat, PinOffset},
    pin_block_4::{PinBlock4, ZonePinBlock, decipher_format_4, encipher_format_4},
    pin_verification::Ibm3624,
    pvv::{PvkIndex, pvv_matches},
    track_cipher::{self, ClearTrack},
    working_keys::{
        FIELD_62_DOUBLE, WorkingKeys, decipher_field62, decipher_key, encipher_field62,
    },
    wrapped_key::{KeyMode, KeyWrap, WrappedKey, check_way},
};
use aes::Aes256;
use cipher::{KeyInit, consts::U32};
use cmac::Cmac;
use core::{cell::RefCell, fmt};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Derivation label of the key that wraps all others; the labels of [`KeyUsage`] start at 1.
const LABEL_KEY_WRAP: u8 = 0;
/// Derivation label of the key that authenticates a key store; beyond all usages.
const LABEL_KEY_STORE: u8 = 0x40;

/// Opened keys that are kept; with one more all are forgotten, and opened again when they are wanted.
const OPENED_MAX: usize = 65_536;

/// A [`SecurityModule`] inside the process; every party has its own, with its own local master key.
#[derive(Clone)]
pub struct SoftwareModule {
    pub(crate) key_wrap: KeyWrap,
    pub(crate) key_store: Cmac<Aes256>,
    pan_seal: Cmac<Aes256>,
    pan_token: Cmac<Aes256>,
    opened: RefCell<Opened>,
}

/// Opening a key costs more than using it (twelve AES blocks), and the same few are used for every message.
#[derive(Default)]
struct Opened {
    keys: BTreeMap<WrappedKey, ClearKey>,
    day: Option<(u16, Aes256)>,
}

impl Clone for Opened {
    /// A copy of the module opens its own.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl SoftwareModule {
    /// Derives the module's keys from its local master key, which is wiped. The caller vouches for the key's quality.
    pub fn new(local_master_key: [u8; 32]) -> Self {
        let local_master_key = Zeroizing::new(local_master_key);
        let master = Cmac::<Aes256>::new((&*local_master_key).into());
        Self {
            key_wrap: KeyWrap(derive(&master, LABEL_KEY_WRAP, 0)),
            key_store: derive(&master, LABEL_KEY_STORE, 0),
            pan_seal: derive(&master, KeyUsage::PanSeal.code(), 0),
            pan_token: derive(&master, KeyUsage::PanToken.code(), 0),
            opened: RefCell::default(),
        }
    }

    fn with_day_key<T>(&self, day: u16, act: impl FnOnce(&Aes256) -> T) -> T {
        let mut opened = self.opened.borrow_mut();
        match &opened.day {
            Some((kept, key)) if *kept == day => act(key),
            _ => {
                let key = derive(&self.pan_seal, KeyUsage::PanSeal.code(), day);
                act(&opened.day.insert((day, key)).1)
            }
        }
    }

    /// Uses a key that every message needs; it is kept open.
    pub(crate) fn with_key<T>(
        &self,
        usage: KeyUsage,
        way: KeyMode,
        key: &WrappedKey,
        act: impl FnOnce(&ClearKey) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        check_way(usage, way, key)?;
        let mut opened = self.opened.borrow_mut();
        if let Some(clear) = opened.keys.get(key) {
            return act(clear);
        }
        let clear = self.key_wrap.unwrap(usage, way, key)?;
        let done = act(&clear);
        if opened.keys.len() >= OPENED_MAX {
            opened.keys.clear();
        }
        opened.keys.insert(*key, clear);
        done
    }

    fn des(
        &self,
        usage: KeyUsage,
        way: KeyMode,
        key: &WrappedKey,
    ) -> Result<DesCipher, SecurityError> {
        self.with_key(usage, way, key, ClearKey::des)
    }

    /// A master key of double length: no double-length key travels under a single-length one.
    fn double_length_des(
        &self,
        usage: KeyUsage,
        way: KeyMode,
        key: &WrappedKey,
    ) -> Result<DesCipher, SecurityError> {
        let key = self.key_wrap.unwrap(usage, way, key)?;
        key.double_length()?;
        key.des()
    }

    fn clear_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
    ) -> Result<Pin, SecurityError> {
        let plain = Zeroizing::new(
            self.des(KeyUsage::Pin, KeyMode::In, pik)?
                .decrypt(block.expose()),
        );
        format.decode(&plain, pan)
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
                self.with_key(KeyUsage::Pin, KeyMode::In, key, |key| {
                    decipher_format_4(&key.aes()?, &block.expose(), pan)
                })
            }
            _ => Err(SecurityError::PinFormat),
        }
    }

    /// The MAC that one of the two ways of a MAC key allows.
    fn field(
        &self,
        algorithm: MacAlgorithm,
        way: KeyMode,
        key: &WrappedKey,
        parts: &[&[u8]],
    ) -> Result<[u8; 8], SecurityError> {
        match key.usage() {
            KeyUsage::HostMaster => self.with_key(KeyUsage::HostMaster, way, key, |key| {
                algorithm.field(&key.mac_variant(), parts)
            }),
            _ => self.with_key(KeyUsage::Mac, way, key, |key| algorithm.field(key, parts)),
        }
    }
}

/// A 256-bit key in counter mode (SP 800-108) over AES-256-CMAC: counter, label, zero, context, bits of output.
fn derive<K: KeyInit<KeySize = U32>>(key: &Cmac<Aes256>, label: u8, context: u16) -> K {
    let [high, low] = context.to_be_bytes();
    let mut derived = Zeroizing::new([0; 32]);
    for (half, counter) in derived.as_chunks_mut().0.iter_mut().zip(1..) {
        *half = aes_cmac(key.clone(), &[&[counter, label, 0, high, low, 1, 0]]);
    }
    K::new((&*derived).into())
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

impl SecurityModule for SoftwareModule {
    fn card(&self, pan: &Pan, day: u16) -> Result<Card, SecurityError> {
        Ok(Card {
            sealed: SealedPan {
                key_day: day,
                block: self.with_day_key(day, |key| encrypt_16(key, pan.pack())),
            },
            token: PanToken(aes_cmac(self.pan_token.clone(), &[pan.expose()])),
            bin: pan.bin(),
            last4: pan.last4(),
            digits: pan.len() as u8,
        })
    }

    fn open_pan(&self, sealed: &SealedPan) -> Result<Pan, SecurityError> {
        let block = self.with_day_key(sealed.key_day, |key| decrypt_16(key, sealed.block));
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
        Ok(PinBlock::new(
            self.des(KeyUsage::Pin, KeyMode::Out, pik)?
                .encrypt(*format.encode(pin, pan)),
        ))
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
            PinZone::Aes { key } => self.with_key(KeyUsage::Pin, KeyMode::Out, key, |key| {
                encipher_format_4(&key.aes()?, &pin, pan, random)
                    .map(|block| ZonePinBlock::Aes(PinBlock4::new(block)))
                    .ok_or(SecurityError::PinFormat)
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
        let pvk = self.des(KeyUsage::PinVerification, KeyMode::In, pvk)?;
        let pin = self.clear_pin(pik, format, block, pan)?;
        Ok(Ibm3624::of(pan)
            .pin(&pvk, pan, offset)
            .is_some_and(|right| right == pin))
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
        let pvk = self.des(KeyUsage::PinVerificationValue, KeyMode::In, pvk)?;
        let pin = self.clear_pin(pik, format, block, pan)?;
        Ok(pvv_matches(&pvk, pan, index, &pin, value))
    }

    fn pin_offset(
        &self,
        pvk: &WrappedKey,
        pan: &Pan,
        pin: &Pin,
    ) -> Result<PinOffset, SecurityError> {
        let pvk = self.des(KeyUsage::PinVerification, KeyMode::Out, pvk)?;
        Ok(Ibm3624::of(pan).offset(&pvk, pan, pin))
    }

    fn card_value_matches(
        &self,
        cvk: &WrappedKey,
        pan: &Pan,
        expiry: &[u8],
        service_code: &[u8],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        self.with_key(KeyUsage::CardVerification, KeyMode::In, cvk, |key| {
            let key = key.double_length()?;
            Ok(cvv_matches(key, pan, expiry, service_code, received))
        })
    }

    fn answer_cryptogram(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        code: [u8; 2],
    ) -> Result<Option<[u8; 8]>, SecurityError> {
        self.with_key(KeyUsage::CryptogramMaster, KeyMode::Both, imk, |key| {
            Ok(cryptogram.answer(scheme, key.double_length()?, code))
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
        self.with_key(KeyUsage::CryptogramMaster, KeyMode::Both, imk, |key| {
            let key = key.double_length()?;
            Ok(cryptogram.answer_status(scheme, key, status_update, proprietary))
        })
    }

    fn seal_track(&self, tdk: &WrappedKey, track: &[u8]) -> Result<Vec<u8>, SecurityError> {
        let tdk = self.des(KeyUsage::Track, KeyMode::Out, tdk)?;
        let packed = core::str::from_utf8(track)
            .ok()
            .and_then(track_cipher::pack);
        let mut packed = packed.ok_or(SecurityError::TrackData)?;
        track_cipher::encipher(&tdk, &mut packed).ok_or(SecurityError::TrackData)?;
        Ok(core::mem::take(&mut *packed))
    }

    fn open_track(
        &self,
        tdk: &WrappedKey,
        packed: &[u8],
        characters: usize,
    ) -> Result<ClearTrack, SecurityError> {
        let tdk = self.des(KeyUsage::Track, KeyMode::In, tdk)?;
        track_cipher::open(&tdk, packed, characters).ok_or(SecurityError::TrackData)
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
        Ok((keys, encipher_field62(&tmk, &pin, &mac)?))
    }

    fn install_working_keys(
        &self,
        tmk: &WrappedKey,
        field62: &[u8],
    ) -> Result<WorkingKeys, SecurityError> {
        let tmk = if field62.len() < FIELD_62_DOUBLE {
            self.des(KeyUsage::TerminalMaster, KeyMode::In, tmk)?
        } else {
            self.double_length_des(KeyUsage::TerminalMaster, KeyMode::In, tmk)?
        };
        let keys = decipher_field62(&tmk, field62)?;
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
        let kek = self.des(KeyUsage::HostMaster, KeyMode::Out, kek)?;
        let key = random_key(random)?;
        let wrapped = self.import(usage, &key)?;
        let mut enciphered = *key.double_length()?;
        kek.encrypt_ecb(&mut enciphered);
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
        let kek = self.des(KeyUsage::HostMaster, KeyMode::In, kek)?;
        self.import(usage, &decipher_key(&kek, usage, enciphered, check_value)?)
    }

    fn sign_certificate(
        &self,
        key: &WrappedKey,
        payload: &[u8],
    ) -> Result<[u8; 64], SecurityError> {
        self.with_key(KeyUsage::Certificate, KeyMode::Both, key, |key| {
            Ok(certificate::sign(key.double_length()?, payload))
        })
    }

    fn certificate_key(&self, key: &WrappedKey) -> Result<[u8; 32], SecurityError> {
        self.with_key(KeyUsage::Certificate, KeyMode::Both, key, |key| {
            Ok(certificate::public_key(key.double_length()?))
        })
    }

    fn import(&self, usage: KeyUsage, clear: &ClearKey) -> Result<WrappedKey, SecurityError> {
        self.key_wrap.wrap(usage, clear)
    }
}

impl fmt::Debug for SoftwareModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoftwareModule(******)")
    }
}
