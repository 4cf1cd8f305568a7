//! The lab's own receiver of webhooks, as an integrator would write one: it checks each signature, counts what comes again,
//! and keeps the last ones.

use crate::config::Problem;
use crate::desk::Opened;
use crate::people::Person;
use crate::webhook::signature;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pages::lab::Webhook;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Webhooks that are kept.
pub const KEPT_MAX: usize = 256;
/// Longest text of one that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// The receiver.
#[derive(Clone, Debug, Default)]
pub(super) struct Receiver(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    address: String,
    secret: Vec<u8>,
    heard: VecDeque<Heard>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({}, secret masked)", self.address)
    }
}

/// A webhook, and the sale that it speaks of.
#[derive(Debug)]
pub(super) struct Heard {
    /// `terminal/batch/trace`.
    pub sale: String,
    pub webhook: Webhook,
}

#[derive(Deserialize)]
struct Body {
    r#type: String,
    timestamp: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    transaction: String,
}

impl Receiver {
    /// Asks the desk for everything that happens.
    pub(super) fn subscribe(&self, desk: &Opened, by: &Person) -> Result<(), Problem> {
        let refused = |refused| format!("webhooks: {refused:?}");
        let address = format!("http://{}/lab/webhook", desk.address);
        let subscriptions = &desk.subscriptions;
        let number = subscriptions.subscribe(by, &address).map_err(refused)?;
        let secret = subscriptions.secret(by, number).map_err(refused)?;
        let secret = secret.strip_prefix("whsec_").unwrap_or_default();
        let mut kept = self.kept();
        kept.secret = STANDARD.decode(secret).map_err(|error| error.to_string())?;
        kept.address = address;
        Ok(())
    }

    /// Reads a webhook and checks its signature; none for what is none.
    pub(super) fn read(&self, headers: &HeaderMap, body: &str) -> Option<Heard> {
        let head = |name: &str| headers.get(name)?.to_str().ok();
        let (id, seconds) = (
            head("webhook-id")?,
            head("webhook-timestamp")?.parse().ok()?,
        );
        let Body {
            r#type,
            timestamp,
            data,
        } = serde_json::from_str(body).ok()?;
        let texts = [id, &r#type, &timestamp, &data.transaction];
        if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            return None;
        }
        let kept = self.kept();
        let before = kept.heard.iter().filter(|heard| heard.webhook.id == id);
        Some(Heard {
            sale: data.transaction.replace('-', "/"),
            webhook: Webhook {
                id: id.to_owned(),
                kind: r#type,
                at: timestamp,
                to: kept.address.clone(),
                attempt: before.count() as u32 + 1,
                verified: head("webhook-signature")? == signature(&kept.secret, id, seconds, body),
                beads: None,
            },
        })
    }

    /// Keeps it.
    pub(super) fn keep(&self, heard: Heard) {
        let mut kept = self.kept();
        if kept.heard.len() == KEPT_MAX {
            kept.heard.pop_front();
        }
        kept.heard.push_back(heard);
    }

    /// Those that speak of a sale, oldest first.
    pub(super) fn of(&self, sale: &str) -> Vec<Webhook> {
        let kept = self.kept();
        let about = kept.heard.iter().filter(|heard| heard.sale == sale);
        about.map(|heard| heard.webhook.clone()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_checked_and_a_repetition_counted() {
        let receiver = Receiver::default();
        receiver.kept().secret = vec![7; 32];
        let body = r#"{"type":"payment.answered","timestamp":"t","data":{"transaction":"T0000001-000001-000042"}}"#;
        let headers = |signed: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("webhook-id", "evt_1-0"),
                ("webhook-timestamp", "12"),
                ("webhook-signature", signed),
            ] {
                headers.insert(name, value.parse().expect("a header"));
            }
            headers
        };
        let right = signature(&[7; 32], "evt_1-0", 12, body);
        for (signed, attempt, verified) in [("v1,AAAA", 1, false), (&*right, 2, true)] {
            let heard = receiver.read(&headers(signed), body).expect("a webhook");
            assert_eq!(
                (heard.webhook.attempt, heard.webhook.verified),
                (attempt, verified)
            );
            receiver.keep(heard);
        }
        assert_eq!(receiver.of("T0000001/000001/000042").len(), 2);
        assert!(receiver.of("T0000001/000001/000043").is_empty());
        assert!(receiver.read(&headers(&right), "{}").is_none());
        assert!(receiver.read(&HeaderMap::new(), body).is_none());
    }
}
