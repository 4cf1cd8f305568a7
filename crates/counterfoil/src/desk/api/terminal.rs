//! Terminals: which there are, whose, and whether they are signed on.

use super::query::Many;
use super::{Api, Problem, rfc3339};
use crate::people::Person;
use axum::Json;
use axum::extract::{Extension, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A terminal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Terminal {
    /// Field 41.
    pub id: String,
    /// Field 42.
    pub merchant: String,
    /// The merchant's name.
    pub merchant_name: String,
    /// It has keys.
    pub signed_on: bool,
    /// Its batch.
    pub batch: Option<u32>,
    /// It speaks the result query and the positive sign.
    pub extended: bool,
    /// Largest amount of one sale, in minor units.
    pub amount_minor_max: u64,
}

/// A page of terminals.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TerminalPage {
    /// By number.
    pub items: Vec<Terminal>,
    /// Where the others begin; none at the end.
    pub next: Option<String>,
    /// When this was looked at.
    pub as_of: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct From {
    after: Option<String>,
    #[serde(default)]
    limit: Many,
}

pub(super) async fn list(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Query(From {
        after,
        limit: Many(many),
    }): Query<From>,
) -> Result<Json<TerminalPage>, Problem> {
    let looked = api.desk.acquirer.look(move |acquirer, now| {
        let config = acquirer.config();
        let after = after.unwrap_or_default();
        let own = config
            .terminals
            .iter()
            .filter(|(id, setup)| person.sees(&setup.merchant) && id.as_str() > after.as_str());
        let mut items: Vec<Terminal> = own
            .take(many as usize + 1)
            .map(|(id, setup)| {
                let session = acquirer.state().session(id);
                let name = config.merchants.get(&setup.merchant);
                Terminal {
                    id: id.to_string(),
                    merchant: setup.merchant.to_string(),
                    merchant_name: name.map(|setup| setup.name.clone()).unwrap_or_default(),
                    signed_on: session.is_some_and(|session| session.keys.is_some()),
                    batch: session.map(|session| session.batch.0),
                    extended: setup.extended,
                    amount_minor_max: setup.amount_minor_max,
                }
            })
            .collect();
        let more = items.len() > many as usize;
        items.truncate(many as usize);
        TerminalPage {
            next: items.last().filter(|_| more).map(|last| last.id.clone()),
            items,
            as_of: rfc3339(now.wall.0),
        }
    });
    let page = looked
        .await
        .map_err(|refused| Problem::trouble(format!("{refused:?}")))?;
    Ok(Json(page))
}
