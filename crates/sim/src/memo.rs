//! A security module that remembers the cards it sealed: the same answers as the software module, sooner.
//!
//! Sealing and opening are functions of their inputs alone, so that remembering them changes no history.

use crypto::{
    Card, CardScript, ClearKey, ClearTrack, Cryptogram, CryptogramScheme, KeyUsage, MacAlgorithm,
    Pan, Pin, PinBlock, PinFormat, PinOffset, PinZone, PvkIndex, SealedPan, SecurityError,
    SecurityModule, SoftwareModule, WorkingKeys, WrappedKey, ZonePinBlock,
};
use std::cell::RefCell;

/// The module of one node.
pub struct Memo {
    module: SoftwareModule,
    /// Test cards by number and day: a few dozen at most.
    cards: RefCell<Vec<(Pan, u16, Card)>>,
}

impl Memo {
    pub fn new(module: SoftwareModule) -> Self {
        Self {
            module,
            cards: RefCell::new(Vec::new()),
        }
    }
}

/// A world has 12 cards and few days.
const REMEMBERED_MAX: usize = 96;

impl SecurityModule for Memo {
    fn card(&self, pan: &Pan, day: u16) -> Result<Card, SecurityError> {
        let mut cards = self.cards.borrow_mut();
        if let Some((_, _, card)) = cards
            .iter()
            .find(|(known, of, _)| *of == day && known == pan)
        {
            return Ok(*card);
        }
        let card = self.module.card(pan, day)?;
        if cards.len() < REMEMBERED_MAX {
            cards.push((pan.clone(), day, card));
        }
        Ok(card)
    }

    fn open_pan(&self, sealed: &SealedPan) -> Result<Pan, SecurityError> {
        let cards = self.cards.borrow();
        match cards.iter().find(|(_, _, card)| card.sealed == *sealed) {
            Some((pan, ..)) => Ok(pan.clone()),
            None => self.module.open_pan(sealed),
        }
    }

    fn mac(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
    ) -> Result<[u8; 8], SecurityError> {
        self.module.mac(algorithm, key, parts)
    }

    fn mac_matches(
        &self,
        algorithm: MacAlgorithm,
        key: &WrappedKey,
        parts: &[&[u8]],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        self.module.mac_matches(algorithm, key, parts, received)
    }

    fn encipher_pin(
        &self,
        pik: &WrappedKey,
        format: PinFormat,
        pin: &Pin,
        pan: &Pan,
    ) -> Result<PinBlock, SecurityError> {
        self.module.encipher_pin(pik, format, pin, pan)
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
        self.module
            .translate_pin(from, from_format, to, to_format, block, pan)
    }

    fn translate_pin_between(
        &self,
        from: PinZone<'_>,
        to: PinZone<'_>,
        block: &ZonePinBlock,
        pan: &Pan,
        random: &[u8; 8],
    ) -> Result<ZonePinBlock, SecurityError> {
        self.module
            .translate_pin_between(from, to, block, pan, random)
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
        self.module.verify_pin(pik, format, block, pan, pvk, offset)
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
        self.module
            .verify_pin_value(pik, format, block, pan, pvk, index, value)
    }

    fn pin_offset(
        &self,
        pvk: &WrappedKey,
        pan: &Pan,
        pin: &Pin,
    ) -> Result<PinOffset, SecurityError> {
        self.module.pin_offset(pvk, pan, pin)
    }

    fn card_value_matches(
        &self,
        cvk: &WrappedKey,
        pan: &Pan,
        expiry: &[u8],
        service_code: &[u8],
        received: &[u8],
    ) -> Result<bool, SecurityError> {
        self.module
            .card_value_matches(cvk, pan, expiry, service_code, received)
    }

    fn answer_cryptogram(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        code: [u8; 2],
    ) -> Result<Option<[u8; 8]>, SecurityError> {
        self.module.answer_cryptogram(imk, scheme, cryptogram, code)
    }

    fn seal_script(
        &self,
        smi: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        script: CardScript,
    ) -> Result<Vec<u8>, SecurityError> {
        self.module.seal_script(smi, scheme, cryptogram, script)
    }

    fn answer_cryptogram_status(
        &self,
        imk: &WrappedKey,
        scheme: CryptogramScheme,
        cryptogram: &Cryptogram<'_>,
        status_update: [u8; 4],
        proprietary: &[u8],
    ) -> Result<Option<[u8; 4]>, SecurityError> {
        self.module
            .answer_cryptogram_status(imk, scheme, cryptogram, status_update, proprietary)
    }

    fn seal_track(&self, tdk: &WrappedKey, track: &[u8]) -> Result<Vec<u8>, SecurityError> {
        self.module.seal_track(tdk, track)
    }

    fn open_track(
        &self,
        tdk: &WrappedKey,
        packed: &[u8],
        characters: usize,
    ) -> Result<ClearTrack, SecurityError> {
        self.module.open_track(tdk, packed, characters)
    }

    fn issue_working_keys(
        &self,
        tmk: &WrappedKey,
        random: &[u8; 32],
    ) -> Result<(WorkingKeys, [u8; 40]), SecurityError> {
        self.module.issue_working_keys(tmk, random)
    }

    fn install_working_keys(
        &self,
        tmk: &WrappedKey,
        field62: &[u8],
    ) -> Result<WorkingKeys, SecurityError> {
        self.module.install_working_keys(tmk, field62)
    }

    fn issue_host_key(
        &self,
        kek: &WrappedKey,
        usage: KeyUsage,
        random: &[u8; 16],
    ) -> Result<(WrappedKey, [u8; 16], [u8; 4]), SecurityError> {
        self.module.issue_host_key(kek, usage, random)
    }

    fn install_host_key(
        &self,
        kek: &WrappedKey,
        usage: KeyUsage,
        enciphered: &[u8; 16],
        check_value: &[u8; 4],
    ) -> Result<WrappedKey, SecurityError> {
        self.module
            .install_host_key(kek, usage, enciphered, check_value)
    }

    fn sign_certificate(
        &self,
        key: &WrappedKey,
        payload: &[u8],
    ) -> Result<[u8; 64], SecurityError> {
        self.module.sign_certificate(key, payload)
    }

    fn certificate_key(&self, key: &WrappedKey) -> Result<[u8; 32], SecurityError> {
        self.module.certificate_key(key)
    }

    fn import(&self, usage: KeyUsage, clear: &ClearKey) -> Result<WrappedKey, SecurityError> {
        self.module.import(usage, clear)
    }
}
