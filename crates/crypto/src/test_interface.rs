//! The module test interface: runs one row of the reference vectors through the very functions that production runs.
//!
//! Invariant: exists only under the cargo feature `vectors`, keeps no state, and names what it does not support.

use crate::{
    block_cipher::{DesCipher, aes_cmac, aes_encrypt, set_odd_parity, xor},
    card::Pan,
    digits::luhn_check_digit,
    hex, mac,
    pin::{Pin, PinFormat, PinOffset},
    pin_verification::Ibm3624,
    working_keys::decipher_field62,
};
use aes::{Aes128, Aes256};
use cipher::KeyInit;
use cmac::Cmac;
use core::fmt;
use std::collections::BTreeMap;

/// What a row came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One value: upper-case hex or digits, or `REJECT`.
    Value(String),
    /// Several named values.
    Values(BTreeMap<&'static str, String>),
    /// The algorithm is not implemented here.
    Unsupported,
}

/// An input that the algorithm needs is absent or malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Name of the input.
    pub name: &'static str,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input {} is absent or malformed", self.name)
    }
}

impl core::error::Error for InputError {}

/// Runs `algorithm` over named inputs: bytes in hex, numbers in decimal.
pub fn check(algorithm: &str, inputs: &BTreeMap<String, String>) -> Result<Outcome, InputError> {
    let inputs = Inputs(inputs);
    let value = match algorithm {
        "DES-ECB-ENCRYPT" | "TDES-ECB-ENCRYPT" => {
            let mut text = inputs.bytes("plaintext")?;
            inputs.des("key")?.encrypt_ecb(&mut text);
            hex::text(&text)
        }
        "TDES-CBC-ENCRYPT" => inputs.des_cbc()?,
        "DES-KEY-ODD-PARITY-ADJUST" => {
            let mut key = inputs.bytes("key")?;
            set_odd_parity(&mut key);
            hex::text(&key)
        }
        "KCV-TDES-ZERO-BLOCK" => inputs.cut(&inputs.des("key")?.check_value(), "length_bytes")?,
        "KCV-AES-CMAC-ZERO-BLOCK" => inputs.cut(&inputs.aes_cmac(&[0; 16])?, "length_bytes")?,
        "AES-ECB-ENCRYPT" => inputs.aes_block()?,
        "AES-CMAC" => hex::text(&inputs.aes_cmac(&inputs.bytes("message")?)?),
        "ISO9797-1-ALG1" => {
            let key = inputs.des("key")?;
            inputs.cut(
                &inputs.padded(|parts| mac::cbc_mac(&key, parts))?,
                "mac_length",
            )?
        }
        "ISO9797-1-ALG3" => {
            let key = inputs.array("key")?;
            let mac = inputs.padded(|parts| mac::x919(&key, parts))?;
            inputs.cut(&mac.map_err(|_| InputError { name: "key" })?, "mac_length")?
        }
        "UNIONPAY-ECB-MAC" => {
            let mac = mac::unionpay_ecb(&inputs.des("key")?, &[&inputs.bytes("message")?]);
            hex::text(&mac::field_text(mac))
        }
        "UNIONPAY-SIGNON-FIELD62" => return inputs.field62(),
        "PINBLOCK-ISO9564-0-CLEAR" => hex::text(&inputs.clear_pin_block()?),
        "PINBLOCK-UNIONPAY-WITH-PAN-CLEAR" => {
            // The two texts agree up to nine digits; longer PINs follow ISO here (UnionPay-style reference §5.3).
            if inputs.text("pin")?.len() > 9 {
                return Err(InputError { name: "pin" });
            }
            hex::text(&inputs.clear_pin_block()?)
        }
        "PINBLOCK-ISO9564-0-TDES" => {
            hex::text(&inputs.des("key")?.encrypt(inputs.clear_pin_block()?))
        }
        "PINBLOCK-ISO9564-0-DECODE" => {
            match PinFormat::WithPan.decode(&inputs.array("clear_block")?, &inputs.pan()?) {
                Ok(pin) => digits_text(pin.ascii()),
                Err(_) => "REJECT".to_owned(),
            }
        }
        "IBM3624-OFFSET" => inputs
            .ibm3624()?
            .offset(&inputs.des("pvk")?, &inputs.pan()?, &inputs.pin()?)
            .to_string(),
        "IBM3624-PIN-FROM-OFFSET" => {
            let offset: PinOffset = inputs.parsed("offset")?;
            let pin = inputs
                .ibm3624()?
                .pin(&inputs.des("pvk")?, &inputs.pan()?, &offset);
            digits_text(pin.ok_or(InputError { name: "offset" })?.ascii())
        }
        "LUHN-CHECK-DIGIT" => {
            let digit = luhn_check_digit(inputs.text("payload")?.as_bytes());
            digits_text(&[digit.ok_or(InputError { name: "payload" })?])
        }
        _ => return Ok(Outcome::Unsupported),
    };
    Ok(Outcome::Value(value))
}

fn digits_text(ascii: &[u8]) -> String {
    ascii.iter().copied().map(char::from).collect()
}

/// The named inputs of one row.
struct Inputs<'a>(&'a BTreeMap<String, String>);

