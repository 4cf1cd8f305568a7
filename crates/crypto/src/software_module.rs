//! The security module in software: all keys hang from one local master key.
//!
//! Invariant: holds expanded keys derived from the local master key, and keys that it has opened before; wiped when dropped;
//! the same inputs give the same outputs.

use crate::{
    application_cryptogram::{Cryptogram, CryptogramScheme},
    block_cipher::{DesCipher, aes_cmac, decrypt_16, encrypt_16, set_odd_parity},
    card::{Card, Pan, PanToken, SealedPan},
    card_verification::cvv_matches,
    certificate,
    chip_card::CardScript,
    key::{ClearKey, KeyUsage, KeyWrap, WrappedKey},
    mac::MacAlgorithm,
    module::{SecurityError, SecurityModule},
    pin::{Pin, PinBlock, PinFormat, PinOffset},
    pin_verification::Ibm3624,
    working_keys::{
        FIELD_62_DOUBLE, WorkingKeys, decipher_field62, decipher_key, encipher_field62,
    },
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

/// Opened keys that are kept; with one more all are forgotten, and opened again when they are wanted.
const OPENED_MAX: usize = 65_536;

/// A [`SecurityModule`] inside the process; every party has its own, with its own local master key.
#[derive(Clone)]
pub struct SoftwareModule {
    key_wrap: KeyWrap,
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
    fn with_key<T>(
        &self,
        usage: KeyUsage,
        key: &WrappedKey,
        act: impl FnOnce(&ClearKey) -> Result<T, SecurityError>,
    ) -> Result<T, SecurityError> {
        if key.usage() != usage {
            return Err(SecurityError::KeyUsage { found: key.usage() });
        }
        let mut opened = self.opened.borrow_mut();
        if let Some(clear) = opened.keys.get(key) {
            return act(clear);
        }
        let clear = self.key_wrap.unwrap(usage, key)?;
        let done = act(&clear);
        if opened.keys.len() >= OPENED_MAX {
            opened.keys.clear();
        }
        opened.keys.insert(*key, clear);
        done
    }

    fn des(&self, usage: KeyUsage, key: &WrappedKey) -> Result<DesCipher, SecurityError> {
        self.with_key(usage, key, ClearKey::des)
    }

    /// A master key of double length: no double-length key travels under a single-length one.
    fn double_length_des(
        &self,
        usage: KeyUsage,
        key: &WrappedKey,
    ) -> Result<DesCipher, SecurityError> {
        let key = self.key_wrap.unwrap(usage, key)?;
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
        let plain = Zeroizing::new(self.des(KeyUsage::Pin, pik)?.decrypt(block.expose()));
        format.decode(&plain, pan)
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
        match key.usage() {
            KeyUsage::HostMaster => self.with_key(KeyUsage::HostMaster, key, |key| {
                algorithm.field(&key.mac_variant(), parts)
            }),
            _ => self.with_key(KeyUsage::Mac, key, |key| algorithm.field(key, parts)),
        }
    }

    fn mac_matches(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        Ok(self
            .mac(algorithm, key, parts)?
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
            self.des(KeyUsage::Pin, pik)?
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

    fn verify_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        block: &PinBlock,
        pan: &Pan,
        pvk: &WrappedKey,
        offset: &PinOffset,
    ) -> Result<bool, SecurityError> {
        let pvk = self.des(KeyUsage::PinVerification, pvk)?;
        let pin = self.clear_pin(pik, format, block, pan)?;
        Ok(Ibm3624::of(pan)
            .pin(&pvk, pan, offset)
            .is_some_and(|right| right == pin))
    }

    fn pin_offset(
        &self,
        pvk: &WrappedKey,
        pan: &Pan,
        pin: &Pin,
    ) -> Result<PinOffset, SecurityError> {
        Ok(Ibm3624::of(pan).offset(&self.des(KeyUsage::PinVerification, pvk)?, pan, pin))
    }

    fn card_value_matches(
        &self,
        cvk: &WrappedKey,
        pan: &Pan,
        expiry: &[u8],
        service_code: &[u8],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        self.with_key(KeyUsage::CardVerification, cvk, |key| {
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
        self.with_key(KeyUsage::CryptogramMaster, imk, |key| {
            Ok(cryptogram.answer(scheme, key.double_length()?, code))
        })
    }

    fn seal_script(
        &self,
        smi: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        script: CardScript,
    ) -> Result<Vec<u8>, SecurityError> {
        self.with_key(KeyUsage::ScriptMaster, smi, |key| {
            let command = cryptogram.script(scheme, key.double_length()?, script);
            command.ok_or(SecurityError::CardSequence)
        })
    }

    fn issue_working_keys(
        &self,
        tmk: &WrappedKey,
        random: &[u8; 32],
    ) -> Result<(WorkingKeys, [u8; FIELD_62_DOUBLE]), SecurityError> {
        let tmk = self.double_length_des(KeyUsage::TerminalMaster, tmk)?;
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
            self.des(KeyUsage::TerminalMaster, tmk)?
        } else {
            self.double_length_des(KeyUsage::TerminalMaster, tmk)?
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
        let kek = self.des(KeyUsage::HostMaster, kek)?;
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
        let kek = self.des(KeyUsage::HostMaster, kek)?;
        self.import(usage, &decipher_key(&kek, usage, enciphered, check_value)?)
    }

    fn sign_certificate(
        &self,
        key: &WrappedKey,
        payload: &[u8],
    ) -> Result<[u8; 64], SecurityError> {
        self.with_key(KeyUsage::Certificate, key, |key| {
            Ok(certificate::sign(key.double_length()?, payload))
        })
    }

    fn certificate_key(&self, key: &WrappedKey) -> Result<[u8; 32], SecurityError> {
        self.with_key(KeyUsage::Certificate, key, |key| {
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
