//! Proposals as pages: the list, one of them with what would come or has come of it, approval and refusal.

use super::{blocking, missing, places, trouble};
use crate::people::proposals::{Action, Proposal, Proposals, Refusal, State as Stands};
use crate::people::remedies::Chosen;
use crate::people::{People, Permission, Session, Trouble};
use crate::web::Language;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use pages::chip::Tone;
use pages::people::{ProposalRow, ProposalSale, ProposalView, ProposalsView};
use pages::{Lang, Words};
use payment::Wall;
use serde::Deserialize;

pub(super) async fn proposals(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
) -> Response {
    let now = people.now().text();
    let rows = match blocking(move || Proposals::new(people).list()).await {
        Ok(rows) => rows,
        Err(problem) => return trouble(lang, "/console/proposals", &problem.to_string()),
    };
    let rows: Vec<ProposalRow> = rows.iter().map(proposal_row).collect();
    let view = ProposalsView {
        rows: &rows,
        name: &session.person.name,
        role: session.person.role.words(),
        csrf: &session.csrf,
        places: &places(session.person.role),
        as_of: &now,
    };
    Html(view.page(lang)).into_response()
}

fn proposal_row(proposal: &Proposal) -> ProposalRow {
    let tone = match proposal.state {
        Stands::Open | Stands::Approved => Tone::Wait,
        Stands::Done => Tone::Closed,
        Stands::Refused | Stands::Void => Tone::Stop,
    };
    let checked = proposal.checker.clone().zip(proposal.checked_ms);
    ProposalRow {
        id: proposal.id,
        preview: proposal.preview.clone(),
        maker: proposal.maker.clone(),
        made: Wall(proposal.made_ms).text(),
        state: proposal.state.words(),
        tone,
        checked: checked.map(|(who, at)| (who, Wall(at).text())),
    }
}

pub(super) async fn proposal(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(id): Path<u64>,
) -> Response {
    shown_proposal(people, lang, session, id, None).await
}

async fn shown_proposal(
    people: People,
    lang: Lang,
    session: Session,
    id: u64,
    told: Option<Words>,
) -> Response {
    let now = people.now().text();
    let path = format!("/console/proposals/{id}");
    let reader = session.person.name.clone();
    let read = move || {
        let proposals = Proposals::new(people);
        let Some(found) = proposals.find(id)? else {
            return Ok(None);
        };
        let sales = remedied(&proposals, &found)?;
        // Whoever approved a new account hands its link over.
        let own = found.checker.as_ref() == Some(&reader);
        let invites = own && matches!(found.action, Action::Invite { .. });
        let link = match invites {
            true => proposals.people().invitation(id)?,
            false => None,
        };
        Ok::<_, Trouble>(Some((found, sales, link)))
    };
    let (found, sales, link) = match blocking(read).await {
        Ok(Some(found)) => found,
        Ok(None) => return missing(lang, "/console/proposals"),
        Err(problem) => return trouble(lang, &path, &problem.to_string()),
    };
    let person = &session.person;
    let open = found.state == Stands::Open;
    let (own, may) = (
        found.maker == person.name,
        person.role.may(Permission::Approve),
    );
    let view = ProposalView {
        row: &proposal_row(&found),
        sales: &sales,
        link: link.as_deref(),
        shown: &found.shown,
        may_approve: open && may && !own,
        may_refuse: open && (may || own),
        told,
        name: &person.name,
        role: person.role.words(),
        csrf: &session.csrf,
        places: &places(person.role),
        as_of: &now,
    };
    let status = told.map_or(StatusCode::OK, |_| StatusCode::CONFLICT);
    (status, Html(view.page(lang))).into_response()
}

/// The sales of a proposed remedy with what came of them; while it is open, with what the acquirer would say now.
fn remedied(proposals: &Proposals, found: &Proposal) -> Result<Vec<ProposalSale>, Trouble> {
    let Action::Remedy { remedy, sales, .. } = &found.action else {
        return Ok(Vec::new());
    };
    let outcomes = match found.state {
        Stands::Open => proposals.foreseen(*remedy, sales)?,
        _ => proposals.outcomes(found.id)?,
    };
    let open = found.state == Stands::Open;
    let row = |chosen: &Chosen| {
        let (said, tone) = match outcomes.get(&chosen.sale) {
            Some(Err(why)) => (why.words(), Tone::Stop),
            Some(Ok(())) if open => (("可以执行", "can be done"), Tone::Wait),
            Some(Ok(())) => (("已执行", "done"), Tone::Closed),
            None => (("未执行", "not done"), Tone::Quiet),
        };
        ProposalSale {
            sale: chosen.sale.clone(),
            amount: chosen.amount.to_string(),
            said,
            tone,
        }
    };
    Ok(sales.iter().map(row).collect())
}

#[derive(Deserialize)]
pub(super) struct Shown {
    shown: String,
}

pub(super) async fn approve(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(id): Path<u64>,
    Form(Shown { shown }): Form<Shown>,
) -> Response {
    let (store, checker) = (people.clone(), session.clone());
    let approved = blocking(move || Proposals::new(store).approve(&checker, id, &shown)).await;
    decided(people, lang, session, id, approved).await
}

pub(super) async fn refuse(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Path(id): Path<u64>,
) -> Response {
    let (store, checker) = (people.clone(), session.clone());
    let refused = blocking(move || Proposals::new(store).refuse(&checker, id)).await;
    decided(people, lang, session, id, refused).await
}

async fn decided(
    people: People,
    lang: Lang,
    session: Session,
    id: u64,
    done: Result<(), Refusal>,
) -> Response {
    match done {
        Ok(()) => Redirect::to(&format!("/console/proposals/{id}")).into_response(),
        Err(refusal) => shown_proposal(people, lang, session, id, Some(refusal.words())).await,
    }
}