impl Inputs<'_> {
    fn text(&self, name: &'static str) -> Result<&str, InputError> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or(InputError { name })
    }

    fn parsed<T: core::str::FromStr>(&self, name: &'static str) -> Result<T, InputError> {
        self.text(name)?.parse().map_err(|_| InputError { name })
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, InputError> {
        let text = self.text(name)?.as_bytes();
        let mut bytes = vec![0; text.len() / 2];
        if hex::decode(text, &mut bytes) {
            Ok(bytes)
        } else {
            Err(InputError { name })
        }
    }

    fn array<const N: usize>(&self, name: &'static str) -> Result<[u8; N], InputError> {
        self.bytes(name)?
            .try_into()
            .map_err(|_| InputError { name })
    }

    fn des(&self, name: &'static str) -> Result<DesCipher, InputError> {
        DesCipher::new(&self.bytes(name)?).ok_or(InputError { name })
    }

    fn pan(&self) -> Result<Pan, InputError> {
        Pan::parse(self.text("pan")?.as_bytes()).map_err(|_| InputError { name: "pan" })
    }

    fn pin(&self) -> Result<Pin, InputError> {
        Pin::parse(self.text("pin")?.as_bytes()).map_err(|_| InputError { name: "pin" })
    }

    /// The left bytes of a result, as many as the input says.
    fn cut(&self, bytes: &[u8], name: &'static str) -> Result<String, InputError> {
        let length: usize = self.parsed(name)?;
        bytes
            .get(..length)
            .map(hex::text)
            .ok_or(InputError { name })
    }

    /// Runs a MAC that pads with zeros (method 1) over the message, with one bit set behind it for method 2.
    fn padded<T>(&self, mac: impl FnOnce(&[&[u8]]) -> T) -> Result<T, InputError> {
        let message = self.bytes("message")?;
        match self.text("padding_method")? {
            "1" => Ok(mac(&[&message])),
            "2" => Ok(mac(&[&message, &[0x80]])),
            _ => Err(InputError {
                name: "padding_method",
            }),
        }
    }

    fn des_cbc(&self) -> Result<String, InputError> {
        let key = self.des("key")?;
        let mut text = self.bytes("plaintext")?;
        let mut chained = self.array("iv")?;
        for block in text.as_chunks_mut().0 {
            chained = key.encrypt(xor(chained, *block));
            *block = chained;
        }
        Ok(hex::text(&text))
    }

    fn aes_block(&self) -> Result<String, InputError> {
        let block = self.array("plaintext")?;
        let key = self.bytes("key")?;
        let block = match (Aes128::new_from_slice(&key), Aes256::new_from_slice(&key)) {
            (Ok(key), _) => aes_encrypt(&key, block),
            (_, Ok(key)) => aes_encrypt(&key, block),
            _ => return Err(InputError { name: "key" }),
        };
        Ok(hex::text(&block))
    }

    fn aes_cmac(&self, message: &[u8]) -> Result<[u8; 16], InputError> {
        let key = self.bytes("key")?;
        match (
            Cmac::<Aes128>::new_from_slice(&key),
            Cmac::<Aes256>::new_from_slice(&key),
        ) {
            (Ok(key), _) => Ok(aes_cmac(key, &[message])),
            (_, Ok(key)) => Ok(aes_cmac(key, &[message])),
            _ => Err(InputError { name: "key" }),
        }
    }

    fn clear_pin_block(&self) -> Result<[u8; 8], InputError> {
        Ok(*PinFormat::WithPan.encode(&self.pin()?, &self.pan()?))
    }

    fn ibm3624(&self) -> Result<Ibm3624, InputError> {
        let name = "decimalisation_table";
        let table: [u8; 16] = self
            .text(name)?
            .as_bytes()
            .try_into()
            .map_err(|_| InputError { name })?;
        if !table.iter().all(u8::is_ascii_digit) {
            return Err(InputError { name });
        }
        let pad = u8::from_str_radix(self.text("pad")?, 16)
            .ok()
            .filter(|pad| *pad < 16);
        Ok(Ibm3624 {
            table: table.map(|digit| digit - b'0'),
            start: self.parsed("validation_start")?,
            length: self.parsed("validation_length")?,
            pad: pad.ok_or(InputError { name: "pad" })?,
        })
    }

    fn field62(&self) -> Result<Outcome, InputError> {
        let Ok(keys) = decipher_field62(&self.des("tmk")?, &self.bytes("field62")?) else {
            return Ok(Outcome::Value("REJECT".to_owned()));
        };
        let names = [
            ("PIK", "PIK_KCV_OK"),
            ("MAK", "MAK_KCV_OK"),
            ("TDK", "TDK_KCV_OK"),
        ];
        let keys = [Some(keys.pin), Some(keys.mac), keys.track];
        let named = names
            .into_iter()
            .zip(keys)
            .filter_map(|(names, key)| Some((names, key?)));
        Ok(Outcome::Values(
            named
                .flat_map(|((name, holds), key)| {
                    [(name, hex::text(key.bytes())), (holds, "true".to_owned())]
                })
                .collect(),
        ))
    }
}
