//! Outcome certificates, signed, in the order of their chain.

use super::query::{Many, Number};
use super::{Api, Problem, rfc3339};
use crate::eslip;
use crate::people::blocking;
use axum::Json;
use axum::extract::{Query, State};
use payment::Certificate as Certified;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A certificate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Certificate {
    /// Number in the chain.
    pub number: u64,
    /// How the transaction ended.
    #[schema(value_type = String)]
    pub outcome: payment::certificate::CertifiedOutcome,
    /// When.
    pub at: String,
    /// The text of its QR code, signature included.
    pub text: String,
}

/// A page of certificates.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificatePage {
    /// By number.
    pub items: Vec<Certificate>,
    /// Where the next ones begin; none at the end.
    pub next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct From {
    after: Option<Number>,
    #[serde(default)]
    limit: Many,
}

pub(super) async fn list(
    State(api): State<Api>,
    Query(From {
        after,
        limit: Many(many),
    }): Query<From>,
) -> Result<Json<CertificatePage>, Problem> {
    let Some(certifier) = api.certifier.clone() else {
        return Err(Problem::missing());
    };
    let data = api.desk.data.clone();
    let after = after.map_or(0, |Number(after)| after);
    let read = blocking(move || {
        let payloads = eslip::chain(&data, after, many).map_err(|error| error.to_string())?;
        let signed = certifier.sign_all(&payloads)?;
        let items = signed.iter().map(|signed| {
            let certified =
                Certified::of_payload(&signed.payload).map_err(|error| error.to_string())?;
            Ok(Certificate {
                number: certified.number,
                outcome: certified.outcome,
                at: rfc3339(certified.at.0),
                text: signed.text(),
            })
        });
        items.collect::<Result<Vec<_>, String>>()
    });
    let items = read.await.map_err(Problem::trouble)?;
    let full = items.len() == many as usize;
    let next = items
        .last()
        .filter(|_| full)
        .map(|last| last.number.to_string());
    Ok(Json(CertificatePage { items, next }))
}
