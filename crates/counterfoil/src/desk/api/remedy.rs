//! Remedies by the API: the same as the form of the console. What moves money becomes a proposal, which people approve on
//! the page.

use super::proposal::problem;
use super::{Api, Problem, Words};
use crate::desk::remedy::asked;
use crate::people::proposals::{Proposals, Refusal};
use crate::people::{Person, blocking};
use axum::Json;
use axum::extract::{Extension, State};
use payment::Remedy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A remedy for some sales.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewRemedy {
    /// `ask_now`: what nobody has answered is asked again at once. `give_back`: what stands goes back to the cardholder.
    #[schema(value_type = String, pattern = "^(ask_now|give_back)$")]
    remedy: Remedy,
    /// The ids of the sales; 1 to 100.
    sales: Vec<String>,
    /// Why; at most 240 bytes of UTF-8. It is kept in the journal.
    reason: String,
}

/// What becomes of one sale.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RemedyItem {
    /// Its id.
    pub sale: String,
    /// Name of the reason for which it is left out, or was refused when it was done.
    pub refused: Option<&'static str>,
    /// The same in words.
    pub why: Option<Words>,
}

/// What becomes of a remedy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RemedyAsked {
    /// Number of the proposal.
    pub id: u64,
    /// `open` while it waits for a second person; `approved` while it is being done; `done`.
    pub state: &'static str,
    /// Each sale, in the order of the request.
    pub items: Vec<RemedyItem>,
}

pub(super) async fn ask(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Json(NewRemedy {
        remedy,
        sales,
        reason,
    }): Json<NewRemedy>,
) -> Result<Json<RemedyAsked>, Problem> {
    let proposals = Proposals::new(api.desk.people.clone());
    let (judge, who, named) = (proposals.clone(), person.clone(), sales.clone());
    let judged = blocking(move || judge.judge(&who, &named, remedy)).await;
    let judged = judged.map_err(problem)?;
    let id = asked(&api.desk, person, remedy, sales, reason).await;
    let id = id.map_err(problem)?;
    let found = blocking(move || Ok::<_, Refusal>((proposals.find(id)?, proposals.outcomes(id)?)));
    let (proposal, outcomes) = found.await.map_err(problem)?;
    let items = judged.into_iter().map(|judged| {
        let later = outcomes.get(&judged.sale).and_then(|outcome| outcome.err());
        let refused = judged.refused.or(later);
        RemedyItem {
            sale: judged.sale.replace('/', "-"),
            refused: refused.map(payment::Unremedied::name),
            why: refused.map(|why| Words::of(why.words())),
        }
    });
    Ok(Json(RemedyAsked {
        id,
        state: proposal.map_or("open", |proposal| proposal.state.name()),
        items: items.collect(),
    }))
}
