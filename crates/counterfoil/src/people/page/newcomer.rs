//! New accounts as pages: the proposal of one, and the first password of who was invited.

use super::{CHECKING, blocking, shown_everybody, spent, trouble};
use crate::people::proposals::{Action, Proposals};
use crate::people::{People, Refused, Role, Session};
use crate::web::Language;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use pages::people::WelcomeView;
use pages::{Lang, Words};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Newcomer {
    name: String,
    role: Role,
    #[serde(default)]
    merchant: String,
}

pub(super) async fn invite(
    State(people): State<People>,
    Language(lang): Language,
    Extension(session): Extension<Session>,
    Form(typed): Form<Newcomer>,
) -> Response {
    let (store, maker) = (people.clone(), session.person.clone());
    let merchant = typed.merchant.trim();
    let action = Action::Invite {
        name: typed.name.trim().to_owned(),
        role: typed.role,
        merchant: (!merchant.is_empty()).then(|| merchant.to_owned()),
    };
    match blocking(move || Proposals::new(store).propose(&maker, &action)).await {
        Ok(id) => Redirect::to(&format!("/console/proposals/{id}")).into_response(),
        Err(refusal) => shown_everybody(people, lang, session, Some(refusal.words())).await,
    }
}

pub(super) async fn welcome(
    State(people): State<People>,
    Language(lang): Language,
    Path(token): Path<String>,
) -> Response {
    shown_welcome(people, lang, token, None).await
}

async fn shown_welcome(people: People, lang: Lang, token: String, told: Option<Words>) -> Response {
    let path = format!("/welcome/{token}");
    match blocking(move || people.invited(&token)).await {
        Ok(Some(name)) => {
            let view = WelcomeView {
                name: &name,
                path: &path,
                told,
            };
            let status = told.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
            (status, Html(view.page(lang))).into_response()
        }
        Ok(None) => spent(lang),
        Err(problem) => trouble(lang, "/welcome", &problem.to_string()),
    }
}

#[derive(Deserialize)]
pub(super) struct FirstPassword {
    password: String,
}

pub(super) async fn accept(
    State(people): State<People>,
    Language(lang): Language,
    Path(token): Path<String>,
    Form(FirstPassword { password }): Form<FirstPassword>,
) -> Response {
    let (store, held) = (people.clone(), token.clone());
    let _one = CHECKING.acquire().await;
    match blocking(move || store.accept(&held, &password)).await {
        Ok(()) => Redirect::to("/login").into_response(),
        Err(Refused::Unknown) => spent(lang),
        Err(refused) => shown_welcome(people, lang, token, Some(refused.words())).await,
    }
}
