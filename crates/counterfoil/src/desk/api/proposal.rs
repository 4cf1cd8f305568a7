//! Proposals by the API: a program may propose, and take its own proposal back; approving is for people, who see the page.

use super::query::Number;
use super::{Api, Problem, Words, rfc3339};
use crate::people::proposals::{Action, Proposal, Proposals, Refusal};
use crate::people::{Person, Role, blocking};
use axum::Json;
use axum::extract::{Extension, Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A proposal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposalItem {
    /// Its number.
    pub id: u64,
    /// Who proposed it.
    pub maker: String,
    /// When.
    pub made: String,
    /// What is to be done, in words.
    pub preview: Words,
    /// Hash of what a checker is shown.
    pub shown: String,
    /// `open`, `approved`, `done`, `refused` or `void`.
    pub state: &'static str,
    /// Who checked it.
    pub checker: Option<String>,
    /// When.
    pub checked: Option<String>,
}

/// Proposals.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposalList {
    /// Open ones first.
    pub items: Vec<ProposalItem>,
}

/// Another role for somebody of the staff.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewRole {
    /// Whose.
    name: String,
    /// The role that they have: `auditor`, `operator` or `supervisor`.
    #[schema(value_type = String, pattern = "^(auditor|operator|supervisor)$")]
    from: Role,
    /// The role that they get.
    #[schema(value_type = String, pattern = "^(auditor|operator|supervisor)$")]
    to: Role,
}

/// What was done about a proposal.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Proposed {
    /// Its number.
    pub id: u64,
    /// `open` or `refused`.
    pub state: &'static str,
}

pub(super) async fn list(State(api): State<Api>) -> Result<Json<ProposalList>, Problem> {
    let proposals = Proposals::new(api.desk.people.clone());
    let rows = blocking(move || proposals.list())
        .await
        .map_err(Problem::trouble)?;
    let items = rows.into_iter().map(item).collect();
    Ok(Json(ProposalList { items }))
}

fn item(proposal: Proposal) -> ProposalItem {
    ProposalItem {
        id: proposal.id,
        maker: proposal.maker,
        made: rfc3339(proposal.made_ms),
        preview: Words::of(proposal.preview),
        shown: proposal.shown,
        state: proposal.state.name(),
        checker: proposal.checker,
        checked: proposal.checked_ms.map(rfc3339),
    }
}

pub(super) async fn propose(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Json(NewRole { name, from, to }): Json<NewRole>,
) -> Result<Json<Proposed>, Problem> {
    let proposals = Proposals::new(api.desk.people.clone());
    let action = Action::ChangeRole { name, from, to };
    let made = blocking(move || proposals.propose(&person, &action)).await;
    let id = made.map_err(problem)?;
    Ok(Json(Proposed { id, state: "open" }))
}

pub(super) async fn withdraw(
    State(api): State<Api>,
    Extension(person): Extension<Person>,
    Path(Number(id)): Path<Number>,
) -> Result<Json<Proposed>, Problem> {
    let proposals = Proposals::new(api.desk.people.clone());
    let done = blocking(move || proposals.withdraw(&person, id)).await;
    done.map_err(problem)?;
    Ok(Json(Proposed {
        id,
        state: "refused",
    }))
}

pub(super) fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Trouble(trouble) => Problem::trouble(trouble),
        Refusal::Forbidden => Problem::forbidden(),
        Refusal::Unknown => Problem::missing(),
        Refusal::Closed | Refusal::Changed => Problem::conflict(refusal.words()),
        _ => Problem::refused(refusal.words()),
    }
}
