//! Signatures of outcome certificates: Ed25519 (RFC 8032), and the digest that chains them.
//!
//! Invariant: the private half never leaves this file; what verifies was signed by its key and not changed by a bit.

use crate::{engine::Engine, module::SecurityError};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Keeps the seed apart from everything else that is derived from a key.
const SEED_LABEL: &[u8] = b"counterfoil outcome certificate seed 1";

/// True when `signature` is that of `payload` under `public`; small-order keys and malleable signatures are refused.
pub fn verify_certificate(public: &[u8; 32], payload: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public).is_ok_and(|key| {
        key.verify_strict(payload, &Signature::from_bytes(signature))
            .is_ok()
    })
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A key of 128 bits is as strong as the curve; the seed of RFC 8032 is 256 bits long.
pub(crate) fn signing_key<E: Engine>(
    engine: &E,
    key: &[u8; 16],
) -> Result<E::Signing, SecurityError> {
    let seed = Zeroizing::new(engine.sha256(&[SEED_LABEL, key])?);
    engine.signing(&seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::SigningKey, hex, software_engine::SoftwareEngine};

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        let mut bytes = [0; N];
        assert!(hex::decode(text.as_bytes(), &mut bytes));
        bytes
    }

    /// RFC 8032 §7.1, tests 1 to 3: seed, public key, message, signature.
    const PUBLISHED: [(&str, &str, &str, &str); 3] = [
        (
            "9D61B19DEFFD5A60BA844AF492EC2CC44449C5697B326919703BAC031CAE7F60",
            "D75A980182B10AB7D54BFED3C964073A0EE172F3DAA62325AF021A68F707511A",
            "",
            "E5564300C360AC729086E2CC806E828A84877F1EB8E5D974D873E065224901555FB8821590A33BACC61E39701CF9B46BD25BF5F0595BBE24655141438E7A100B",
        ),
        (
            "4CCD089B28FF96DA9DB6C346EC114E0F5B8A319F35ABA624DA8CF6ED4FB8A6FB",
            "3D4017C3E843895A92B70AA74D1B7EBC9C982CCF2EC4968CC0CD55F12AF4660C",
            "72",
            "92A009A9F0D4CAB8720E820B5F642540A2B27B5416503F8FB3762223EBDB69DA085AC1E43E15996E458F3613D0F11D8C387B2EAEB4302AEEB00D291612BB0C00",
        ),
        (
            "C5AA8DF43F9F837BEDB7442F31DCB7B166D38535076F094B85CE3A2E0B4458F7",
            "FC51CD8E6218A1A38DA47ED00230F0580816ED13BA3303AC5DEB911548908025",
            "AF82",
            "6291D657DEEC24024827E69C3ABE01A30CE548A284743A445E3680D7DB5AC3AC18FF9B538D16F290AE67F760984DC6594A7C15E9716ED28DC027BECEEA1EC40A",
        ),
    ];

    #[test]
    fn published_signatures() {
        for (seed, public, message, signature) in PUBLISHED {
            let mut text = vec![0; message.len() / 2];
            assert!(hex::decode(message.as_bytes(), &mut text));
            let key = SoftwareEngine(()).signing(&bytes(seed)).unwrap();
            assert_eq!(key.public(), Ok(bytes::<32>(public)));
            assert_eq!(key.sign(&text), Ok(bytes::<64>(signature)));
            assert!(verify_certificate(&bytes(public), &text, &bytes(signature)));
        }
    }

    #[test]
    fn what_was_changed_does_not_verify() {
        let key = bytes::<16>("0123456789ABCDEFFEDCBA9876543210");
        let key = signing_key(&SoftwareEngine(()), &key).unwrap();
        let payload = b"a sale of 128.00";
        let (public, signature) = (key.public().unwrap(), key.sign(payload).unwrap());
        assert!(verify_certificate(&public, payload, &signature));
        assert_eq!(
            signature,
            key.sign(payload).unwrap(),
            "the same bytes, the same signature"
        );
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !verify_certificate(&public, payload, &changed),
                "bit {bit} of the signature"
            );
        }
        for bit in 0..payload.len() * 8 {
            let mut changed = *payload;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !verify_certificate(&public, &changed, &signature),
                "bit {bit} of the payload"
            );
        }
        // A key of small order would verify anything of a careless signer.
        assert!(!verify_certificate(&[0; 32], payload, &signature));
    }
}
